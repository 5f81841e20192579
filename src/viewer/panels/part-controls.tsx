import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { extent, loaded, restedView, stage } from "../app/state.ts";

/** The range of time that counts, in ns: the whole trace, or what the timeline shows. */
export function chosenRange(isWhole: boolean): [from: number, to: number] {
  if (isWhole) return [extent.value.start, extent.value.end];
  const { start, perPixel } = restedView.value;
  return [start, start + perPixel * stage.value.width];
}

/** A box to tick. */
export function Check(props: {
  readonly of: Signal<boolean>;
  readonly title?: string;
  readonly children: ComponentChildren;
}) {
  const { of, title, children } = props;
  return (
    <label title={title}>
      <input type="checkbox" checked={of.value} onChange={(e) => (of.value = e.currentTarget.checked)} />
      {children}
    </label>
  );
}

/** A choice among loops (rows), or -1: all. */
export function LoopChoice(props: { readonly of: Signal<number> }) {
  const { of } = props;
  const { model } = loaded.value!;
  return (
    <label>
      on{" "}
      <select value={of.value} onChange={(e) => (of.value = Number(e.currentTarget.value))}>
        <option value={-1}>all loops</option>
        {Array.from(model.procs.name, (name, row) => (
          <option key={row} value={row}>
            {model.strings[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** How far a sum is that takes longer. */
export function Progress(props: { readonly of: number }) {
  const percent = Math.round(props.of * 100);
  return (
    <span class="muted" role="status">
      {props.of < 1 ? `summing: ${percent} %` : ""}
    </span>
  );
}
