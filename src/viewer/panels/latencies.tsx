import { type Signal, useComputed, useSignal } from "@preact/signals";
import { boundsOf, goTo, goToTask, loaded, selection } from "../app/state.ts";
import { count, duration, plural, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { latencyGroups, type LatencyGroup } from "../core/stats.ts";
import { type GroupColumn, GroupTable } from "./group-table.tsx";
import { Histogram } from "./histogram.tsx";
import { SortedRows } from "./sorted-rows.tsx";

/** Tasks or regions by type with their latencies; a type opens into its instances, an instance leads to its time. */
export function Latencies(props: { readonly of: "tasks" | "regions" }) {
  const { of } = props;
  const groups = useComputed(() => {
    const model = loaded.value?.model;
    return model === undefined ? [] : latencyGroups(model, model[of]);
  });
  const range = useSignal<Range | null>(null);
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
    {
      title: "Count",
      help: "Open ones lack their begin or their end; latencies are of the others",
      isNumber: true,
      cell: (group) => <Count of={group} one={one} />,
      value: ({ rows }) => rows.length,
    },
    ...(["p50", "p90", "p99", "max"] as const).map((key): GroupColumn<LatencyGroup> => ({
      title: key === "max" ? "Max" : key,
      help: key === "max" ? "The longest" : `${key.slice(1)} % took at most this (nearest rank)`,
      isNumber: true,
      cell: ({ latency }) => duration(latency[key]),
      value: ({ latency }) => latency[key],
    })),
    {
      title: "Latency",
      help: "A bar a step of equal ratio; marks are p50 and p99. A click on a bar shows those of its step",
      note: (
        <span class="muted">
          {" "}
          {duration(low)} – {duration(high)}, log
        </span>
      ),
      cell: ({ latency, name }) => (
        <Histogram
          of={latency}
          low={low}
          high={high}
          choose={(from, to) => (range.value = { name, from, to })}
        />
      ),
    },
  ];
  return (
    <GroupTable
      caption={of === "tasks" ? "Tasks by type" : "Regions by type"}
      title={of === "tasks" ? "Task type" : "Region type"}
      columns={columns}
      groups={list}
      members={(group) => (
        <Instances of={of} group={group} range={range.value?.name === group.name ? range : null} />
      )}
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

/** Latencies of one group that a bar stands for. */
interface Range {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function Instances(props: {
  readonly of: "tasks" | "regions";
  readonly group: LatencyGroup;
  readonly range: Signal<Range | null> | null;
}) {
  const { of, group, range } = props;
  const { model } = loaded.value!;
  const kind = of === "tasks" ? "task" : "region";
  const table = model[of];
  const lengthOf = (row: number): number => table.end[row]! - table.start[row]!;
  const only = range?.value ?? null;
  const rows =
    only === null
      ? group.rows
      : group.rows.filter((row) => lengthOf(row) >= only.from && lengthOf(row) <= only.to);
  const current = selection.value?.kind === kind ? rows.indexOf(selection.value.row) : -1;
  const start = (i: number): number =>
    (boundsOf({ kind, row: rows[i]! })?.start ?? Number.NaN) - model.startTime;
  const task = (i: number): string => {
    const row = of === "tasks" ? rows[i]! : model.regions.task[rows[i]!]!;
    return row < 0 ? "–" : `${model.strings[model.tasks.name[row]!] ?? ""} #${model.tasks.id[row]}`;
  };
  const activation = (i: number): string => {
    const row = table.activation[rows[i]!]!;
    return row < 0 ? "–" : activationLabel(model, row);
  };
  return (
    <>
      {only !== null && (
        <button type="button" class="filter" onClick={() => (range!.value = null)}>
          {duration(only.from)} – {duration(only.to)} <span aria-label="show all">✕</span>
        </button>
      )}
      <SortedRows
        label={`${group.name}: instances, longest first`}
        name={of}
        columns={[
          {
            title: "Length",
            help: "From its begin to its end",
            isNumber: true,
            cell: (i) => (Number.isNaN(lengthOf(rows[i]!)) ? "open" : duration(lengthOf(rows[i]!))),
            value: (i) => lengthOf(rows[i]!),
          },
          {
            title: "Start",
            help: "Since the start of the trace",
            isNumber: true,
            cell: (i) => timestamp(start(i), 1000),
            value: start,
          },
          {
            title: of === "tasks" ? "Task" : "Of task",
            help: of === "tasks" ? "Its type and its number" : "The task in which it began",
            cell: task,
            value: task,
          },
          { title: "Activation", help: "The one that began it", cell: activation, value: activation },
        ]}
        count={rows.length}
        current={current}
        choose={(i) => {
          const row = rows[i]!;
          if (of === "tasks") goToTask(row, true);
          else goTo({ kind: "region", row });
        }}
      />
    </>
  );
}
