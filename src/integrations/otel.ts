import { inRecording, log, newTask, openRegion } from "../recorder/api.ts";
import type { Task } from "../recorder/api.ts";

/**
 * Spans of OpenTelemetry as tasks and regions.
 *
 * A span whose parent is unknown here, or in another process, is a task. So is any other whose siblings overlap with it:
 * a task of its parent's. A span that begins while its parent is the innermost one open is a region of the parent's task,
 * on the activation that has started it. A name that was seen to overlap is a task from then on, so that spans of one name
 * can be compared. A region that outlives its parent ends with it.
 */
interface OpenSpan {
  readonly name: string;
  /** Its task, if it is one. */
  readonly task: Task | undefined;
  /** The span whose task it is in: itself, or one above it. */
  readonly owner: OpenSpan;
  /** Ends its region, if it is one. */
  readonly end: () => void;
  /** Of a task: the regions that are open in it, innermost last. */
  readonly regions: OpenSpan[];
  isOver: boolean;
}

/** A span's place in a trace, as the API has it. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean | undefined;
}

/** Seconds and nanoseconds. */
type Time = readonly [number, number];

/** A span of OpenTelemetry's SDK, of major version 1 or 2, as far as it is looked at. */
export interface SdkSpan {
  readonly name: string;
  spanContext(): SpanPlace;
  readonly parentSpanContext?: SpanPlace | undefined;
  /** Of version 1. */
  readonly parentSpanId?: string | undefined;
  readonly startTime?: Time | readonly number[];
  readonly attributes?: object;
  readonly events?: readonly {
    readonly name: string;
    readonly time: Time | readonly number[];
    readonly attributes?: object | undefined;
  }[];
  readonly status?: { readonly code: number; readonly message?: string | undefined };
}

/** Spans that are open at the most; the oldest are forgotten. */
const MAX_OPEN = 10_000;
/** Names that are remembered to overlap. */
const MAX_NAMES = 1_000;
/** Events of a span that are logged. */
const MAX_EVENTS = 32;
/** Characters of a message. */
const MAX_TEXT = 1_000;
/** StatusCode.ERROR. */
const ERROR = 2;

const nothing = (): void => {};

/** A span processor, to be given to a tracer provider: `new BasicTracerProvider({ spanProcessors: [new RuntraceSpanProcessor()] })`. */
export class RuntraceSpanProcessor {
  /** By id. */
  readonly #open = new Map<string, OpenSpan>();
  readonly #overlapping = new Set<string>();

  /** The SDK calls it when a span begins. */
  onStart(span: SdkSpan, _parentContext?: unknown): void {
    if (!inRecording()) return;
    const { name } = span;
    const place = span.spanContext();
    const parentId = span.parentSpanContext?.spanId ?? span.parentSpanId;
    const parent = parentId === undefined ? undefined : this.#open.get(parentId);
    const opened = parent === undefined ? this.#root(name, place) : this.#child(name, parent);
    this.#open.set(place.spanId, opened);
    if (this.#open.size > MAX_OPEN) for (const [id, oldest] of this.#open) return this.#close(id, oldest);
  }

  /** The SDK calls it when a span has ended. */
  onEnd(span: SdkSpan): void {
    const id = span.spanContext().spanId;
    const opened = this.#open.get(id);
    if (opened === undefined) return;
    opened.owner.task!.run(() => tell(span));
    this.#close(id, opened);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    for (const [id, opened] of this.#open) this.#close(id, opened);
    return Promise.resolve();
  }

  #root(name: string, { traceId, spanId, traceFlags }: SpanPlace): OpenSpan {
    const opened = asTask(name);
    const flags = traceFlags.toString(16).padStart(2, "0");
    opened.task!.run(() => log("traceparent", `00-${traceId}-${spanId}-${flags}`));
    return opened;
  }

  #child(name: string, parent: OpenSpan): OpenSpan {
    const { owner } = parent;
    const innermost = owner.regions.at(-1) ?? owner;
    if (innermost !== parent || parent.isOver) this.#overlaps(name);
    if (this.#overlapping.has(name) || innermost !== parent || parent.isOver)
      return owner.task!.run(() => asTask(name));
    const end = owner.task!.run(() => openRegion(name));
    const region: OpenSpan = { name, task: undefined, owner, end, regions: [], isOver: false };
    owner.regions.push(region);
    return region;
  }

  #overlaps(name: string): void {
    if (this.#overlapping.size < MAX_NAMES) this.#overlapping.add(name);
  }

  #close(id: string, opened: OpenSpan): void {
    this.#open.delete(id);
    if (opened.isOver) return;
    const { owner } = opened;
    // What is inside of it, innermost first, and then itself.
    const keep = opened === owner ? 0 : owner.regions.indexOf(opened);
    while (owner.regions.length > keep) {
      const region = owner.regions.pop()!;
      if (region !== opened) this.#overlaps(region.name);
      region.isOver = true;
      region.end();
    }
    opened.isOver = true;
    opened.task?.end();
  }
}

function asTask(name: string): OpenSpan {
  const task = newTask(name);
  // It is its own owner.
  const opened: { -readonly [K in keyof OpenSpan]: OpenSpan[K] } = {
    name,
    task,
    owner: undefined as unknown as OpenSpan,
    end: nothing,
    regions: [],
    isOver: false,
  };
  opened.owner = opened;
  return opened;
}

/** Logs what a span has gathered. */
function tell({ attributes = {}, events = [], startTime = [0, 0], status }: SdkSpan): void {
  if (Object.keys(attributes).length > 0) log("attributes", short(attributes));
  for (const event of events.slice(0, MAX_EVENTS)) {
    const after = (ms(event.time) - ms(startTime)).toFixed(1);
    const { attributes: details = {} } = event;
    const more = Object.keys(details).length === 0 ? "" : ` ${short(details)}`;
    log("event", `${event.name} after ${after} ms${more}`);
  }
  if (status?.code === ERROR) log("error", (status.message ?? "").slice(0, MAX_TEXT) || "failed");
}

function ms([seconds = 0, ns = 0]: Time | readonly number[]): number {
  return seconds * 1e3 + ns / 1e6;
}

function short(value: object): string {
  try {
    return JSON.stringify(value).slice(0, MAX_TEXT);
  } catch {
    return "";
  }
}
