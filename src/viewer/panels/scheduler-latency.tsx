import { useComputed, useSignal } from "@preact/signals";
import { distributionOf } from "../../analysis/distribution.ts";
import { latencyBuckets } from "../../analysis/latency-buckets.ts";
import { extent, goTo, loaded, restedView, stage } from "../app/state.ts";
import { activationOfSpan } from "../core/details.ts";
import { count, duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { longestReady, readySpans } from "../core/scheduler-latency.ts";
import { SortedRows } from "./sorted-rows.tsx";

/** Runs that the list holds at most. */
const LISTED = 10_000;

/** How long what was ready waited for its loop: by buckets, of which one leads to its spans. */
export function SchedulerLatency() {
  const proc = useSignal(-1);
  const whole = useSignal(true);
  const bucket = useSignal<{ readonly from: number; readonly to: number } | null>(null);
  const ready = useComputed(() => {
    const trace = loaded.value;
    if (trace === null) return null;
    const { start, perPixel } = restedView.value;
    const [from, to] = whole.value
      ? [extent.value.start, extent.value.end]
      : [start, start + perPixel * stage.value.width];
    return readySpans(trace.model, from, to, proc.value);
  });
  const spread = useComputed(() =>
    ready.value === null ? null : distributionOf(ready.value.latency.slice()),
  );
  const buckets = useComputed(() => (ready.value === null ? [] : latencyBuckets([...ready.value.latency])));
  const longest = useComputed(() =>
    ready.value === null
      ? new Uint32Array(0)
      : longestReady(ready.value, bucket.value?.from ?? 0, bucket.value?.to ?? Infinity, LISTED),
  );
  const trace = loaded.value;
  if (trace === null || ready.value === null) return null;
  const { model } = trace;
  const { span, latency } = ready.value;
  const most = Math.max(...buckets.value.map((one) => one.count));
  const only = bucket.value;
  const chosen = longest.value;
  return (
    <div class="stacks">
      <div class="controls" role="toolbar" aria-label="Which runs count">
        <label>
          On{" "}
          <select value={proc.value} onChange={(e) => (proc.value = Number(e.currentTarget.value))}>
            <option value={-1}>all loops</option>
            {Array.from(model.procs.name, (name, row) => (
              <option key={row} value={row}>
                {model.strings[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={whole.value}
            onChange={(e) => (whole.value = e.currentTarget.checked)}
          />
          whole trace
        </label>
        {spread.value !== null && (
          <span class="muted">
            {count(spread.value.count)} runs: p50 {duration(spread.value.p50)}, p90{" "}
            {duration(spread.value.p90)}, p99 {duration(spread.value.p99)}, at most{" "}
            {duration(spread.value.max)}
          </span>
        )}
      </div>
      {buckets.value.length === 0 ? (
        <p class="empty">Nothing ran here that had been ready.</p>
      ) : (
        <div class="overview">
          <section class="card">
            <h3>From ready to running</h3>
            <table class="data compact">
              <caption class="hidden">Scheduler latency by buckets</caption>
              <thead>
                <tr>
                  <th scope="col">From</th>
                  <th scope="col" class="number">
                    Count
                  </th>
                  <th scope="col">Share</th>
                </tr>
              </thead>
              <tbody>
                {buckets.value
                  .filter((one) => one.count > 0)
                  .map(({ from, to, count: runs }) => (
                    <tr key={from}>
                      <td>
                        <button
                          type="button"
                          class="link"
                          aria-pressed={only?.from === from}
                          onClick={() => (bucket.value = only?.from === from ? null : { from, to })}
                        >
                          {duration(from)}
                        </button>
                      </td>
                      <td class="number">{count(runs)}</td>
                      <td>
                        <meter
                          class="share"
                          min={0}
                          max={most}
                          value={runs}
                          aria-label={`${runs} of ${most}`}
                        />
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </section>
          <section class="card broad">
            <h3>{only === null ? "Longest first" : `${duration(only.from)} to ${duration(only.to)}`}</h3>
            <SortedRows
              label="Runs that came late"
              name="scheduler-latency"
              columns={[
                {
                  title: "Waited",
                  isNumber: true,
                  cell: (i) => duration(latency[chosen[i]!]!),
                  value: (i) => latency[chosen[i]!]!,
                },
                {
                  title: "Ready at",
                  help: "Since the start of the trace",
                  isNumber: true,
                  cell: (i) => timestamp(model.spans.start[span[chosen[i]!]!]! - model.startTime, 1000),
                  value: (i) => model.spans.start[span[chosen[i]!]!]! - model.startTime,
                },
                {
                  title: "Activation",
                  cell: (i) => activationLabel(model, activationOfSpan(model, span[chosen[i]!]!)),
                  value: (i) => activationLabel(model, activationOfSpan(model, span[chosen[i]!]!)),
                },
              ]}
              count={chosen.length}
              current={-1}
              choose={(i) => goTo({ kind: "span", row: span[chosen[i]!]! })}
              maxRows={9}
            />
          </section>
        </div>
      )}
    </div>
  );
}
