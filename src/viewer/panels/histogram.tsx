import { duration } from "../core/format.ts";
import { logHistogram, type Distribution } from "../core/stats.ts";

const BUCKETS = 28;
const WIDTH = 140;
const HEIGHT = 20;

/**
 * A small histogram on a logarithmic axis shared by all rows of a table (`low` to `high`). `choose` is told the ends of a bar
 * that is clicked.
 */
export function Histogram(props: {
  readonly of: Distribution;
  readonly low: number;
  readonly high: number;
  readonly choose: (from: number, to: number) => void;
}) {
  const { of, low, high, choose } = props;
  if (of.sorted.length === 0) return <span class="muted">–</span>;
  const counts = logHistogram(of.sorted, low, high, BUCKETS);
  const peak = Math.max(...counts);
  const step = WIDTH / BUCKETS;
  const from = Math.log(Math.max(low, 1));
  const to = Math.log(Math.max(high, 2));
  const mark = (value: number): number =>
    ((Math.log(Math.max(value, 1)) - from) / Math.max(to - from, 1e-9)) * WIDTH;
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`Latencies from ${duration(of.sorted[0]!)} to ${duration(of.max)}, median ${duration(of.p50)}`}
    >
      <rect class="histogram-base" x={0} y={HEIGHT - 1} width={WIDTH} height={1} />
      {Array.from(counts, (value, i) => {
        if (value === 0) return null;
        const tall = Math.max(2, Math.sqrt(value / peak) * (HEIGHT - 1));
        const edge = (bucket: number): number => Math.exp(from + ((to - from) * bucket) / BUCKETS);
        return (
          <g key={i} class="histogram-step" onClick={() => choose(i === 0 ? 0 : edge(i), edge(i + 1))}>
            <rect class="histogram-room" x={i * step} y={0} width={step} height={HEIGHT} />
            <rect class="histogram-bar" x={i * step} y={HEIGHT - tall} width={step - 1} height={tall} />
          </g>
        );
      })}
      <rect class="histogram-mark" x={mark(of.p50)} y={0} width={1} height={HEIGHT} />
      <rect class="histogram-mark" x={mark(of.p99)} y={0} width={1} height={HEIGHT} />
    </svg>
  );
}
