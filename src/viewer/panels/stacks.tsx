import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import {
  Aggregation,
  Occurrences,
  WakePairs,
  type InSteps,
  type Measure,
  type StackSum,
} from "../../analysis/aggregate.ts";
import { partOf, type Part } from "../../analysis/part.ts";
import { programFrame } from "../../analysis/program-frame.ts";
import { callTree, functionSums, type CallNode } from "../../analysis/call-tree.ts";
import { useInSteps } from "../app/in-steps.ts";
import { activationOf, goTo, loaded, markSpans, onlyTask, selection } from "../app/state.ts";
import { count, duration, percent, plural, shortName } from "../core/format.ts";
import { frameText } from "../core/findings.ts";
import type { LoadedTrace } from "../protocol.ts";
import { DataHead, DataTable, Link } from "./data-table.tsx";
import { Flame } from "./flame.tsx";
import { Check, LoopChoice, Progress, chosenRange } from "./part-controls.tsx";

/**
 * Sums of what is shown, by stack: a flame graph, a tree, a table of functions, and pairs of who waits and who wakes. A
 * choice of one marks where it occurs.
 */

const MEASURE_NAMES: Readonly<Record<Measure, string>> = {
  waiting: "time waiting",
  running: "time running",
  runnable: "time ready to run",
  syscall: "time in system calls",
  samples: "CPU samples",
  waits: "number of waits",
};

const MODES = { flame: "Flame graph", tree: "Tree", top: "Functions", pairs: "Who wakes whom" } as const;
type Mode = keyof typeof MODES;

/** Which activations count. */
type Scope = "all" | "task" | "kind" | "one";

const MARKED = 10_000;
const ROWS = 200;

export function Stacks() {
  const measure = useSignal<Measure>("waiting");
  const mode = useSignal<Mode>("flame");
  const whole = useSignal(false);
  const scope = useSignal<Scope>("all");
  const region = useSignal(-1);
  const inverted = useSignal(false);
  /** Waits for this alone (string index), -1 for all. */
  const waitedFor = useSignal(-1);
  const wanted = useSignal("");

  const proc = useSignal(-1);
  const part = useComputed(() => {
    const trace = loaded.value;
    if (trace === null) return null;
    return partOf(trace.model, ...chosenRange(whole.value), {
      rows: scopeRows(scope.value),
      task: scope.value === "task" ? onlyTask.value : -1,
      region: region.value,
      proc: proc.value,
    });
  });
  const summed = useInSteps<StackSum[]>(() => {
    const reason = isWait(measure.value) ? waitedFor.value : -1;
    const of = part.value;
    return of === null ? null : new Aggregation(loaded.peek()!.model, of, measure.value, reason);
  });
  const sums = useComputed(() => summed.value.value ?? []);
  const tree = useComputed(() =>
    loaded.value === null ? null : callTree(loaded.value.model, sums.value, inverted.value),
  );
  /** Of what was chosen last, where it is. */
  const wantedMarks = useSignal<InSteps<number[]> | null>(null);
  const marks = useInSteps(() => wantedMarks.value);
  useSignalEffect(() => {
    if (marks.value.value !== null && marks.value.progress === 1) markSpans(marks.value.value);
  });

  const trace = loaded.value;
  if (trace === null || tree.value === null || part.value === null) return null;
  const { model } = trace;
  const show = (value: number): string =>
    measure.value === "samples" || measure.value === "waits" ? count(value) : duration(value);
  const mark = (of: readonly number[]): void => {
    const chosen = of.map((i) => sums.value[i]!);
    const keys = new Set(chosen.map(({ stack, entry, reason }) => `${stack} ${entry} ${reason}`));
    const isIn = (stack: number, entry: number, reason: number): boolean =>
      keys.has(`${stack} ${entry} ${reason}`);
    wantedMarks.value = new Occurrences(model, part.value!, measure.value, isIn, MARKED);
  };
  const regions = regionNames(trace);
  const selected = selection.value === null ? -1 : activationOf(selection.value);
  return (
    <div class="stacks">
      <div class="controls" role="toolbar" aria-label="What is summed">
        <label>
          Sum{" "}
          <select value={measure.value} onChange={(e) => (measure.value = e.currentTarget.value as Measure)}>
            {Object.entries(MEASURE_NAMES).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          of{" "}
          <select value={scope.value} onChange={(e) => (scope.value = e.currentTarget.value as Scope)}>
            <option value="all">all activations</option>
            <option value="task" disabled={onlyTask.value < 0}>
              the task shown alone
            </option>
            <option value="kind" disabled={selected < 0}>
              activations like the selected one
            </option>
            <option value="one" disabled={selected < 0}>
              the selected activation
            </option>
          </select>
        </label>
        {isWait(measure.value) && (
          <label>
            for{" "}
            <select
              value={waitedFor.value}
              onChange={(e) => (waitedFor.value = Number(e.currentTarget.value))}
            >
              <option value={-1}>anything</option>
              {waitReasons(trace).map((name) => (
                <option key={name} value={name}>
                  {model.strings[name]}
                </option>
              ))}
            </select>
          </label>
        )}
        {regions.length > 0 && (
          <label>
            in{" "}
            <select value={region.value} onChange={(e) => (region.value = Number(e.currentTarget.value))}>
              <option value={-1}>and out of regions</option>
              {regions.map((name) => (
                <option key={name} value={name}>
                  region {model.strings[name]}
                </option>
              ))}
            </select>
          </label>
        )}
        {model.procs.count > 1 && <LoopChoice of={proc} />}
        <Check of={whole}>whole trace</Check>
        <label>
          Show{" "}
          <select value={mode.value} onChange={(e) => (mode.value = e.currentTarget.value as Mode)}>
            {Object.entries(MODES).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {(mode.value === "flame" || mode.value === "tree") && (
          <Check of={inverted} title="From the innermost function up">
            inverted
          </Check>
        )}
        <input
          type="search"
          placeholder="Function"
          aria-label="Search functions"
          value={wanted.value}
          onInput={(e) => (wanted.value = e.currentTarget.value)}
        />
        <Progress of={Math.min(summed.value.progress, marks.value.progress)} />
      </div>
      {tree.value.total === 0 && summed.value.progress === 1 && mode.value !== "pairs" ? (
        <p class="empty">
          Nothing of that here: there is no {MEASURE_NAMES[measure.value]} in what is summed.
        </p>
      ) : (
        <>
          {mode.value === "flame" && (
            <Flame root={tree.value} wanted={wanted.value} show={show} mark={mark} />
          )}
          {mode.value === "tree" && <Tree root={tree.value} wanted={wanted.value} show={show} mark={mark} />}
          {mode.value === "top" && (
            <Top trace={trace} sums={sums.value} wanted={wanted.value} show={show} mark={mark} />
          )}
          {mode.value === "pairs" && <Pairs trace={trace} part={part.value} wanted={wanted.value} />}
        </>
      )}
    </div>
  );
}

function scopeRows(scope: Scope): ReadonlySet<number> | null {
  const model = loaded.value?.model;
  if (model === undefined || scope === "all") return null;
  if (scope === "task") return null;
  const one = selection.value === null ? -1 : activationOf(selection.value);
  if (one < 0) return null;
  if (scope === "one") return new Set([one]);
  const { name, count: all } = model.activations;
  return new Set(Array.from({ length: all }, (_, row) => row).filter((row) => name[row] === name[one]));
}

function isWait(measure: Measure): boolean {
  return measure === "waiting" || measure === "waits";
}

/** Reasons of waits that the trace has (string indexes), by name. */
function waitReasons({ model, health }: LoadedTrace): number[] {
  const told = new Set(health.waits.map((wait) => wait.reason));
  return [...told].toSorted().map((name) => model.strings.indexOf(name));
}

function regionNames({ model }: LoadedTrace): number[] {
  return [...new Set(model.regions.name)].toSorted((a, b) =>
    model.strings[a]! < model.strings[b]! ? -1 : 1,
  );
}

interface ListProps {
  readonly wanted: string;
  readonly show: (value: number) => string;
  readonly mark: (sums: readonly number[]) => void;
}

/** The tree, level by level: what is open shows its children. */
function Tree({ root, wanted, show, mark }: ListProps & { readonly root: CallNode }) {
  const open = useSignal<ReadonlySet<CallNode>>(new Set());
  const lines: { node: CallNode; depth: number }[] = [];
  const text = wanted.toLowerCase();
  const walk = (node: CallNode, depth: number): void => {
    for (const child of node.children) {
      if (lines.length >= ROWS) return;
      lines.push({ node: child, depth });
      // A search opens what leads to it; a path without a choice is followed.
      const leads = text !== "" && contains(child, text);
      if (open.value.has(child) || leads || (node.children.length === 1 && depth < 30))
        walk(child, depth + 1);
    }
  };
  walk(root, 0);
  return (
    <table class="data" role="treegrid">
      <caption class="hidden">Tree of calls</caption>
      <DataHead
        columns={[
          "Function",
          ["#Total", "With all that it calls"],
          ["#Share", "Total / sum of everything"],
          ["#Self", "In the function itself"],
        ]}
      />
      <tbody>
        {lines.map(({ node, depth }, i) => (
          <tr
            key={i}
            aria-level={depth + 1}
            class={text !== "" && isMatch(node.func, text) ? "match" : undefined}
          >
            <th scope="row" style={{ paddingLeft: `${14 + depth * 14}px` }}>
              <button
                type="button"
                class={node.children.length > 0 ? "disclosure" : "leaf"}
                aria-expanded={node.children.length > 0 ? open.value.has(node) : undefined}
                title={frameText(node)}
                onClick={() => {
                  const next = new Set(open.value);
                  if (!next.delete(node)) next.add(node);
                  open.value = next;
                  mark(node.sums);
                }}
              >
                {frameText(node)}
              </button>
            </th>
            <td class="number">{show(node.total)}</td>
            <td class="number">{percent(node.total / root.total)}</td>
            <td class="number">{show(node.self)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function isMatch(func: string, text: string): boolean {
  return func.toLowerCase().includes(text);
}

function contains(node: CallNode, text: string): boolean {
  return node.children.some((child) => isMatch(child.func, text) || contains(child, text));
}

/** Functions, what is in themselves first. */
function Top(
  props: ListProps & {
    readonly trace: LoadedTrace;
    readonly sums: readonly Parameters<typeof functionSums>[1][number][];
  },
) {
  const { trace, sums, wanted, show, mark } = props;
  const text = wanted.toLowerCase();
  const all = functionSums(trace.model, sums).filter(({ func }) => isMatch(func, text));
  const total = sums.reduce((sum, { value }) => sum + value, 0);
  return (
    <>
      <DataTable
        label="Functions"
        rowHead
        columns={[
          "Function",
          ["#Self", "In the function itself"],
          ["#Share", "Self / sum of everything"],
          ["#Total", "With all that it calls; recursion counts once"],
          ["#Share", "Total / sum of everything"],
        ]}
        rows={all.slice(0, ROWS).map((one) => [
          <Link title={one.file} go={() => mark(one.sums)}>
            {frameText(one)}
          </Link>,
          show(one.self),
          percent(one.self / total),
          show(one.total),
          percent(one.total / total),
        ])}
      />
      {all.length > ROWS && <p class="muted">and {plural(all.length - ROWS, "more function")}</p>}
    </>
  );
}

/** Where activations wait and who wakes them there, by the time that was waited. */
function Pairs(props: { readonly trace: LoadedTrace; readonly part: Part; readonly wanted: string }) {
  const { trace, wanted } = props;
  const { model } = trace;
  const part = useSignal(props.part);
  part.value = props.part;
  const pairs = useInSteps(() => new WakePairs(model, part.value));
  const text = wanted.toLowerCase();
  const place = (stack: number): string => {
    const frame = programFrame(model.stacks[stack]!);
    return frame === undefined ? "(no stack)" : frameText(frame);
  };
  const { value, progress } = pairs.value;
  if (value === null || progress < 1) return <Progress of={progress} />;
  const all = value.filter(
    ({ waiting, waking }) => text === "" || isMatch(place(waiting), text) || isMatch(place(waking), text),
  );
  if (all.length === 0)
    return <p class="empty">Nobody wakes anybody here. (Timers and the network are nobody.)</p>;
  return (
    <DataTable
      label="Who wakes whom"
      rowHead
      columns={[
        ["Waits at", "The program's innermost function where it waited"],
        ["for", "The reason of the wait"],
        ["until woken at", "The program's innermost function that woke it"],
        ["#Waited", "Sum of the waits"],
        ["#Times", "Number of the waits"],
        ["#Longest", "A click leads there"],
      ]}
      rows={all
        .slice(0, ROWS)
        .map((pair) => [
          place(pair.waiting),
          shortName(model.strings[pair.reason]!),
          place(pair.waking),
          duration(pair.total),
          count(pair.count),
          <Link go={() => goTo({ kind: "span", row: pair.span })}>{duration(pair.longest)}</Link>,
        ])}
    />
  );
}
