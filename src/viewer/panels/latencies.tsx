import { useComputed, useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { boundsOf, goTo, goToTask, loaded, selection } from "../app/state.ts";
import { count, duration, plural, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { latencyGroups, type LatencyGroup } from "../core/stats.ts";
import { Histogram } from "./histogram.tsx";
import { VirtualRows } from "./virtual-rows.tsx";

/** Tasks or regions by type with their latencies; a type opens into its instances, an instance leads to its time. */
export function Latencies(props: { readonly of: "tasks" | "regions" }) {
  const { of } = props;
  const open = useSignal<string | null>(null);
  const groups = useComputed(() => {
    const model = loaded.value?.model;
    return model === undefined ? [] : latencyGroups(model, model[of]);
  });
  const list = groups.value;
  if (list.length === 0) {
    return (
      <p class="empty">
        {of === "tasks"
          ? "No tasks in this trace. Mark one with "
          : "No regions in this trace. Mark one with "}
        <code>{of === "tasks" ? "trace.withTask(type, fn)" : "trace.withRegion(type, fn)"}</code>.
      </p>
    );
  }
  let low = Infinity;
  let high = 1;
  for (const { latency } of list) {
    if (latency.sorted.length === 0) continue;
    low = Math.min(low, latency.sorted[0]!);
    high = Math.max(high, latency.max);
  }
  const one = of === "tasks" ? "task" : "region";
  return (
    <table class="data">
      <caption class="hidden">{of === "tasks" ? "Tasks by type" : "Regions by type"}</caption>
      <thead>
        <tr>
          <th scope="col">{of === "tasks" ? "Task type" : "Region type"}</th>
          <th scope="col" class="number">
            Count
          </th>
          <th scope="col" class="number">
            p50
          </th>
          <th scope="col" class="number">
            p90
          </th>
          <th scope="col" class="number">
            p99
          </th>
          <th scope="col" class="number">
            Max
          </th>
          <th scope="col">
            Latency{" "}
            <span class="muted">
              {duration(low)} – {duration(high)}, log
            </span>
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map((group) => {
          const isOpen = open.value === group.name;
          return (
            <Fragment key={group.name}>
              <tr>
                <th scope="row">
                  <button
                    type="button"
                    class="disclosure"
                    aria-expanded={isOpen}
                    onClick={() => (open.value = isOpen ? null : group.name)}
                  >
                    {group.name}
                  </button>
                </th>
                <td class="number">
                  {count(group.rows.length)}
                  {group.open > 0 && (
                    <span class="muted" title={`${plural(group.open, one)} without both ends`}>
                      {" "}
                      ({group.open} open)
                    </span>
                  )}
                </td>
                <td class="number">{duration(group.latency.p50)}</td>
                <td class="number">{duration(group.latency.p90)}</td>
                <td class="number">{duration(group.latency.p99)}</td>
                <td class="number">{duration(group.latency.max)}</td>
                <td>
                  <Histogram of={group.latency} low={low} high={high} />
                </td>
              </tr>
              {isOpen && (
                <tr>
                  <td colSpan={7} class="nested">
                    <Instances of={of} group={group} />
                  </td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function Instances(props: { readonly of: "tasks" | "regions"; readonly group: LatencyGroup }) {
  const { of, group } = props;
  const { model } = loaded.value!;
  const kind = of === "tasks" ? "task" : "region";
  const current = selection.value?.kind === kind ? group.rows.indexOf(selection.value.row) : -1;
  return (
    <VirtualRows
      label={`${group.name}: instances, longest first`}
      columns={["Length", "Start", of === "tasks" ? "Task" : "Of task", "Activation"]}
      count={group.rows.length}
      current={current}
      choose={(i) => {
        const row = group.rows[i]!;
        if (of === "tasks") goToTask(row, true);
        else goTo({ kind: "region", row });
      }}
      row={(i) => {
        const row = group.rows[i]!;
        const table = model[of];
        const bounds = boundsOf({ kind, row });
        const task = of === "tasks" ? row : model.regions.task[row]!;
        const activation = table.activation[row]!;
        const length = table.end[row]! - table.start[row]!;
        return (
          <>
            <span role="cell">{Number.isNaN(length) ? "open" : duration(length)}</span>
            <span role="cell">{bounds === null ? "–" : timestamp(bounds.start - model.startTime, 1000)}</span>
            <span role="cell">
              {task < 0 ? "–" : `${model.strings[model.tasks.name[task]!] ?? ""} #${model.tasks.id[task]}`}
            </span>
            <span role="cell">{activation < 0 ? "–" : activationLabel(model, activation)}</span>
          </>
        );
      }}
    />
  );
}
