import { useComputed } from "@preact/signals";
import { goToActivation, loaded, theme } from "../app/state.ts";
import { CATEGORIES } from "../core/categories.ts";
import { count, duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { activationGroups, type ActivationGroup } from "../core/stats.ts";
import { type GroupColumn, GroupTable } from "./group-table.tsx";
import { VirtualRows } from "./virtual-rows.tsx";

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
  { title: "Count", isNumber: true, cell: ({ rows }) => count(rows.length) },
  { title: "Running", isNumber: true, cell: (group) => time(group.time[1]!) },
  { title: "Runnable", isNumber: true, cell: (group) => time(group.time[2]!) },
  { title: "Syscall", isNumber: true, cell: (group) => time(group.time[3]!) },
  { title: "Waiting", isNumber: true, cell: (group) => time(waitingOf(group)) },
  { title: "Where the time went", cell: (group) => <Shares of={group} /> },
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
  return (
    <VirtualRows
      label={`Activations of ${name}`}
      columns={["Activation", "Created", "Lived", "Created by"]}
      count={rows.length}
      current={-1}
      choose={(i) => goToActivation(rows[i]!)}
      row={(i) => {
        const row = rows[i]!;
        const until = Number.isNaN(ended[row]!) ? model.endTime : ended[row]!;
        return (
          <>
            <span role="cell">{activationLabel(model, row)}</span>
            <span role="cell">{timestamp(created[row]! - model.startTime, 1000)}</span>
            <span role="cell">
              {duration(until - created[row]!)}
              {Number.isNaN(ended[row]!) ? ", alive" : ""}
            </span>
            <span role="cell">{creator[row]! < 0 ? "–" : activationLabel(model, creator[row]!)}</span>
          </>
        );
      }}
    />
  );
}
