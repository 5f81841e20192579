import type { Health } from "../analysis/health.ts";
import type { UtilizationLog } from "../analysis/utilization-log.ts";
import type { TraceModel } from "../model/types.ts";
import type { TraceIndex } from "./core/trace-index.ts";

/** What the page asks of the worker: one trace, from an address of the same origin or from a dropped file. */
export type Request =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "file"; readonly file: File };

/**
 * What the worker answers: `progress` as often as it likes, of a long file a `preview` of its first events once, then one
 * `trace` or `failed`.
 */
export type Answer =
  | { readonly kind: "progress"; readonly stage: string; readonly bytes: number; readonly total: number }
  | { readonly kind: "preview"; readonly trace: LoadedTrace }
  | { readonly kind: "trace"; readonly trace: LoadedTrace }
  | { readonly kind: "failed"; readonly message: string; readonly missing: boolean };

/** A trace ready to draw. */
export interface LoadedTrace {
  readonly name: string;
  /** Size of the file as it was served or dropped. */
  readonly bytes: number;
  /** All traces that the server offers, by name; empty where it does not say. */
  readonly files: readonly string[];
  /** Whether the server tells lines of source. */
  readonly hasSource: boolean;
  readonly model: TraceModel;
  readonly index: TraceIndex;
  readonly health: Health;
  /** What the collector took of the loops, and when. */
  readonly utilization: UtilizationLog;
}
