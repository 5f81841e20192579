import { loaded } from "../app/state.ts";

/** A stack, leaf first; nothing for the empty one. */
export function Stack(props: { readonly stack: number; readonly title: string }) {
  const frames = loaded.value?.model.stacks[props.stack];
  if (frames === undefined || frames.length === 0) return null;
  return (
    <section class="card">
      <h3>{props.title}</h3>
      <ol class="stack">
        {frames.map((frame, i) => (
          <li key={i}>
            <span class="function">{frame.func || "(anonymous)"}</span>
            <span class="muted place">
              {frame.file}
              {frame.line > 0 ? `:${frame.line}` : ""}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
