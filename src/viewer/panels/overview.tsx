import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { programFrame } from "../../analysis/program-frame.ts";
import { readNotes } from "../../model/notes.ts";
import { goToActivation, goToTask, loaded, tab } from "../app/state.ts";
import { CATEGORIES } from "../core/categories.ts";
import {
  findings,
  frameText,
  isService,
  mainParts,
  nameOf,
  slowestTasks,
  type Place,
} from "../core/findings.ts";
import { count, duration, percent, plural, shortName } from "../core/format.ts";
import type { LoadedTrace } from "../protocol.ts";
import { Shares } from "./activations.tsx";
import { DataTable, Link, type DataColumn } from "./data-table.tsx";

/** Rows of each list: the first screen tells the worst. */
const ROWS = 8;

/** What is in a trace, and what strikes in it: each line leads to its place. */
export function Overview() {
  const isNode = useComputed(() => readNotes(loaded.value?.model.notes ?? []).process !== null);
  const found = useComputed(() => {
    const trace = loaded.value;
    return trace === null ? [] : findings(trace.model, trace.index, trace.health, isNode.value);
  });
  const trace = loaded.value;
  if (trace === null) return null;
  return (
    <div class="overview">
      <section class="card findings" aria-labelledby="findings">
        <h3 id="findings">What strikes</h3>
        {found.value.length === 0 ? (
          <p class="muted">Nothing: no long turns, late runs or long waits.</p>
        ) : (
          <ul>
            {found.value.map(({ text, place }) => (
              <li key={text}>
                <Link go={() => visit(place)}>{text}</Link>
              </li>
            ))}
          </ul>
        )}
      </section>
      <Loops trace={trace} isNode={isNode.value} />
      <Tasks trace={trace} />
      <Turns trace={trace} isNode={isNode.value} />
      <Waits trace={trace} />
      <NotEnded trace={trace} />
    </div>
  );
}

function visit(place: Place): void {
  if (place.kind === "activation") goToActivation(place.row, place.time);
  else if (place.kind === "task") visitTask(place.row);
  else tab.value = place.tab;
}

function visitTask(row: number): void {
  goToTask(row, true);
  tab.value = "details";
}

/** A table of the overview, where there is something to show. */
function List(props: {
  readonly title: string;
  readonly columns: readonly DataColumn[];
  readonly rows: readonly (readonly ComponentChildren[])[];
}) {
  const { title, columns, rows } = props;
  if (rows.length === 0) return null;
  return (
    <section class="card">
      <h3>{title}</h3>
      <DataTable label={title} columns={columns} rows={rows} />
    </section>
  );
}

function Loops(props: { readonly trace: LoadedTrace; readonly isNode: boolean }) {
  const { health } = props.trace;
  const { runnable, awake } = health.overTime;
  const delays = new Map(health.delays.map(({ loop, delay }) => [loop, delay]));
  return (
    <section class="card">
      <h3>{props.isNode ? "Event loops" : "Procs"}</h3>
      <DataTable
        label="How busy they were, and how late"
        columns={[
          props.isNode ? "Loop" : "Proc",
          ["#Busy", "(running + overhead) / duration of the trace"],
          ["#Delay p50", "From ready to running: half of what was ready waited less"],
          ["#p99", "From ready to running: 99 % of what was ready waited less"],
          ["#Max", "From ready to running: the longest"],
        ]}
        rows={health.loops.slice(0, ROWS).map(({ name, utilization }) => {
          const delay = delays.get(name);
          const { p50, p99, max } = delay ?? { p50: NaN, p99: NaN, max: NaN };
          return [name, percent(utilization), duration(p50), duration(p99), duration(max)];
        })}
      />
      {health.loops.length > ROWS && <p class="muted">and {count(health.loops.length - ROWS)} more</p>}
      <Curve title="Ready to run" values={runnable} />
      <Curve title={props.isNode ? "Busy loops" : "Busy procs"} values={awake} />
    </section>
  );
}

const WIDTH = 300;
const HEIGHT = 36;

/** Means over time as an area. */
function Curve(props: { readonly title: string; readonly values: readonly number[] }) {
  const { title, values } = props;
  if (values.length === 0) return null;
  const peak = Math.max(...values);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const step = WIDTH / values.length;
  const points = values.flatMap((value, i) => {
    const y = HEIGHT - (value / Math.max(peak, 1e-9)) * (HEIGHT - 2);
    return [`${(i * step).toFixed(1)},${y.toFixed(1)}`, `${((i + 1) * step).toFixed(1)},${y.toFixed(1)}`];
  });
  const text = `${title}: ${mean.toFixed(2)} on average, at most ${peak.toFixed(2)}`;
  return (
    <figure class="curve">
      <figcaption>{text}</figcaption>
      <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text}>
        <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
      </svg>
    </figure>
  );
}

function Tasks(props: { readonly trace: LoadedTrace }) {
  const { model, index } = props.trace;
  const rows = slowestTasks(model, ROWS).map((row) => {
    const time = new Float64Array(CATEGORIES.length);
    let total = 0;
    for (const [category, part] of mainParts(model, index, row)) {
      time[category] = part;
      total += part;
    }
    return [
      <Link go={() => visitTask(row)}>
        {model.strings[model.tasks.name[row]!] || "(no name)"} #{model.tasks.id[row]}
      </Link>,
      duration(model.tasks.end[row]! - model.tasks.start[row]!),
      <Shares of={{ time, total }} />,
    ];
  });
  return (
    <List
      title="Slowest tasks"
      columns={[
        "Task",
        ["#Took", "From its begin to its end"],
        ["Where its time went", "States of the activations that worked for it"],
      ]}
      rows={rows}
    />
  );
}

function Turns(props: { readonly trace: LoadedTrace; readonly isNode: boolean }) {
  const { model, health } = props.trace;
  const rows = health.turns.slice(0, ROWS).map((turn) => {
    const frame = programFrame(model.stacks[turn.stack] ?? []);
    return [
      <Link go={() => goToActivation(turn.activation.row, turn.start + model.startTime)}>
        {nameOf(turn.activation)}
      </Link>,
      duration(turn.duration),
      frame === undefined ? "" : frameText(frame),
    ];
  });
  const title = props.isNode ? "Longest turns of a loop" : "Longest runs";
  return (
    <List
      title={title}
      columns={[
        "Activation",
        ["#Took", "Without a pause on its loop"],
        ["CPU samples mostly in", "The program's function on most stacks of the samples taken meanwhile"],
      ]}
      rows={rows}
    />
  );
}

function Waits(props: { readonly trace: LoadedTrace }) {
  const { model, health } = props.trace;
  const rows = health.waits
    .filter(({ activation }) => !isService(activation.name))
    .slice(0, ROWS)
    .map(({ activation, start, duration: time, reason, waker }) => [
      <Link go={() => goToActivation(activation.row, start + model.startTime)}>{nameOf(activation)}</Link>,
      duration(time),
      reason,
      waker === null ? (
        ""
      ) : (
        <Link go={() => goToActivation(waker.row, start + time + model.startTime)}>{nameOf(waker)}</Link>
      ),
    ]);
  return <List title="Longest waits" columns={["Activation", "#Waited", "For", "Woken by"]} rows={rows} />;
}

function NotEnded(props: { readonly trace: LoadedTrace }) {
  const rows = props.trace.health.notEnded
    .filter(({ name }) => !isService(name))
    .slice(0, ROWS)
    .map((group) => [
      shortName(group.name) || "(unknown)",
      plural(group.count, "activation"),
      group.reason || "its turn",
      duration(group.longest),
    ]);
  const columns = ["Entry function", "#Still there", "Waiting for", "#Longest"];
  return <List title="Never ended" columns={columns} rows={rows} />;
}
