import { useComputed } from "@preact/signals";
import { boundsOf, goTo, goToTask, loaded, selection } from "../app/state.ts";
import { count, duration, plural, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { latencyGroups, type LatencyGroup } from "../core/stats.ts";
import { type GroupColumn, GroupTable } from "./group-table.tsx";
import { Histogram } from "./histogram.tsx";
import { VirtualRows } from "./virtual-rows.tsx";

/** Tasks or regions by type with their latencies; a type opens into its instances, an instance leads to its time. */
export function Latencies(props: { readonly of: "tasks" | "regions" }) {
  const { of } = props;
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
  const columns: readonly GroupColumn<LatencyGroup>[] = [
    { title: "Count", isNumber: true, cell: (group) => <Count of={group} one={one} /> },
    { title: "p50", isNumber: true, cell: ({ latency }) => duration(latency.p50) },
    { title: "p90", isNumber: true, cell: ({ latency }) => duration(latency.p90) },
    { title: "p99", isNumber: true, cell: ({ latency }) => duration(latency.p99) },
    { title: "Max", isNumber: true, cell: ({ latency }) => duration(latency.max) },
    {
      title: (
        <>
          Latency{" "}
          <span class="muted">
            {duration(low)} – {duration(high)}, log
          </span>
        </>
      ),
      cell: ({ latency }) => <Histogram of={latency} low={low} high={high} />,
    },
  ];
  return (
    <GroupTable
      caption={of === "tasks" ? "Tasks by type" : "Regions by type"}
      title={of === "tasks" ? "Task type" : "Region type"}
      columns={columns}
      groups={list}
      members={(group) => <Instances of={of} group={group} />}
    />
  );
}

function Count(props: { readonly of: LatencyGroup; readonly one: string }) {
  const { of: group, one } = props;
  return (
    <>
      {count(group.rows.length)}
      {group.open > 0 && (
        <span class="muted" title={`${plural(group.open, one)} without both ends`}>
          {" "}
          ({group.open} open)
        </span>
      )}
    </>
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
