import type { ComponentChildren } from "preact";
import {
  boundsOf,
  glideTo,
  goTo,
  goToActivation,
  goToTask,
  loaded,
  onlyTask,
  selection,
  showRange,
  stage,
  theme,
  view,
  type Selection,
} from "../app/state.ts";
import {
  activationOfSpan,
  hotFunctions,
  notesOf,
  spanDetails,
  stateText,
  type SpanDetails,
} from "../core/details.ts";
import { count, duration, plural, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { activationsOfTask } from "../core/stats.ts";
import type { LoadedTrace } from "../protocol.ts";
import { taskLabel } from "../timeline/tooltip.tsx";
import { Link } from "./data-table.tsx";
import { Stack } from "./stack.tsx";

/** What is known of the selection. */
export function Details() {
  const trace = loaded.value;
  const target = selection.value;
  if (trace === null) return null;
  if (target === null) {
    return (
      <p class="empty">
        Click a slice to see its state, its stack and who woke it. <kbd>W</kbd> <kbd>S</kbd> zoom,{" "}
        <kbd>A</kbd> <kbd>D</kbd> move, <kbd>Shift</kbd>-drag a range to zoom into it, <kbd>?</kbd> for all
        keys.
      </p>
    );
  }
  if (target.kind === "span")
    return <SpanView trace={trace} details={spanDetails(trace.model, trace.index, target.row)} />;
  return <OtherView trace={trace} target={target} />;
}

function Facts(props: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ActivationLink(props: { readonly row: number; readonly time: number }) {
  const { model } = loaded.value!;
  return <Link go={() => goToActivation(props.row, props.time)}>{activationLabel(model, props.row)}</Link>;
}

function at(trace: LoadedTrace, time: number): string {
  return timestamp(time - trace.model.startTime, 1);
}

function SpanView(props: { readonly trace: LoadedTrace; readonly details: SpanDetails }) {
  const { trace, details } = props;
  const { model } = trace;
  const { activation, woken } = details;
  const rows: [string, ComponentChildren][] = [
    [
      "State",
      <span>
        <span class="swatch" style={{ background: theme.value.states[details.category]! }} />
        {stateText(details.category, details.reason)}
      </span>,
    ],
    ["Duration", duration(details.end - details.start)],
    ["Start", at(trace, details.start)],
    ["End", at(trace, details.end)],
  ];
  if (details.proc >= 0) rows.push(["Event loop", model.strings[model.procs.name[details.proc]!] ?? "–"]);
  if (woken !== null) {
    rows.push([
      woken.created ? "Created by" : "Woken by",
      <span>
        <ActivationLink row={woken.by} time={woken.time} />{" "}
        <span class="muted">at {at(trace, woken.time)}</span>
      </span>,
    ]);
  }
  if (!Number.isNaN(details.latency)) rows.push(["Scheduler latency", duration(details.latency)]);
  const creator = model.activations.creator[activation]!;
  if (creator >= 0 && woken?.created !== true) {
    rows.push(["Created by", <ActivationLink row={creator} time={model.activations.created[activation]!} />]);
  }
  for (const [name, value] of notesOf(model, activation).slice(0, 5)) {
    rows.push([name.charAt(0).toUpperCase() + name.slice(1), value]);
  }
  const next = (by: 1 | -1): number => {
    const row = details.span + by;
    return row >= 0 && row < model.spans.count && activationOfSpan(model, row) === activation ? row : -1;
  };
  return (
    <div class="details">
      <section class="card">
        <h3>
          {model.strings[model.activations.name[activation]!] || "(unknown)"}{" "}
          <span class="muted">#{model.activations.id[activation]}</span>
        </h3>
        <Facts rows={rows} />
        <p class="buttons">
          <button type="button" onClick={() => showRange(details.start, details.end)}>
            Fit
          </button>
          <button type="button" onClick={() => goTo({ kind: "span", row: details.span })}>
            Show lane
          </button>
          <button type="button" disabled={next(-1) < 0} onClick={() => goTo({ kind: "span", row: next(-1) })}>
            ‹ Previous
          </button>
          <button type="button" disabled={next(1) < 0} onClick={() => goTo({ kind: "span", row: next(1) })}>
            Next ›
          </button>
        </p>
      </section>
      <Stack
        stack={details.stack}
        title={
          details.category === 2
            ? "Stack of the waker"
            : details.category === 1
              ? "Stack"
              : "Stack where it stopped"
        }
      />
      <Stack stack={details.stopped} title="Then stopped in" />
      <Woke trace={trace} details={details} />
      <Annotations trace={trace} regions={details.regions} logs={details.logs} />
      <Samples trace={trace} rows={details.samples} />
      {details.span === model.activations.firstSpan[activation] && (
        <Stack stack={model.activations.creationStack[activation]!} title="Stack of the creation" />
      )}
    </div>
  );
}

function Woke(props: { readonly trace: LoadedTrace; readonly details: SpanDetails }) {
  const { trace, details } = props;
  const { model } = trace;
  if (details.woke.length === 0) return null;
  const shown = [...details.woke.subarray(0, 50)];
  return (
    <section class="card">
      <h3>
        Woke <span class="muted">{count(details.woke.length)}</span>
      </h3>
      <ul class="list">
        {shown.map((span) => (
          <li key={span}>
            <Link go={() => goTo({ kind: "span", row: span })}>
              {activationLabel(model, activationOfSpan(model, span))}
            </Link>
            <span class="muted"> +{duration(model.spans.start[span]! - details.start)}</span>
          </li>
        ))}
        {details.woke.length > shown.length && (
          <li class="muted">and {count(details.woke.length - shown.length)} more</li>
        )}
      </ul>
    </section>
  );
}

function Annotations(props: {
  readonly trace: LoadedTrace;
  readonly regions: readonly number[];
  readonly logs: readonly number[];
}) {
  const { trace, regions, logs } = props;
  const { model } = trace;
  const tasks = new Set<number>();
  for (const row of regions) if (model.regions.task[row]! >= 0) tasks.add(model.regions.task[row]!);
  for (const row of logs) if (model.logs.task[row]! >= 0) tasks.add(model.logs.task[row]!);
  if (regions.length === 0 && logs.length === 0) return null;
  return (
    <section class="card">
      <h3>Task, regions and logs</h3>
      <ul class="list">
        {[...tasks].slice(0, 20).map((row) => (
          <li key={`t${row}`}>
            task <Link go={() => goTo({ kind: "task", row })}>{taskLabel(trace, row)}</Link>
          </li>
        ))}
        {regions.slice(0, 50).map((row) => (
          <li key={`r${row}`}>
            region{" "}
            <Link go={() => goTo({ kind: "region", row })}>
              {model.strings[model.regions.name[row]!] || "(no name)"}
            </Link>
          </li>
        ))}
        {logs.slice(0, 200).map((row) => (
          <li key={`l${row}`}>
            <span class="muted">{at(trace, model.logs.time[row]!)}</span>{" "}
            {model.strings[model.logs.category[row]!] !== "" && (
              <b>{model.strings[model.logs.category[row]!]}: </b>
            )}
            {model.strings[model.logs.message[row]!]}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Samples(props: { readonly trace: LoadedTrace; readonly rows: readonly number[] }) {
  const { trace, rows } = props;
  if (rows.length === 0) return null;
  const hot = hotFunctions(trace.model, rows);
  return (
    <section class="card">
      <h3>
        CPU samples <span class="muted">{count(rows.length)}</span>
      </h3>
      <ul class="list">
        {hot.slice(0, 12).map(({ name, count: times }) => (
          <li key={name}>
            <span class="number sample-count">{times}</span> <span class="function">{name}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OtherView(props: {
  readonly trace: LoadedTrace;
  readonly target: Exclude<Selection, { kind: "span" }>;
}) {
  const { trace, target } = props;
  const { model } = trace;
  const bounds = boundsOf(target)!;
  const rows: [string, ComponentChildren][] = [
    ["Duration", duration(bounds.end - bounds.start)],
    ["Start", at(trace, bounds.start)],
    ["End", at(trace, bounds.end)],
  ];
  let title = "";
  let stack = 0;
  let task = -1;
  let activation = -1;
  switch (target.kind) {
    case "region":
      title = `Region ${model.strings[model.regions.name[target.row]!] || "(no name)"}`;
      stack = model.regions.startStack[target.row]!;
      task = model.regions.task[target.row]!;
      activation = model.regions.activation[target.row]!;
      break;
    case "task":
      title = `Task ${taskLabel(trace, target.row)}`;
      task = model.tasks.parent[target.row]!;
      activation = model.tasks.activation[target.row]!;
      break;
    case "log":
      title = model.strings[model.logs.message[target.row]!] || "(empty log)";
      stack = model.logs.stack[target.row]!;
      task = model.logs.task[target.row]!;
      activation = model.logs.activation[target.row]!;
      rows.splice(
        0,
        3,
        ["Category", model.strings[model.logs.category[target.row]!] || "–"],
        ["Time", at(trace, bounds.start)],
      );
      break;
    case "proc":
      title = "Overhead between activations";
      break;
    case "range":
      title = model.strings[model.ranges.name[target.row]!] ?? "Range";
      break;
  }
  if (activation >= 0) rows.push(["Activation", <ActivationLink row={activation} time={bounds.start} />]);
  if (task >= 0) {
    const name = target.kind === "task" ? "Parent task" : "Task";
    rows.push([name, <Link go={() => goTo({ kind: "task", row: task })}>{taskLabel(trace, task)}</Link>]);
  }
  return (
    <div class="details">
      <section class="card">
        <h3>{title}</h3>
        <Facts rows={rows} />
        <p class="buttons">
          <button
            type="button"
            onClick={() =>
              bounds.end > bounds.start
                ? showRange(bounds.start, bounds.end)
                : glideTo({
                    ...view.value,
                    start: bounds.start - (view.value.perPixel * stage.value.width) / 2,
                  })
            }
          >
            {bounds.end > bounds.start ? "Fit" : "Centre"}
          </button>
          {target.kind === "task" && (
            <button
              type="button"
              aria-pressed={onlyTask.value === target.row}
              onClick={() => goToTask(target.row, onlyTask.value !== target.row)}
            >
              Only this task
            </button>
          )}
        </p>
      </section>
      {target.kind === "task" && <TaskMembers trace={trace} task={target.row} />}
      <Stack stack={stack} title="Stack" />
    </div>
  );
}

function TaskMembers(props: { readonly trace: LoadedTrace; readonly task: number }) {
  const { trace, task } = props;
  const { model } = trace;
  const rows = [...activationsOfTask(model, task)].toSorted((a, b) => a - b);
  const bounds = boundsOf({ kind: "task", row: task })!;
  const regions: number[] = [];
  const logs: number[] = [];
  for (let i = 0; i < model.regions.count && regions.length < 50; i++)
    if (model.regions.task[i] === task) regions.push(i);
  for (let i = 0; i < model.logs.count && logs.length < 200; i++)
    if (model.logs.task[i] === task) logs.push(i);
  return (
    <>
      <section class="card">
        <h3>
          Activations <span class="muted">{plural(rows.length, "activation")}</span>
        </h3>
        <ul class="list">
          {rows.slice(0, 50).map((row) => (
            <li key={row}>
              <ActivationLink row={row} time={bounds.start} />
            </li>
          ))}
        </ul>
      </section>
      <Annotations trace={trace} regions={regions} logs={logs} />
    </>
  );
}
