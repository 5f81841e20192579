import { useComputed } from "@preact/signals";
import { goToActivation, loaded, theme } from "../app/state.ts";
import { CATEGORIES } from "../core/categories.ts";
import { count, duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { activationGroups, type ActivationGroup } from "../core/stats.ts";
import { type GroupColumn, GroupTable } from "./group-table.tsx";
import { SortedRows } from "./sorted-rows.tsx";

/** Activations by entry function: how many, and where their time went. */
export function Activations() {
  const groups = useComputed(() => {
    const trace = loaded.value;
    return trace === null ? [] : activationGroups(trace.model, trace.index);
  });
  return (
    <GroupTable
      caption="Activations by entry function"
      title="Entry function"
      columns={COLUMNS}
      groups={groups.value}
      members={(group) => <Members of={group} />}
    />
  );
}

const COLUMNS: readonly GroupColumn<ActivationGroup>[] = [
  {
    title: "Count",
    help: "Activations of this entry function",
    isNumber: true,
    cell: ({ rows }) => count(rows.length),
    value: ({ rows }) => rows.length,
  },
  ...(
    [
      ["Running", 1, "Sum of the time on an event loop"],
      ["Runnable", 2, "Sum of the time ready to run, while the loop was busy"],
      ["Syscall", 3, "Sum of the time in synchronous system calls"],
    ] as const
  ).map(([title, category, help]): GroupColumn<ActivationGroup> => ({
    title,
    help,
    isNumber: true,
    cell: (group) => time(group.time[category]!),
    value: (group) => group.time[category]!,
  })),
  {
    title: "Waiting",
    help: "Sum of the time waiting, for whatever reason",
    isNumber: true,
    cell: (group) => time(waitingOf(group)),
    value: waitingOf,
  },
  {
    title: "Where the time went",
    help: "States as shares of the time that all of them lived",
    cell: (group) => <Shares of={group} />,
  },
];

function waitingOf(group: ActivationGroup): number {
  let waiting = 0;
  for (let c = 4; c < group.time.length; c++) waiting += group.time[c]!;
  return waiting;
}

function time(value: number): string {
  return value === 0 ? "–" : duration(value);
}

/** A bar of shares by state. */
export function Shares(props: { readonly of: { readonly time: Float64Array; readonly total: number } }) {
  const { time: parts, total } = props.of;
  if (total === 0) return <span class="muted">–</span>;
  const text: string[] = [];
  const bars = [];
  let x = 0;
  for (let c = 1; c < parts.length; c++) {
    const part = (parts[c]! / total) * 220;
    if (part <= 0) continue;
    text.push(`${CATEGORIES[c]!.label} ${duration(parts[c]!)}`);
    bars.push(<rect key={c} x={x} y={0} width={part} height={12} fill={theme.value.states[c]!} />);
    x += part;
  }
  return (
    <svg class="shares" width={220} height={12} viewBox="0 0 220 12" role="img" aria-label={text.join(", ")}>
      <title>{text.join("\n")}</title>
      {bars}
    </svg>
  );
}

function Members(props: { readonly of: ActivationGroup }) {
  const { name, rows } = props.of;
  const { model } = loaded.value!;
  const { created, ended, creator } = model.activations;
  const lived = (i: number): number => {
    const end = ended[rows[i]!]!;
    return (Number.isNaN(end) ? model.endTime : end) - created[rows[i]!]!;
  };
  const creatorOf = (i: number): string => {
    const row = creator[rows[i]!]!;
    return row < 0 ? "–" : activationLabel(model, row);
  };
  return (
    <SortedRows
      label={`Activations of ${name}`}
      name="activations"
      columns={[
        {
          title: "Activation",
          help: "Its entry function and its number",
          cell: (i) => activationLabel(model, rows[i]!),
          value: (i) => activationLabel(model, rows[i]!),
        },
        {
          title: "Created",
          help: "Since the start of the trace",
          isNumber: true,
          cell: (i) => timestamp(created[rows[i]!]! - model.startTime, 1000),
          value: (i) => created[rows[i]!]! - model.startTime,
        },
        {
          title: "Lived",
          help: "From its creation to its end, or to the end of the trace",
          isNumber: true,
          cell: (i) => `${duration(lived(i))}${Number.isNaN(ended[rows[i]!]!) ? ", alive" : ""}`,
          value: lived,
        },
        {
          title: "Created by",
          help: "The activation that ran when it was created",
          cell: creatorOf,
          value: creatorOf,
        },
      ]}
      count={rows.length}
      current={-1}
      choose={(i) => goToActivation(rows[i]!)}
    />
  );
}
