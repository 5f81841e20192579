import { TraceError } from "../base/error.ts";
import { parseHeader } from "../decode/header.ts";
import type { ByteSource } from "../decode/source.ts";
import { OrderedReader } from "../order/reader.ts";
import type { OrderedEvent } from "../order/types.ts";
import { ActivationRecorder } from "./activations.ts";
import { AnnotationRecorder } from "./annotations.ts";
import { FloatColumn, IntColumn, renumber } from "./columns.ts";
import { StackInterner, StringInterner } from "./interner.ts";
import { loopNames } from "./notes.ts";
import { HEADER_SIZE } from "../wire/format.ts";
import { RangeRecorder, RangeScope } from "./ranges.ts";
import { ProcSpanLog, SpanLog } from "./span-log.ts";
import type { SpanSinks } from "./span-log.ts";
import type { TraceModel } from "./types.ts";

/**
 * Builds a model from ordered events: hand every event to `event`, then call `finish` once. The events may be one
 * object that changes: what is kept is copied.
 */
export class ModelBuilder {
  readonly #strings = new StringInterner();
  readonly #stacks = new StackInterner();
  readonly #activations: ActivationRecorder;
  readonly #annotations = new AnnotationRecorder(this.#strings, this.#stacks);
  readonly #ranges = new RangeRecorder();

  readonly #sampleTime = new FloatColumn();
  readonly #sampleActivation = new IntColumn();
  readonly #sampleProc = new IntColumn();
  readonly #sampleStack = new IntColumn();

  readonly #metricName = new IntColumn();
  readonly #metricTime = new FloatColumn();
  readonly #metricValue = new FloatColumn();

  #events = 0;
  #startTime = 0;
  #endTime = 0;

  /** `sinks`: where spans go; without them, into the model. */
  constructor(sinks: SpanSinks = { spans: new SpanLog(), procSpans: new ProcSpanLog() }) {
    this.#activations = new ActivationRecorder(this.#strings, this.#stacks, sinks);
  }

  /** Events taken so far. */
  get events(): number {
    return this.#events;
  }

  event(e: OrderedEvent): void {
    if (this.#events === 0) {
      this.#startTime = e.time;
      this.#activations.begin(e.time);
    }
    this.#events++;
    this.#endTime = e.time;
    switch (e.kind) {
      case "Sync":
        this.#activations.syncTime = e.time;
        this.#stacks.nextGeneration();
        break;
      case "StateTransition":
        this.#transition(e);
        break;
      case "Metric":
        this.#metricName.push(this.#strings.row(e.name));
        this.#metricTime.push(e.time);
        this.#metricValue.push(e.value);
        break;
      case "StackSample":
        this.#sampleTime.push(e.time);
        this.#sampleActivation.push(this.#activations.activation(e.goroutine));
        this.#sampleProc.push(this.#activations.proc(e.proc));
        this.#sampleStack.push(this.#stacks.row(e.stack));
        break;
      case "RangeBegin":
        this.#ranges.begin(this.#strings.row(e.name), scopeOf(e), this.#scopeRow(e), e.time);
        break;
      case "RangeActive":
        this.#ranges.begin(
          this.#strings.row(e.name),
          scopeOf(e),
          this.#scopeRow(e),
          this.#activations.syncTime,
        );
        break;
      case "RangeEnd":
        this.#ranges.end(this.#strings.row(e.name), scopeOf(e), this.#scopeRow(e), e.time);
        break;
      case "TaskBegin":
        this.#annotations.taskBegin(e, this.#activations.activation(e.goroutine));
        break;
      case "TaskEnd":
        this.#annotations.taskEnd(e);
        break;
      case "RegionBegin":
        this.#annotations.regionBegin(e, this.#activations.activation(e.goroutine));
        break;
      case "RegionEnd":
        this.#annotations.regionEnd(e, this.#activations.activation(e.goroutine));
        break;
      case "Log":
        this.#annotations.log(e, this.#activations.activation(e.goroutine));
        break;
      case "Label":
      case "Experimental":
        break;
    }
  }

  #transition(e: OrderedEvent): void {
    if (e.resource === "goroutine") {
      const ended = this.#activations.goroutineTransition(e);
      if (ended >= 0) this.#annotations.activationEnded(ended, e.time);
    } else if (e.resource === "proc") {
      this.#activations.procTransition(e);
    }
  }

  #scopeRow(e: OrderedEvent): number {
    if (e.scope === "goroutine") return this.#activations.activation(e.scopeId);
    return e.scope === "proc" ? this.#activations.proc(e.scopeId) : -1;
  }

  /**
   * The model of the events so far; call it once. `error` is the reader's, where the file broke. `version` is the
   * minor version of the file's header.
   */
  finish(error: TraceModel["error"], version: number): TraceModel {
    const names = loopNames(this.#annotations.notes);
    const { activationPlace, procPlace, ...tables } = this.#activations.finish(
      this.#endTime,
      (id) => names.get(id) ?? `proc ${id}`,
    );
    return {
      version,
      events: this.#events,
      startTime: this.#startTime,
      endTime: this.#endTime,
      ...tables,
      ...this.#annotations.finish(activationPlace),
      ranges: this.#ranges.finish(this.#endTime, activationPlace, procPlace),
      samples: {
        count: this.#sampleTime.length,
        time: this.#sampleTime.take(),
        activation: renumber(this.#sampleActivation.take(), activationPlace),
        proc: renumber(this.#sampleProc.take(), procPlace),
        stack: this.#sampleStack.take(),
      },
      metrics: {
        count: this.#metricName.length,
        name: this.#metricName.take(),
        time: this.#metricTime.take(),
        value: this.#metricValue.take(),
      },
      strings: this.#strings.strings,
      stacks: this.#stacks.stacks,
      error,
    };
  }
}

function scopeOf(e: OrderedEvent): number {
  if (e.scope === "goroutine") return RangeScope.Activation;
  return e.scope === "proc" ? RangeScope.Proc : RangeScope.Global;
}

/**
 * Reads a trace to its end or to where it breaks. Never throws for what is in the file: `error` of the model says
 * what was wrong, also where Go's tools pass over lost bytes in silence, and the tables hold everything before it.
 * Errors of the source itself that are not TraceErrors go through. `sinks`: where spans go instead of into the model,
 * which then has none.
 */
export function buildModel(source: ByteSource, sinks?: SpanSinks): TraceModel {
  const building = new Building(source, sinks);
  while (building.step(Infinity));
  return building.finish();
}

export interface BuildOptions {
  /** Lets others have the thread: resolves when it is this one's turn again. */
  pause(): Promise<void>;
  readonly sinks?: SpanSinks;
  /** Who else is given every event, to keep of it what it copies. */
  also?(e: OrderedEvent): void;
  /** Told every 50 ms or so: bytes read and events taken so far. */
  progress?(bytes: number, events: number): void;
  /** Ends the building: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** `buildModel` that lets others have the thread every 50 ms or so, shows progress and can be cancelled. */
export async function buildModelInSteps(source: ByteSource, options: BuildOptions): Promise<TraceModel> {
  const { signal } = options;
  signal?.throwIfAborted();
  const building = new Building(source, options.sinks, (e) => options.also?.(e));
  let paused = performance.now();
  while (building.step(STEP_EVENTS)) {
    if (performance.now() - paused < PAUSE_MS) continue;
    options.progress?.(building.bytes, building.events);
    await options.pause();
    signal?.throwIfAborted();
    paused = performance.now();
  }
  return building.finish();
}

const PAUSE_MS = 50;
const STEP_EVENTS = 1 << 9;

/** A model on its way. */
class Building {
  readonly #builder: ModelBuilder;
  readonly #header: HeaderTap;
  #reader: OrderedReader | null = null;
  #error: TraceModel["error"] = null;
  readonly #visit: (e: OrderedEvent) => void;

  constructor(source: ByteSource, sinks?: SpanSinks, also?: (e: OrderedEvent) => void) {
    this.#builder = new ModelBuilder(sinks);
    this.#header = new HeaderTap(source);
    const builder = this.#builder;
    this.#visit =
      also === undefined
        ? (e) => builder.event(e)
        : (e) => {
            builder.event(e);
            also(e);
          };
  }

  /** Takes some `limit` events; false once there are no more. */
  step(limit: number): boolean {
    try {
      this.#reader ??= new OrderedReader(this.#header, this.#visit);
      if (this.#reader.step(limit)) return true;
      this.#error = this.#reader.summary().damage;
    } catch (cause) {
      if (!(cause instanceof TraceError)) throw cause;
      this.#error = { message: cause.message, offset: cause.offset ?? 0 };
    }
    return false;
  }

  get bytes(): number {
    return this.#reader?.summary().bytes ?? 0;
  }

  get events(): number {
    return this.#builder.events;
  }

  finish(): TraceModel {
    return this.#builder.finish(this.#error, this.#header.version);
  }
}

/** A source that remembers the header of what went through it: a reader that fails does not tell the version. */
class HeaderTap implements ByteSource {
  readonly #source: ByteSource;
  readonly #header = new Uint8Array(HEADER_SIZE);
  #length = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(): Uint8Array | null {
    const piece = this.#source.read();
    if (piece !== null && this.#length < HEADER_SIZE) {
      const part = piece.subarray(0, HEADER_SIZE - this.#length);
      this.#header.set(part, this.#length);
      this.#length += part.length;
    }
    return piece;
  }

  /** Minor version of the header, 0 where there is none. */
  get version(): number {
    return parseHeader(this.#header.subarray(0, this.#length)) ?? 0;
  }
}
