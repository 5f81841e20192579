import { CATEGORIES } from "../core/categories.ts";
import { ORDERS, type Order } from "../core/lanes.ts";
import { highlight, loaded, onlyInView, onlyTask, order, theme } from "./state.ts";

/** Colours of the states; pressing one dims the others. And the order of the lanes. */
export function Legend() {
  const trace = loaded.value;
  if (trace === null) return null;
  const on = highlight.value;
  const toggle = (code: number): void => {
    const next = new Set(on ?? []);
    if (next.has(code)) next.delete(code);
    else next.add(code);
    highlight.value = next.size === 0 ? null : next;
  };
  return (
    <div class="legend">
      <div class="states" role="toolbar" aria-label="States: press to highlight">
        {CATEGORIES.map(({ key, label, hint }, code) =>
          code === 0 ? null : (
            <button
              key={key}
              type="button"
              title={hint}
              aria-pressed={on?.has(code) ?? false}
              class={on !== null && !on.has(code) ? "faded" : ""}
              onClick={() => toggle(code)}
            >
              <span class="swatch" style={{ background: theme.value.states[code]! }} />
              {label}
            </button>
          ),
        )}
        <span class="points">
          <span class="tick" style={{ background: theme.value.log }} /> log
        </span>
        <span class="points">
          <span class="tick" style={{ background: theme.value.sample }} /> CPU sample
        </span>
      </div>
      {onlyTask.value >= 0 && (
        <button type="button" class="filter" aria-pressed={true} onClick={() => (onlyTask.value = -1)}>
          only task {trace.model.strings[trace.model.tasks.name[onlyTask.value]!]} #
          {trace.model.tasks.id[onlyTask.value]} <span aria-label="show all">✕</span>
        </button>
      )}
      <button
        type="button"
        class="order"
        aria-pressed={onlyInView.value}
        title="Hide the lanes of activations that do not live in the time shown"
        onClick={() => (onlyInView.value = !onlyInView.value)}
      >
        only lanes in view
      </button>
      <label class="points">
        Sort by{" "}
        <select value={order.value} onChange={(event) => (order.value = event.currentTarget.value as Order)}>
          {Object.entries(ORDERS).map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
