import { useComputed, useSignal } from "@preact/signals";
import { distributionOf } from "../../analysis/distribution.ts";
import { latencyBuckets, type LatencyBucket } from "../../analysis/latency-buckets.ts";
import { partOf } from "../../analysis/part.ts";
import { useInSteps } from "../app/in-steps.ts";
import { goTo, loaded } from "../app/state.ts";
import { activationOfSpan } from "../core/details.ts";
import { count, duration, timestamp } from "../core/format.ts";
import { activationLabel } from "../core/scene.ts";
import { ReadyWalk, longestReady } from "../core/scheduler-latency.ts";
import { DataTable } from "./data-table.tsx";
import { Check, LoopChoice, Progress, chosenRange } from "./part-controls.tsx";
import { SortedRows } from "./sorted-rows.tsx";

/** Runs that the list holds at most. */
const LISTED = 10_000;

/** How long what was ready waited for its loop: by buckets, of which one leads to its spans. */
export function SchedulerLatency() {
  const proc = useSignal(-1);
  const whole = useSignal(true);
  const bucket = useSignal<{ readonly from: number; readonly to: number } | null>(null);
  const walk = useInSteps(() => {
    const trace = loaded.value;
    if (trace === null) return null;
    return new ReadyWalk(trace.model, partOf(trace.model, ...chosenRange(whole.value), { proc: proc.value }));
  });
  const ready = useComputed(() => walk.value.value);
  const spread = useComputed(() =>
    ready.value === null ? null : distributionOf(ready.value.latency.slice()),
  );
  const buckets = useComputed(() =>
    ready.value === null ? [] : withoutTwins(latencyBuckets(ready.value.latency)),
  );
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
        <LoopChoice of={proc} />
        <Check of={whole}>whole trace</Check>
        <Progress of={walk.value.progress} />
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
            <DataTable
              label="Scheduler latency by buckets"
              columns={[
                ["From", "The least latency of the bucket; a click lists its runs"],
                "#Count",
                "Share",
              ]}
              rows={buckets.value
                .filter((one) => one.count > 0)
                .map(({ from, to, count: runs }) => [
                  <button
                    type="button"
                    class="link"
                    aria-pressed={only?.from === from}
                    onClick={() => (bucket.value = only?.from === from ? null : { from, to })}
                  >
                    {duration(from)}
                  </button>,
                  count(runs),
                  <meter class="share" min={0} max={most} value={runs} aria-label={`${runs} of ${most}`} />,
                ])}
            />
          </section>
          <section class="card broad">
            <h3>{only === null ? "Longest first" : `${duration(only.from)} to ${duration(only.to)}`}</h3>
            <SortedRows
              label="Runs that came late"
              name="scheduler-latency"
              columns={[
                {
                  title: "Waited",
                  help: "From ready to running",
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
                  help: "The one that ran late",
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

/** Go's first buckets begin at the same whole nanosecond: they are one. */
function withoutTwins(buckets: readonly LatencyBucket[]): LatencyBucket[] {
  const found: LatencyBucket[] = [];
  for (const bucket of buckets) {
    const last = found.at(-1);
    if (last?.from !== bucket.from) found.push(bucket);
    else found[found.length - 1] = { ...bucket, count: last.count + bucket.count };
  }
  return found;
}
