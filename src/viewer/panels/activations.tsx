import { useComputed, useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { goToActivation, loaded, theme } from "../app/state.ts";
import { CATEGORIES } from "../core/categories.ts";
import { count, duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { activationGroups, type ActivationGroup } from "../core/stats.ts";
import { VirtualRows } from "./virtual-rows.tsx";

/** Activations by entry function: how many, and where their time went. */
export function Activations() {
  const open = useSignal<string | null>(null);
  const groups = useComputed(() => {
    const trace = loaded.value;
    return trace === null ? [] : activationGroups(trace.model, trace.index);
  });
  return (
    <table class="data">
      <caption class="hidden">Activations by entry function</caption>
      <thead>
        <tr>
          <th scope="col">Entry function</th>
          <th scope="col" class="number">
            Count
          </th>
          <th scope="col" class="number">
            Running
          </th>
          <th scope="col" class="number">
            Runnable
          </th>
          <th scope="col" class="number">
            Syscall
          </th>
          <th scope="col" class="number">
            Waiting
          </th>
          <th scope="col">Where the time went</th>
        </tr>
      </thead>
      <tbody>
        {groups.value.map((group) => {
          const isOpen = open.value === group.name;
          let waiting = 0;
          for (let c = 4; c < group.time.length; c++) waiting += group.time[c]!;
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
                <td class="number">{count(group.rows.length)}</td>
                <td class="number">{time(group.time[1]!)}</td>
                <td class="number">{time(group.time[2]!)}</td>
                <td class="number">{time(group.time[3]!)}</td>
                <td class="number">{time(waiting)}</td>
                <td>
                  <Shares of={group} />
                </td>
              </tr>
              {isOpen && (
                <tr>
                  <td colSpan={7} class="nested">
                    <Members of={group} />
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
