import { useComputed, useSignal } from "@preact/signals";
import { aggregate, occurrences, partOf, wakePairs, type Measure } from "../../analysis/aggregate.ts";
import { programFrame } from "../../analysis/program-frame.ts";
import { callTree, functionSums, type CallNode } from "../../analysis/call-tree.ts";
import {
  activationOf,
  extent,
  goTo,
  loaded,
  markSpans,
  onlyTask,
  restedView,
  selection,
  stage,
} from "../app/state.ts";
import { count, duration, percent, plural, shortName } from "../core/format.ts";
import { activationsOfTask } from "../core/stats.ts";
import { frameText } from "../core/findings.ts";
import type { LoadedTrace } from "../protocol.ts";
import { Flame } from "./flame.tsx";

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

  const rows = useComputed(() => scopeRows(scope.value));
  const part = useComputed(() => {
    const trace = loaded.value;
    if (trace === null) return null;
    const { start, perPixel } = restedView.value;
    const [from, to] = whole.value
      ? [extent.value.start, extent.value.end]
      : [start, start + perPixel * stage.value.width];
    return partOf(trace.model, from, to, rows.value, region.value);
  });
  const sums = useComputed(() =>
    loaded.value === null || part.value === null
      ? []
      : aggregate(
          loaded.value.model,
          part.value,
          measure.value,
          isWait(measure.value) ? waitedFor.value : -1,
        ),
  );
  const tree = useComputed(() =>
    loaded.value === null ? null : callTree(loaded.value.model, sums.value, inverted.value),
  );

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
    markSpans(occurrences(model, part.value!, measure.value, isIn, MARKED));
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
        <label>
          <input
            type="checkbox"
            checked={whole.value}
            onChange={(e) => (whole.value = e.currentTarget.checked)}
          />{" "}
          whole trace
        </label>
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
          <label>
            <input
              type="checkbox"
              checked={inverted.value}
              onChange={(e) => (inverted.value = e.currentTarget.checked)}
            />{" "}
            inverted
          </label>
        )}
        <input
          type="search"
          placeholder="Function"
          aria-label="Search functions"
          value={wanted.value}
          onInput={(e) => (wanted.value = e.currentTarget.value)}
        />
      </div>
      {tree.value.total === 0 && mode.value !== "pairs" ? (
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
  if (scope === "task") return onlyTask.value < 0 ? null : activationsOfTask(model, onlyTask.value);
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
      <thead>
        <tr>
          <th scope="col">Function</th>
          <th scope="col" class="number" title="With all that it calls">
            Total
          </th>
          <th scope="col" class="number">
            Share
          </th>
          <th scope="col" class="number" title="In the function itself">
            Self
          </th>
        </tr>
      </thead>
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
      <table class="data">
        <caption class="hidden">Functions</caption>
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number" title="In the function itself">
              Self
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number" title="With all that it calls; recursion counts once">
              Total
            </th>
            <th scope="col" class="number">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {all.slice(0, ROWS).map((one) => (
            <tr key={`${one.func} ${one.file}`}>
              <th scope="row">
                <button type="button" class="link" title={one.file} onClick={() => mark(one.sums)}>
                  {frameText(one)}
                </button>
              </th>
              <td class="number">{show(one.self)}</td>
              <td class="number">{percent(one.self / total)}</td>
              <td class="number">{show(one.total)}</td>
              <td class="number">{percent(one.total / total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > ROWS && <p class="muted">and {plural(all.length - ROWS, "more function")}</p>}
    </>
  );
}

/** Where activations wait and who wakes them there, by the time that was waited. */
function Pairs(props: {
  readonly trace: LoadedTrace;
  readonly part: Parameters<typeof wakePairs>[1];
  readonly wanted: string;
}) {
  const { trace, part, wanted } = props;
  const { model } = trace;
  const text = wanted.toLowerCase();
  const place = (stack: number): string => {
    const frame = programFrame(model.stacks[stack]!);
    return frame === undefined ? "(no stack)" : frameText(frame);
  };
  const all = wakePairs(model, part).filter(
    ({ waiting, waking }) => text === "" || isMatch(place(waiting), text) || isMatch(place(waking), text),
  );
  if (all.length === 0) return <p class="empty">Nobody wakes anybody here.</p>;
  return (
    <table class="data">
      <caption class="hidden">Who wakes whom</caption>
      <thead>
        <tr>
          <th scope="col">Waits at</th>
          <th scope="col">for</th>
          <th scope="col">until woken at</th>
          <th scope="col" class="number">
            Waited
          </th>
          <th scope="col" class="number">
            Times
          </th>
          <th scope="col" class="number">
            Longest
          </th>
        </tr>
      </thead>
      <tbody>
        {all.slice(0, ROWS).map((pair) => (
          <tr key={`${pair.waiting} ${pair.waking} ${pair.reason}`}>
            <th scope="row">{place(pair.waiting)}</th>
            <td>{shortName(model.strings[pair.reason]!)}</td>
            <td>{place(pair.waking)}</td>
            <td class="number">{duration(pair.total)}</td>
            <td class="number">{count(pair.count)}</td>
            <td class="number">
              <button type="button" class="link" onClick={() => goTo({ kind: "span", row: pair.span })}>
                {duration(pair.longest)}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
