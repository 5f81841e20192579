import { useComputed, useSignal } from "@preact/signals";
import { rangeSummaries } from "../../analysis/gc.ts";
import { mmuReport, type MmuReport } from "../../analysis/mmu-report.ts";
import { loaded, showRange } from "../app/state.ts";
import { count, duration, percent, timestamp } from "../core/format.ts";
import { DataTable, Link } from "./data-table.tsx";
import { Check } from "./part-controls.tsx";

/** What garbage collection takes: minimum mutator utilization, its worst windows, and the ranges of collections. */

const FLAGS = {
  stw: ["stop-the-world", "Everything stands still"],
  background: ["background workers", "Loops (procs) given to marking"],
  assist: ["mark assist", "Activations that mark before they may allocate"],
  sweep: ["sweep", "Loops (procs) that sweep"],
} as const;
type Flag = keyof typeof FLAGS;

const WINDOWS = [1e5, 1e6, 1e7, 1e8, 1e9];

export function Collections() {
  const flags = useSignal<Readonly<Record<Flag, boolean>>>({
    stw: true,
    background: true,
    assist: true,
    sweep: false,
  });
  const perProc = useSignal(false);
  const quantiles = useSignal(false);
  const window = useSignal<number | null>(null);
  const report = useComputed(() => {
    const trace = loaded.value;
    if (trace === null || !trace.utilization.hasProcs) return null;
    const request = {
      flags: { ...flags.value, perProc: perProc.value },
      quantiles: quantiles.value,
      window: window.value,
    };
    return mmuReport(trace.utilization, request)?.report ?? null;
  });
  const trace = loaded.value;
  if (trace === null) return null;
  const { model } = trace;
  const ranges = rangeSummaries(model);
  const now = report.value;
  return (
    <div class="stacks">
      <div class="controls" role="toolbar" aria-label="What counts as taken from the program">
        {Object.entries(FLAGS).map(([flag, [name, help]]) => (
          <label key={flag} title={help}>
            <input
              type="checkbox"
              checked={flags.value[flag as Flag]}
              onChange={(e) => (flags.value = { ...flags.value, [flag]: e.currentTarget.checked })}
            />
            {name}
          </label>
        ))}
        <Check of={perProc} title="The worst of all loops (procs) instead of their mean">
          each loop by itself
        </Check>
        <Check of={quantiles} title="In all but 5, 1 and 0.1 % of the windows utilization is higher">
          percentiles
        </Check>
        <label>
          Worst windows of{" "}
          <select
            value={String(window.value)}
            onChange={(e) =>
              (window.value = e.currentTarget.value === "null" ? null : Number(e.currentTarget.value))
            }
          >
            <option value="null">a fitting length</option>
            {WINDOWS.map((length) => (
              <option key={length} value={length}>
                {duration(length)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="overview">
        <section class="card">
          <h3>Minimum mutator utilization</h3>
          {now === null ? (
            <p class="muted">The trace does not tell how many loops (procs) there are.</p>
          ) : (
            <>
              <p class="muted">
                The least share of the loops that was left to the program in any window of a length;{" "}
                {percent(now.mean)} on average.
              </p>
              <Curve of={now} />
            </>
          )}
        </section>
        {now !== null && now.worst.length > 0 && (
          <section class="card">
            <h3>Worst windows of {duration(now.window)}</h3>
            <DataTable
              label="Worst windows"
              columns={["From", ["#Utilization", "Share of the loops that was left to the program"]]}
              rows={now.worst.map(({ time, utilization }) => [
                <Link go={() => showRange(time, time + now.window)}>
                  {timestamp(time - model.startTime, 1000)}
                </Link>,
                percent(utilization),
              ])}
            />
          </section>
        )}
        <section class="card">
          <h3>Collections and stops</h3>
          {ranges.length === 0 ? (
            <p class="muted">None in this trace.</p>
          ) : (
            <DataTable
              label="Collections and stops"
              columns={["Range", "#Count", "#Total", "#Longest"]}
              rows={ranges.map((range) => [
                range.name,
                count(range.count),
                duration(range.total),
                duration(range.longest),
              ])}
            />
          )}
        </section>
      </div>
    </div>
  );
}

const WIDTH = 420;
const HEIGHT = 170;
const LEFT = 42;
const BOTTOM = 20;

/** The curve over windows of all lengths, on a logarithmic axis; one line a percentile. */
function Curve(props: { readonly of: MmuReport }) {
  const { curve, xMin, xMax, quantiles } = props.of;
  const [from, to] = [Math.log(xMin), Math.log(xMax)];
  const x = (window: number): number =>
    LEFT + ((Math.log(window) - from) / Math.max(to - from, 1e-9)) * (WIDTH - LEFT - 8);
  const y = (value: number): number => 6 + (1 - value) * (HEIGHT - BOTTOM - 6);
  const columns = curve[0] === undefined ? 0 : curve[0].length - 1;
  const names = quantiles === null ? ["minimum"] : ["minimum", "99.9 %", "99 %", "95 %"];
  const decades: number[] = [];
  for (let window = 10 ** Math.ceil(Math.log10(xMin)); window <= xMax; window *= 10) decades.push(window);
  const said = curve
    .filter((_, i) => i % 25 === 0)
    .map((row) => `${duration(row[0]!)}: ${percent(row[1]!)}`)
    .join(", ");
  return (
    <figure class="curve">
      <svg
        class="mmu"
        width={WIDTH}
        height={HEIGHT}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Minimum by length of the window: ${said}`}
      >
        {[0, 0.25, 0.5, 0.75, 1].map((value) => (
          <g key={value}>
            <line class="grid" x1={LEFT} x2={WIDTH - 8} y1={y(value)} y2={y(value)} />
            <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {value * 100} %
            </text>
          </g>
        ))}
        {decades.map((window) => (
          <text key={window} x={x(window)} y={HEIGHT - 4} text-anchor="middle">
            {duration(window)}
          </text>
        ))}
        {Array.from({ length: columns }, (_, column) => (
          <polyline
            key={column}
            class={`line line-${column}`}
            points={curve
              .map((row) => `${x(row[0]!).toFixed(1)},${y(row[column + 1]!).toFixed(1)}`)
              .join(" ")}
          >
            <title>{names[column]}</title>
          </polyline>
        ))}
      </svg>
      {columns > 1 && (
        <figcaption>
          From below: {names.slice(0, columns).join(", ")} of all windows are above the line.
        </figcaption>
      )}
    </figure>
  );
}
