import { useSignal } from "@preact/signals";
import type { Frame } from "../../wire/format.ts";
import { loaded } from "../app/state.ts";

/** A stack, leaf first; nothing for the empty one. */
export function Stack(props: { readonly stack: number; readonly title: string }) {
  const trace = loaded.value;
  const frames = trace?.model.stacks[props.stack];
  if (frames === undefined || frames.length === 0) return null;
  return (
    <section class="card">
      <h3>{props.title}</h3>
      <ol class="stack">
        {frames.map((frame, i) => (
          <li key={`${props.stack} ${i}`}>
            <span class="function">{frame.func || "(anonymous)"}</span>
            <Place frame={frame} />
          </li>
        ))}
      </ol>
    </section>
  );
}

interface Lines {
  readonly from: number;
  readonly lines: readonly string[];
}

/** File and line; with the source around it where the server has it. */
function Place(props: { readonly frame: Frame }) {
  const { file, line } = props.frame;
  const source = useSignal<Lines | "none" | null>(null);
  const text = `${file}${line > 0 ? `:${line}` : ""}`;
  // What Node and the runtime are made of is not below any root.
  if (loaded.value?.hasSource !== true || line <= 0 || file.startsWith("node:") || source.value === "none")
    return <span class="muted place">{text}</span>;
  const shown = source.value;
  const toggle = async (): Promise<void> => {
    if (shown !== null) {
      source.value = null;
      return;
    }
    const asked = new URLSearchParams({ file, line: String(line) });
    const answer = await fetch(`/source?${asked}`).catch(() => null);
    source.value = answer?.ok === true ? ((await answer.json()) as Lines) : "none";
  };
  return (
    <>
      <button
        type="button"
        class="link place"
        aria-expanded={shown !== null}
        title="Show the source"
        onClick={() => void toggle()}
      >
        {text}
      </button>
      {shown !== null && (
        <pre class="source" tabIndex={0} aria-label={`Source of ${text}`}>
          {shown.lines.map((content, i) => (
            <span key={i} class={shown.from + i === line ? "line current" : "line"}>
              <span class="number">{shown.from + i}</span>
              {content}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </>
  );
}
