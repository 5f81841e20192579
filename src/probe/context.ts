import { executionAsyncId, executionAsyncResource } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { Fact, ResourceKind } from "../base/facts.ts";
import { kindOfEmitter } from "./kinds.ts";
import type { FactWriter } from "./writer.ts";

/** Kinds of native callbacks, by the constructor of what called back. */
const KINDS: ReadonlyMap<string, number> = new Map([
  ["Timeout", ResourceKind.Timeout],
  ["Immediate", ResourceKind.Immediate],
  ["FSReqCallback", ResourceKind.Fs],
  ["FSReqPromise", ResourceKind.Fs],
  ["FSEvent", ResourceKind.Fs],
  ["StatWatcher", ResourceKind.Fs],
  ["GetAddrInfoReqWrap", ResourceKind.Dns],
  ["GetNameInfoReqWrap", ResourceKind.Dns],
  ["QueryReqWrap", ResourceKind.Dns],
  ["TCP", ResourceKind.Net],
  ["TCPConnectWrap", ResourceKind.Net],
  ["Pipe", ResourceKind.Net],
  ["PipeConnectWrap", ResourceKind.Net],
  ["TLSWrap", ResourceKind.Net],
  ["UDP", ResourceKind.Net],
  ["TTY", ResourceKind.Net],
  ["HTTPParser", ResourceKind.Net],
  ["HTTPServerAsyncResource", ResourceKind.Net],
  ["HTTPClientAsyncResource", ResourceKind.Net],
  ["Http2Session", ResourceKind.Net],
  ["Http2Stream", ResourceKind.Net],
  ["WriteWrap", ResourceKind.Net],
  ["ShutdownWrap", ResourceKind.Net],
  ["Process", ResourceKind.Child],
  ["MessagePort", ResourceKind.Port],
  ["Worker", ResourceKind.Worker],
  ["Zlib", ResourceKind.Zlib],
  ["BrotliEncoder", ResourceKind.Zlib],
  ["BrotliDecoder", ResourceKind.Zlib],
  ["Signal", ResourceKind.Signal],
]);

/** What Node runs in ticks of which a stream is the first argument. */
const STREAM_TICKS: ReadonlySet<string> = new Set([
  "resume_",
  "emitReadable_",
  "maybeReadMore_",
  "emitCloseNT",
  "emitErrorNT",
  "emitErrorAndCloseNT",
]);

/** What a tick is to async_hooks. */
interface TickObject {
  readonly callback?: { readonly name?: string };
  readonly args?: unknown;
}

/** Less idle time than this is not told. */
const MIN_IDLE_NS = 10_000;
/** After so much time without a fact it is looked whether the loop was idle: a look costs as much as some facts. */
const LOOK_NS = 40_000;

/**
 * Which callback of the event loop runs, as far as somebody says so, and how long the loop was idle before it. Node
 * counts that time itself; it is looked at where some time has passed without a fact, when something begins to run.
 */
export class CallContext {
  readonly #facts: FactWriter;
  /** CPU samples are taken: the profiler's signals end libuv's measure of a wait, which then tells too little of it. */
  readonly #sampled: boolean;
  /** Callbacks that are running inside of each other. */
  #depth = 0;
  /** The main script is running: nothing else has begun yet. */
  #boot: boolean;
  #idle = performance.eventLoopUtilization().idle;

  /** `boot`: the main script has not begun yet. */
  constructor(facts: FactWriter, sampled: boolean, boot: boolean) {
    this.#boot = boot;
    this.#facts = facts;
    this.#sampled = sampled;
  }

  /** What runs is told of: until the recording stops. */
  on = true;

  /** The running code asks for a callback, in the executor of the promise `settles`, if that is not 0. */
  asks(id: number, kind: number, settles: number): void {
    this.#facts.ring.now(Fact.Init, id, settles, kind);
  }

  /** What has been asked for will not run, or nobody waits for it. */
  drops(id: number): void {
    this.#facts.ring.now(Fact.Clear, id, 0, 0);
  }

  /** The main script is running, or about to. */
  get boot(): boolean {
    return this.#boot;
  }

  /** Whether code is running that said so, or the main script. */
  get known(): boolean {
    return this.#depth > 0 || this.#boot;
  }

  /** Code runs that has facts of its own for its beginning and end. */
  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (this.#depth > 0) this.#depth--;
  }

  /** How many callbacks are running inside of each other. */
  get depth(): number {
    return this.#depth;
  }

  /** Those beyond the first `depth` were stopped without a word. */
  unwind(depth: number): void {
    if (this.#depth > depth) this.#depth = depth;
  }

  /** A callback begins; `due` is in ns, 0 where it has none. */
  before(id: number, due: number, kind: number): void {
    this.#boot = false;
    this.#begin(this.#facts.ring.elapsed(), Fact.Before, id, due, kind);
    this.#depth++;
  }

  /** `awaited` and `told`: see Fact.After. */
  after(id: number, awaited = 0, told = 0): void {
    if (this.#depth > 0) this.#depth--;
    this.#facts.ring.now(Fact.After, id, awaited, told);
  }

  /** Something begins that has a fact of its own. */
  begins(): void {
    this.#boot = false;
    this.looks();
  }

  /** Sees whether the loop was idle before what begins now. */
  looks(): void {
    const elapsed = this.#facts.ring.elapsed();
    if (elapsed > LOOK_NS && this.#depth === 0) this.#look(elapsed);
  }

  /** A job begins, with a fact of that kind. */
  resumes(kind: number, id: number): void {
    this.#boot = false;
    const elapsed = this.#facts.ring.elapsed();
    if (elapsed > LOOK_NS) this.#depth = 0;
    this.#begin(elapsed, kind, id, 0, 0);
  }

  /** Writes a fact of something that begins `elapsed` ns after the last one, which the ring has just told. */
  #begin(elapsed: number, fact: number, id: number, b: number, c: number): void {
    const { ring } = this.#facts;
    const looks = elapsed > LOOK_NS && this.#depth === 0;
    if (looks) this.#look(elapsed);
    if (looks || elapsed <= 0) ring.now(fact, id, b, c);
    else ring.elapsedFact(fact, id, b, c);
  }

  /** Kind of the native callback that runs without having said so, ResourceKind.Unknown where none is known. */
  kind(): number {
    if (executionAsyncId() <= 1) return ResourceKind.Unknown;
    const resource = executionAsyncResource() as TickObject & { constructor?: { name?: string } };
    const name = resource.constructor?.name ?? "";
    if (name !== "Object") return KINDS.get(name) ?? ResourceKind.Unknown;
    // Streams of Node's flow and end in ticks, which are given the stream.
    const { args, callback } = resource;
    if (!Array.isArray(args)) return ResourceKind.Unknown;
    return kindOfEmitter(STREAM_TICKS.has(callback?.name ?? "") ? args[0] : args[1]);
  }

  /** Writes how long the loop was idle in the last `elapsed` ns. */
  #look(elapsed: number): void {
    const { idle } = performance.eventLoopUtilization();
    const grown = (idle - this.#idle) * 1e6;
    this.#idle = idle;
    if (grown > MIN_IDLE_NS)
      this.#facts.ring.now(Fact.Idle, this.#sampled ? elapsed : grown, this.#boot ? 1 : 0, 0);
  }
}
