import { types } from "node:util";
import { Fact } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";
import { watchCallbacks } from "./callbacks.ts";
import { watchChannels } from "./channels.ts";
import type { ChannelSource } from "./channels.ts";
import { CallContext } from "./context.ts";
import type { FrameSource } from "./frames.ts";
import { watchPromises } from "./promises.ts";
import { watchResources } from "./resources.ts";
import { watchOutgoing } from "./outgoing.ts";
import { undoAll } from "./replace.ts";
import type { HttpOptions } from "./requests.ts";
import { watchServers } from "./servers.ts";
import { Sites } from "./sites.ts";
import { idOf } from "./stamp.ts";
import { watchTimers } from "./timers.ts";
import { Propagation } from "./traceparent.ts";
import { FactWriter, newId, now, unwritten } from "./writer.ts";

export interface ProbeOptions {
  /** CPU samples are taken of this isolate: libuv's measure of its waits cannot be trusted. */
  readonly sampled: boolean;
  /** What the isolate's transformed code calls; where there is none, promises are seen through V8's hooks. */
  readonly frames?: FrameSource | undefined;
  /** The isolate's main script has not begun yet. */
  readonly boot?: boolean;
  readonly http: HttpOptions;
}

/**
 * What runs inside a recorded isolate: Node's hooks and the annotation API, both writing facts. The hooks are one
 * source of facts among others that may come: they only share the writer.
 */
export class Probe {
  readonly #facts: FactWriter;
  readonly #sites: Sites;
  readonly #stops: (() => void)[] = [];
  /** Where transformed code tells of itself. */
  readonly #frames: FrameSource | undefined;
  readonly #context: CallContext | undefined;
  readonly #channels: ChannelSource;
  #on = true;

  constructor(ring: RingWriter, options: ProbeOptions) {
    this.#facts = new FactWriter(ring);
    this.#sites = new Sites(this.#facts);
    const { frames, http, sampled } = options;
    const propagation = http.traceparent ? new Propagation() : undefined;
    this.#frames = frames;
    if (frames === undefined) {
      this.#channels = watchChannels(this.#facts, this.#sites, undefined, http, propagation);
      this.#watchPromises(sampled);
    } else {
      const context = new CallContext(this.#facts, sampled, options.boot === true);
      this.#context = context;
      const begins = (): void => context.begins();
      this.#channels = watchChannels(this.#facts, this.#sites, begins, http, propagation);
      this.#watchFrames(frames, context);
    }
    this.#stops.push(this.#channels.stop, watchTimers(this.#facts));
    if (http.http || propagation !== undefined) {
      const looks = (): void => this.#context?.looks();
      this.#stops.push(watchOutgoing({ facts: this.#facts, looks, propagation }));
    }
    if (propagation !== undefined) this.#stops.push(() => propagation.stop());
  }

  /** Everything async through Node's own hooks. */
  #watchPromises(sampled: boolean): void {
    const promises = watchPromises(this.#facts, this.#sites);
    this.#stops.push(watchResources(this.#facts, this.#sites, promises, sampled), promises.stop);
    // A reaction that runs when the code that starts the recording has returned: tells where its callback ends.
    void Promise.resolve().then(() => {});
  }

  /** Lets go of what has ended without saying so; for the time after a collection, which needs no timer. */
  sweep(): void {
    this.#channels.sweep();
  }

  /** Transformed code tells of itself; what calls back is wrapped. */
  #watchFrames(frames: FrameSource, context: CallContext): void {
    const facts = this.#facts;
    frames.start(facts, context);
    this.#stops.push(
      watchCallbacks({ facts, sites: this.#sites, frames, context }),
      watchServers(facts, this.#channels, context),
      () => frames.stop(),
    );
  }

  /** A raw fact. */
  put(kind: number, time: bigint, a: number, b: number, c: number): void {
    this.#facts.put(kind, time, a, b, c);
  }

  /** Site id of the caller of `skip`, 0 where it is not known. */
  site(skip: (...args: never[]) => unknown): number {
    return this.#sites.caller(skip);
  }

  log(category: string, message: string): void {
    try {
      const id = this.#facts.string(category);
      const site = this.#sites.caller(this.log);
      this.#facts.message(Fact.Log, now(), id, site, message);
    } catch {
      unwritten.facts++;
    }
  }

  /** A message of the reserved log category. */
  note(message: object): void {
    this.#facts.message(Fact.Note, now(), 0, 0, JSON.stringify(message));
  }

  withRegion<T>(type: string, fn: () => T): T {
    return this.#call(Fact.RegionCall, type, fn);
  }

  withTask<T>(type: string, fn: () => T): T {
    return this.#call(Fact.TaskCall, type, fn);
  }

  /** Runs `fn` in an activation of its own. */
  go<T>(fn: () => T, name?: string): T {
    return this.#call(Fact.Go, name ?? ((fn as { readonly name?: string } | undefined)?.name || "go"), fn);
  }

  /**
   * A framework has found the route of a request: of the one that `response` answers or, where it is undefined, of the one
   * that the running code works for.
   */
  routed(response: object | undefined, method: string, route: string): void {
    if (!this.#on) return;
    try {
      this.#channels.routed(response, method, route);
    } catch {
      unwritten.facts++;
    }
  }

  regionBegin(type: string): number {
    return this.#begin(Fact.RegionBegin, type);
  }

  /** `anywhere`: it may be ended on any activation. */
  regionEnd(id: number, anywhere = false): void {
    this.#put(Fact.RegionEnd, id, anywhere ? 1 : 0);
  }

  taskBegin(type: string): number {
    return this.#begin(Fact.TaskBegin, type);
  }

  taskEnd(id: number): void {
    this.#put(Fact.TaskEnd, id, 0);
  }

  /** Runs `fn` in the task; what it starts belongs to the task. */
  taskRun<T>(id: number, fn: () => T): T {
    if (!this.#on) return fn();
    this.#put(Fact.TaskEnter, id, 0);
    this.#context?.enter();
    try {
      return fn();
    } finally {
      this.#context?.leave();
      this.#put(Fact.TaskExit, id, 0);
    }
  }

  /** Takes every hook out again. The probe's methods do nothing from then on but call what they are given. */
  stop(): void {
    const { skipped } = this.#sites;
    if (this.#on && skipped > 0) this.note({ looks: { skipped } });
    this.#on = false;
    undoAll(this.#stops);
    this.#stops.length = 0;
  }

  #begin(kind: number, type: string): number {
    const id = newId();
    try {
      const name = this.#facts.string(type);
      this.#facts.put(kind, now(), id, name, this.#sites.caller(this.#begin));
    } catch {
      unwritten.facts++;
    }
    return id;
  }

  #put(kind: number, id: number, b: number): void {
    if (!this.#on) return;
    try {
      this.#facts.put(kind, now(), id, b, 0);
    } catch {
      unwritten.facts++;
    }
  }

  #call<T>(kind: number, name: string, fn: () => T): T {
    if (!this.#on) return fn();
    const id = newId();
    try {
      const site = this.#sites.caller(this.#call);
      this.#facts.put(kind, now(), id, this.#facts.string(name), site);
    } catch {
      unwritten.facts++;
    }
    let promise = 0;
    this.#context?.enter();
    this.#frames?.settlements.calls();
    try {
      const result = fn();
      if (types.isPromise(result)) promise = this.#frames?.returned(result) ?? idOf(result);
      return result;
    } finally {
      this.#frames?.settlements.called();
      this.#context?.leave();
      this.#put(Fact.Return, id, promise);
    }
  }
}

/** Starts the hooks of this isolate. Facts go to `ring` until the probe is stopped. */
export function startProbe(ring: RingWriter, options: ProbeOptions): Probe {
  return new Probe(ring, options);
}
