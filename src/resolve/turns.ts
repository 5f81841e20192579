import { Fact, ResourceKind } from "../base/facts.ts";
import type { FactRecords } from "../base/ring.ts";
import { CallReader } from "./calls.ts";
import { Decisions } from "./decisions.ts";
import { FrameWaits } from "./frame-waits.ts";
import { FrameReader } from "./frames.ts";
import type { ResourceNode, TaskNode } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { Names } from "./names.ts";
import type { FramePool } from "./frame-pool.ts";
import { OpKind } from "./ops.ts";
import { QuietFacts } from "./quiet-facts.ts";
import { PromiseReader } from "./promises.ts";
import { ResourceReader } from "./resources.ts";
import { Running } from "./running.ts";

/** A loop without facts for so long, with nothing running, has finished its turn. */
const QUIET_NS = 20e6;
/** A job of which nothing is known and in which nothing is told is no work of the program where it is no longer than that. */
const SILENT_JOB_NS = 1e6;

/** Idle shorter than this is not worth two events. */
const MIN_IDLE_NS = 10_000;

export interface TurnReaderOptions {
  /** The scope of the isolate's main script, which began at `time`. */
  readonly root: Scope;
  readonly time: number;
  readonly lookAhead: number;
  readonly pool: FramePool;
  newTask(name: string): TaskNode;
  /** A one-shot timer was made. */
  onTimer(timer: ResourceNode): void;
  /** The loop said that it ends. */
  onEnd(time: number): void;
}

/**
 * Reads the facts of one event loop into operations.
 *
 * A turn is what runs between two visits of the loop to its sources: one callback with all microtasks and ticks that
 * follow it. Inside a turn a stack mirrors what is running: a base entry for each callback or reaction, above it the
 * calls (async functions, regions, tasks) whose synchronous part is running.
 *
 * Time passes with each fact, and between facts by `pass`. Whatever depends on it happens at the same place among the
 * facts however often `pass` is called in between.
 */
export class TurnReader {
  readonly running: Running;
  /** Facts that were read, and facts that were lost. */
  facts = 0;
  dropped = 0;
  readonly #lookAhead: number;
  /** Between facts that are no longer apart nothing happens but that calls are decided. */
  readonly #calm: number;
  readonly #onEnd: (time: number) => void;
  readonly #names = new Names();
  readonly #quietFacts = new QuietFacts(this.#names);
  readonly #decisions = new Decisions();
  readonly #promises: PromiseReader;
  readonly #waits: FrameWaits;
  readonly #frames: FrameReader;
  readonly #resources: ResourceReader;
  readonly #calls: CallReader;
  /** The main script's own turns are over: the loop has been idle once. */
  #idled = false;
  /** The loop is known to be idle since the last fact. */
  #resting = false;
  /**
   * The last fact told of a job of the main script's, unless it is that of a frame, which would tell so at once, or a short
   * one in which nothing is told: Node's own.
   */
  #booting = false;

  constructor(options: TurnReaderOptions) {
    const running = new Running(options.root, options.time);
    this.running = running;
    this.#lookAhead = options.lookAhead;
    this.#calm = Math.min(QUIET_NS, options.lookAhead);
    this.#onEnd = options.onEnd;
    const promise = (id: number) => this.#waits.get(id) ?? this.#promises.get(id);
    this.#calls = new CallReader(
      running,
      this.#names,
      this.#decisions,
      promise,
      (id) => this.#waits.sourceOf(id),
      (time, scope, id) => this.#waits.follow(time, scope, id),
      options.newTask,
      options.lookAhead,
    );
    const closeCall = (time: number, id: number): void => this.#calls.promiseSettled(time, id);
    this.#promises = new PromiseReader(running, this.#names, this.#decisions, closeCall);
    const endTurn = (time: number): void => this.endTurn(time);
    const splitTurn = (time: number): void => this.#splitTurn(time);
    const scopeOf = (id: number): Scope | undefined => this.#resources.get(id)?.scope;
    this.#waits = new FrameWaits(running, this.#decisions, options.lookAhead, closeCall, scopeOf);
    this.#frames = new FrameReader(
      running,
      this.#names,
      this.#decisions,
      options.pool,
      this.#waits,
      options.lookAhead,
      splitTurn,
    );
    this.#resources = new ResourceReader(running, this.#names, options.lookAhead, endTurn, options.onTimer);
    running.hold(options.time, options.root, 0);
  }

  /** Nodes known by id, for tests of what bounds them. */
  get size(): number {
    return this.#promises.size + this.#waits.size + this.#resources.size + this.#calls.size;
  }

  text(id: number, text: string): void {
    if (id === 0) this.#calls.text(text);
    else this.#names.text(id, text);
  }

  fact(kind: number, factTime: number, a: number, b: number, c: number): void {
    this.facts++;
    if (kind === Fact.Site) {
      this.#names.addSite(a, b, c);
      return;
    }
    if (kind === Fact.Gc) {
      this.#gc(factTime, a, c);
      return;
    }
    const { running } = this;
    const time = factTime > running.lastFact ? factTime : running.lastFact;
    if (this.#booting) {
      const took = time - running.lastFact;
      const isFrames = kind === Fact.FrameResume && took <= this.#calm;
      const isSilent = kind === Fact.Booting && a !== 1 && took <= SILENT_JOB_NS;
      if (isFrames || isSilent) this.#booting = false;
      else this.#boot();
    }
    // What else passes with time is a matter of longer than this.
    if (time - running.lastFact > this.#calm || this.#decisions.since <= time - this.#lookAhead)
      this.pass(time);
    running.previousFact = running.lastFact;
    running.lastFact = time;
    this.#resting = false;
    if (kind !== Fact.FrameCall && kind !== Fact.FrameResume && kind !== Fact.FrameBlock)
      this.#frames.passes(time, kind);
    switch (kind) {
      case Fact.FrameCall:
        this.#frames.call(time, a, b, c);
        return;
      case Fact.FrameBlock:
        this.#frames.block(time, a, b, c);
        return;
      case Fact.FrameResume:
        this.#frames.resume(time, a, b !== 0);
        return;
      case Fact.FrameTail:
        this.#frames.tail(time, a, b, c);
        return;
      case Fact.FrameEnd:
        this.#frames.end(time, a);
        return;
      case Fact.Executor:
        this.#frames.executor(a);
        return;
      case Fact.Settled:
        this.#frames.settled(time, a, b, c);
        return;
      case Fact.Derived:
        this.#waits.derived(time, a, b, c === 1);
        return;
      case Fact.Joint:
        this.#waits.addJoint(time, a, c);
        return;
      case Fact.Member:
        this.#waits.addMember(a, b);
        return;
      case Fact.Booting:
        if (a !== 1) running.bootEnds(time);
        else this.#booting = running.isFree(time);
        return;
      case Fact.Source:
        this.#waits.addSource(time, a, b, c);
        return;
      case Fact.Promise:
        this.#promises.make(time, a, b, c);
        return;
      case Fact.ReactionBegin:
        this.#promises.reactionBegin(time, a);
        return;
      case Fact.ReactionEnd:
        this.#promises.reactionEnd(time, a);
        return;
      case Fact.Settle:
        this.#promises.settle(time, a);
        return;
      case Fact.Before:
        this.#before(time, a, b, c);
        return;
      case Fact.After:
        if (c === 1) this.#waits.returned(time, a, b);
        this.#resources.after(time, a);
        return;
      case Fact.Init:
        this.#resources.make(time, a, b, c);
        this.#frames.asked(time, this.#resources.get(a), b);
        return;
      case Fact.Clear:
        this.#resources.clearResource(time, a);
        return;
      case Fact.Refresh:
        this.#resources.refresh(time, a, c);
        return;
      case Fact.Link:
        this.#link(time, a, b);
        return;
      case Fact.Gap:
        this.#gap(time, a);
        return;
      case Fact.Idle:
        this.#idle(Math.max(time - a, running.previousFact), time, b === 1);
        return;
      case Fact.Heap: {
        running.queue.add(OpKind.Heap, time);
        running.queue.refer({ used: a, limit: b });
        return;
      }
      case Fact.LoopEnd:
        this.end(time);
        return;
      default:
        this.#annotation(kind, time, a, b, c);
    }
  }

  /** Reads the facts of a call of which nothing is to be told, where they are next; answers how many they are. */
  skip(records: FactRecords, at: number, most: number, until: number): number {
    const { running } = this;
    const frame = running.aloneInJob;
    if (frame === null) return 0;
    const count = this.#quietFacts.count(records, at, most, frame.fn);
    if (count === 0) return 0;
    const time = records.time(at + count - 1);
    const { lastFact } = running;
    // Nothing passes with time meanwhile.
    if (time > until || records.time(at) < lastFact || time - lastFact >= this.#calm) return 0;
    if (this.#decisions.since <= time - this.#lookAhead) return 0;
    this.facts += count;
    running.previousFact = records.time(at + count - 2);
    running.lastFact = time;
    this.#resting = false;
    this.#frames.quiet(time, frame, this.#quietFacts.site);
    return count;
  }

  #annotation(kind: number, time: number, a: number, b: number, c: number): void {
    const calls = this.#calls;
    switch (kind) {
      case Fact.Root:
        calls.root(time, a, b, c);
        return;
      case Fact.Release:
        calls.release(time, a, this.#names.string(b));
        return;
      case Fact.RootTask:
        calls.rootTask(time, a, this.#names.string(b));
        return;
      case Fact.TaskName:
        if (b !== 0) calls.taskName(time, a, this.#names.string(b));
        return;
      case Fact.Outgoing:
        calls.outgoing(time, a, this.#names.string(b), this.#names.site(c));
        return;
      case Fact.Go:
      case Fact.RegionCall:
      case Fact.TaskCall:
        calls.call(time, kind, a, this.#names.string(b), this.#names.site(c));
        return;
      case Fact.Return:
        calls.return(time, a, b);
        return;
      case Fact.RegionBegin:
        calls.regionBegin(time, a, this.#names.string(b), this.#names.site(c));
        return;
      case Fact.RegionEnd:
        calls.regionEnd(time, a, b !== 1);
        return;
      case Fact.TaskBegin:
        calls.taskBegin(time, a, this.#names.string(b), this.#names.site(c));
        return;
      case Fact.TaskEnd:
        calls.taskEnd(time, a);
        return;
      case Fact.TaskEnter:
        calls.taskEnter(time, a);
        return;
      case Fact.TaskExit:
        calls.taskExit(time, a);
        return;
      case Fact.Log:
        calls.log(time, this.#names.string(a), this.#names.site(c));
        return;
      case Fact.Note:
        calls.note(time);
        return;
      case Fact.SyscallBegin:
        calls.syscallBegin(time, this.#names.site(c));
        return;
      case Fact.SyscallEnd:
        calls.syscallEnd(time);
        return;
      case Fact.Send:
        calls.send(time, a, this.#names.site(c));
        return;
      case Fact.Taken:
        calls.taken(time, a);
        return;
      case Fact.Closed:
        this.running.annotate(time, { what: "closed", key: a });
        return;
      case Fact.WorkerStart:
        calls.workerStart(time, a, this.#names.site(c));
        return;
      default:
    }
  }

  /** A JSON message for the reserved category, on what runs at `time`. */
  note(time: number, json: string): void {
    this.running.addLate({ time, end: 0, kind: 0, message: json });
  }

  /** It is `now`, and all facts before are read. */
  pass(now: number): void {
    const { running } = this;
    const isCalm = now - running.lastFact > this.#calm;
    if (isCalm) this.#boot();
    this.#frames.rests(isCalm);
    const { lastFact, busy } = running;
    const quietAt = lastFact + this.#calm;
    if (!busy && running.inTurn && now > quietAt) {
      this.#decisions.force(quietAt - this.#lookAhead);
      running.previousFact = lastFact;
      this.endTurn(lastFact);
    }
    this.#decisions.force(now - this.#lookAhead);
    if (busy || this.#resting || now - lastFact <= this.#lookAhead) return;
    this.#resting = true;
    this.#leaveMain(lastFact);
    running.queue.add(OpKind.Rest, lastFact);
  }

  /** The job that the last fact told of is the main script's. */
  #boot(): void {
    if (this.#booting) this.running.bootBegins(this.running.lastFact);
    this.#booting = false;
  }

  #before(time: number, id: number, due: number, kind: number): void {
    const made = kind === ResourceKind.Reaction ? this.#waits.called(time, id) : null;
    this.#resources.before(time, id, due, kind, made);
  }

  /** The turn is over at `time`: what is still open is decided. */
  endTurn(time: number): void {
    this.#splitTurn(time, true);
  }

  /** The loop has come back from outside, as far as is known; unless it `isOver` there may be jobs left of the turn before. */
  #splitTurn(time: number, isOver = false): void {
    const { running } = this;
    running.leaveLoose(time);
    running.popTo(0, time);
    if (isOver) this.#waits.endTurn(time);
    this.#decisions.decide();
    if (running.inTurn) running.queue.add(OpKind.TurnEnd, time);
    running.inTurn = false;
    running.turn++;
  }

  /** The loop ends, and everything on it. */
  end(time: number): void {
    const { running } = this;
    running.leaveLoose(time);
    running.popTo(0, time);
    this.#decisions.decide();
    running.inTurn = false;
    running.queue.add(OpKind.LoopEnd, time);
    this.#onEnd(time);
  }

  /** Nothing follows: ends the last turn at `time`. */
  close(time: number): void {
    this.#boot();
    this.pass(time);
    const { running } = this;
    const end = Math.max(running.lastFact, time);
    running.leaveLoose(end);
    running.popTo(0, end);
    this.#leaveMain(end);
    this.endTurn(end);
  }

  /** The main script has been evaluated: its activation lives on only for what it started. */
  #leaveMain(time: number): void {
    if (!this.#idled) this.running.push(OpKind.Release, time, this.running.root);
    this.#idled = true;
  }

  #idle(from: number, to: number, loading: boolean): void {
    const { running } = this;
    running.leaveLoose(from);
    running.popTo(0, from);
    if (!loading) this.#leaveMain(from);
    this.endTurn(from);
    if (to - from < MIN_IDLE_NS) return;
    running.queue.add(OpKind.Rest, from);
    running.queue.add(OpKind.Wake, to);
  }

  #link(time: number, resourceId: number, promiseId: number): void {
    const resource = this.#resources.get(resourceId);
    const promise = this.#promises.get(promiseId);
    if (resource === undefined || promise === undefined || promise.source !== 0) return;
    promise.source = resource.kind;
    promise.sourceAt = time;
  }

  #gc(time: number, duration: number, kind: number): void {
    this.running.addLate({ time, end: time + duration, kind, message: "" });
  }

  #gap(time: number, lost: number): void {
    this.dropped += lost;
    this.endTurn(time);
    this.#promises.clear();
    this.#waits.clear();
    this.#resources.clear();
    this.#calls.clear();
    this.running.queue.add(OpKind.Reset, time);
  }
}
