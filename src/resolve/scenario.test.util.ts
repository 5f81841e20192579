import {
  Awaited,
  Fact,
  GcKind,
  HANDLED,
  PromiseClass,
  ResourceKind,
  RootKind,
  WaitsFor,
  channelKey,
  messageKey,
} from "../base/facts.ts";
import { TraceWriter } from "../encode/writer.ts";
import type { Frame } from "../wire/format.ts";
import type { SchedulerOut } from "./out.ts";
import { Resolver } from "./resolver.ts";

/**
 * Scenarios: lists of facts and the scheduler events that they must give, as text.
 *
 * Facts, one a line: `[LOOP:]TIME NAME ARGUMENTS`, time in us. Things are named by any word (`p1`, `r1`), a site is
 * `function@line` in app.js or `function@line(file)`, names and messages are in double quotes.
 *
 *   call P SITE | await P PARENT SITE | then P PARENT | new P | all P | race P | native P | unknown P [PARENT]
 *   job P | job-end P | settle P
 *   frame F SITE | block F AWAITED SITE | resume F | tail F AWAITED SITE | end F | executor E | settled E [AWAITED [KIND]]
 *   frame F SITE AT, where AT is the place of the call and the site of the caller's beginning, `main@21^main@20`
 *   resume F inside (of running code, which asks a generator) | derived P OF [told] | after P AWAITED (of a function given to `then`)
 *   source P KIND [DELAY in ms], where AWAITED is F, E, P, settled, unknown, yielded, iterates, asks or a ResourceKind, and SITE may say what it waits for, `main@7:all`
 *   init R KIND [DELAY in ms] [SITE] [for=EXECUTOR] | before R KIND [DUE in us] | after R | clear R | refresh R DELAY | link R P
 *   root Q "NAME" KIND [handled] | release Q ["MESSAGE"] | root-task Q "NAME" | task-name Q "NAME", where Q is - for the
 *   running code's | outgoing Q "NAME" [SITE]
 *   go, region-call, task-call C "NAME" [SITE] | return C [P]
 *   region-begin X "NAME" [SITE] | region-end X | task-begin T "NAME" [SITE] | task-end T | task-enter T | task-exit T
 *   log "CATEGORY" "MESSAGE" [SITE] | note "JSON" | syscall-begin [SITE] | syscall-end | worker-start THREAD [SITE]
 *   send TO THREAD N [SITE] | receive TO THREAD N | received TO THREAD N | taken TO THREAD N | closed TO THREAD,
 *   where TO is maker or worker, or 0 or 1: the end of channel THREAD to which it goes
 *   idle SINCE | gc KIND DURATION | heap USED LIMIT | gap COUNT | loop-end
 *
 * and what the recorder does: `TIME loop "NAME" THREAD` (loop 0 exists: main.js from 0 on), `TIME end-loop`,
 * `TIME advance`, `TIME sample FRAMES`, `TIME finish`.
 *
 * Events, in order of time: `TIME THREAD EVENT G ARGUMENTS | STACK`; the thread is `L` and the loop's number, or
 * `timers`. Frames are leaf first, `function@line < function@line`, with the file unless it is app.js.
 */
export interface Scenario {
  readonly facts: readonly string[];
  readonly events: string;
}

/** Text of a scenario file to its parts. */
export function parseScenario(text: string): Scenario {
  const [, facts, events] = /-- facts --\n([^]*)-- events --\n([^]*)$/.exec(text) ?? [];
  if (facts === undefined || events === undefined) throw new Error("want a facts and an events section");
  const lines = facts.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return { facts: lines.filter((line) => line !== ""), events: normal(events) };
}

/** Collapses spaces, and drops comments and empty lines. */
function normal(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/ #.*/, "").replace(/\s+/g, " ").trim());
  return lines.filter((line) => line !== "").join("\n");
}

/** Every event as a line of text, also given to a strict writer, which throws on an illegal one. */
export class EventLog {
  readonly out: SchedulerOut;
  readonly chunks: Uint8Array[] = [];
  readonly writer: TraceWriter;
  /** In order of the calls. */
  readonly events: { readonly thread: number; readonly time: number; readonly text: string }[] = [];
  #lines: { readonly time: number; readonly text: string }[] = [];
  #segments: string[] = [];
  readonly #stacks = new Map<number, string>();
  readonly #lastOfThread = new Map<number, number>();
  readonly #current = new Map<number, number>();

  constructor() {
    this.writer = new TraceWriter({
      version: 25,
      strict: true,
      write: (bytes) => this.chunks.push(bytes.slice()),
      snapshot: () => ({ mono: 1, wallSec: 1_700_000_000, wallNsec: 0 }),
    });
    const { writer } = this;
    const add = (m: number, t: number, text: string, stack = 0): void => this.#add(m, t, text, stack);
    const on = (m: number): string => `G${this.#current.get(m) ?? "?"}`;
    this.out = {
      stack: (frames) => {
        const id = writer.stack(frames);
        this.#stacks.set(id, frames.map(frameText).join(" < "));
        return id;
      },
      procStart: (m, t, p) => (add(m, t, "proc-start"), writer.procStart(m, t, p)),
      procStop: (m, t) => (add(m, t, "proc-stop"), writer.procStop(m, t)),
      goCreate: (m, t, g, entry, stack) => {
        add(m, t, `create G${g} ${this.#stacks.get(entry)}`, stack);
        writer.goCreate(m, t, g, entry, stack);
      },
      goStart: (m, t, g) => {
        this.#current.set(m, g);
        add(m, t, `start G${g}`);
        writer.goStart(m, t, g);
      },
      goStop: (m, t, reason, stack) => {
        add(m, t, `stop ${on(m)} ${reason}`, stack);
        writer.goStop(m, t, reason, stack);
      },
      goBlock: (m, t, reason, stack) => {
        add(m, t, `block ${on(m)} ${reason}`, stack);
        writer.goBlock(m, t, reason, stack);
      },
      goUnblock: (m, t, g, stack) => (add(m, t, `unblock G${g}`, stack), writer.goUnblock(m, t, g, stack)),
      goDestroy: (m, t) => (add(m, t, `destroy ${on(m)}`), writer.goDestroy(m, t)),
      syscallBegin: (m, t, stack) => (add(m, t, `syscall ${on(m)}`, stack), writer.syscallBegin(m, t, stack)),
      syscallEnd: (m, t) => (add(m, t, `syscall-end ${on(m)}`), writer.syscallEnd(m, t)),
      stwBegin: (m, t, kind, stack) => (
        add(m, t, `stw ${on(m)} ${kind}`),
        writer.stwBegin(m, t, kind, stack)
      ),
      stwEnd: (m, t) => (add(m, t, `stw-end ${on(m)}`), writer.stwEnd(m, t)),
      gcBegin: (m, t, stack) => (add(m, t, `gc ${on(m)}`, stack), writer.gcBegin(m, t, stack)),
      gcEnd: (m, t) => (add(m, t, `gc-end ${on(m)}`), writer.gcEnd(m, t)),
      markAssistBegin: (m, t, stack) => (
        add(m, t, `assist ${on(m)}`, stack),
        writer.markAssistBegin(m, t, stack)
      ),
      markAssistEnd: (m, t) => (add(m, t, `assist-end ${on(m)}`), writer.markAssistEnd(m, t)),
      heapAlloc: (m, t, bytes) => (add(m, t, `heap ${bytes}`), writer.heapAlloc(m, t, bytes)),
      heapGoal: (m, t, bytes) => (add(m, t, `heap-goal ${bytes}`), writer.heapGoal(m, t, bytes)),
      procsChange: (m, t, n, stack) => (add(m, t, `loops ${n}`), writer.procsChange(m, t, n, stack)),
      taskBegin: (m, t, task, parent, name, stack) => {
        add(m, t, `task ${on(m)} T${task} of T${parent} "${name}"`, stack);
        writer.taskBegin(m, t, task, parent, name, stack);
      },
      taskEnd: (m, t, task, stack) => (
        add(m, t, `task-end ${on(m)} T${task}`, stack),
        writer.taskEnd(m, t, task, stack)
      ),
      regionBegin: (m, t, task, name, stack) => {
        add(m, t, `region ${on(m)} T${task} "${name}"`, stack);
        writer.regionBegin(m, t, task, name, stack);
      },
      regionEnd: (m, t, task, name, stack) => {
        add(m, t, `region-end ${on(m)} T${task} "${name}"`, stack);
        writer.regionEnd(m, t, task, name, stack);
      },
      log: (m, t, task, category, message, stack) => {
        add(m, t, `log ${on(m)} T${task} "${category}" "${message}"`, stack);
        writer.log(m, t, task, category, message, stack);
      },
      cpuSample: (t, m, p, g, stack) => {
        this.#lines.push({ time: t, text: `L${p} sample G${g}${this.#stackText(stack)}` });
        writer.cpuSample(t, m, p, g, stack);
      },
    };
  }

  #stackText(stack: number): string {
    return stack === 0 ? "" : ` | ${this.#stacks.get(stack)}`;
  }

  #add(m: number, t: number, text: string, stack: number): void {
    const isTimers = m === TIMERS;
    if (!isTimers && t < (this.#lastOfThread.get(m) ?? 0)) {
      throw new Error(`thread ${m}: ${text} at ${t} after an event at ${this.#lastOfThread.get(m)}`);
    }
    this.#lastOfThread.set(m, t);
    this.events.push({ thread: m, time: t, text: `${text}${this.#stackText(stack)}` });
    this.#lines.push({
      time: t,
      text: `${isTimers ? "timers" : `L${m - 1}`} ${text}${this.#stackText(stack)}`,
    });
  }

  /** Everything so far has been written by `now`. */
  mark(now: number): void {
    this.#endSegment();
    this.#segments.push(`-- written by ${now / 1000} --`);
  }

  #endSegment(): void {
    const sorted = this.#lines.toSorted((a, b) => a.time - b.time);
    for (const { time, text } of sorted) this.#segments.push(`${time / 1000} ${text}`);
    this.#lines = [];
  }

  /** All events as text. */
  get text(): string {
    this.#endSegment();
    return this.#segments.join("\n");
  }
}

const TIMERS = 1_000_000;

function frameText({ func, file, line }: Frame): string {
  return file === "app.js" ? `${func}@${line}` : `${func}@${line}(${file})`;
}

/** How often `advance` is called between facts, besides where the scenario says so. */
export type Schedule = { readonly every: number } | "as written" | "never";

const CLASSES: Readonly<Record<string, number>> = {
  call: PromiseClass.Call,
  await: PromiseClass.Await,
  then: PromiseClass.Then,
  new: PromiseClass.New,
  all: PromiseClass.All,
  race: PromiseClass.Race,
  native: PromiseClass.Native,
  unknown: PromiseClass.Unknown,
};

const IDS_ONLY: Readonly<Record<string, number>> = {
  end: Fact.FrameEnd,
  executor: Fact.Executor,
  job: Fact.ReactionBegin,
  "job-end": Fact.ReactionEnd,
  settle: Fact.Settle,
  after: Fact.After,
  clear: Fact.Clear,
  "region-end": Fact.RegionEnd,
  "task-end": Fact.TaskEnd,
  "task-enter": Fact.TaskEnter,
  "task-exit": Fact.TaskExit,
};

const NAMED: Readonly<Record<string, number>> = {
  go: Fact.Go,
  "region-call": Fact.RegionCall,
  "task-call": Fact.TaskCall,
  "region-begin": Fact.RegionBegin,
  "task-begin": Fact.TaskBegin,
  "root-task": Fact.RootTask,
  outgoing: Fact.Outgoing,
};

/** Runs the facts of a scenario and answers its events as text. `advance` marks them in schedule "as written". */
export function runScenario(
  facts: readonly string[],
  schedule: Schedule,
): { text: string; bytes: Uint8Array } {
  const log = new EventLog();
  const resolver = new Resolver(log.out);
  const player = new Player(resolver);
  let next = 0;
  for (const line of facts) {
    const [, loop = "0", us, name, rest] = /^(?:(\d+):)?([\d.]+) ([\w-]+) ?(.*)$/.exec(line) ?? [];
    if (us === undefined || name === undefined) throw new Error(`got ${line}`);
    const time = Number(us) * 1000;
    if (typeof schedule === "object") {
      for (; next < time; next += schedule.every) resolver.advance(next);
    }
    if (name === "advance") {
      if (schedule === "never") continue;
      resolver.advance(time);
      if (schedule === "as written") log.mark(time);
    } else {
      player.play(Number(loop), time, name, rest!.match(/"[^"]*"|\S+/g) ?? []);
    }
  }
  const { misuse } = resolver.stats;
  log.writer.end();
  const text = log.text + (misuse > 0 ? `\nmisuse ${misuse}` : "");
  return { text: normal(text), bytes: Buffer.concat(log.chunks) };
}

const AWAITED: Readonly<Record<string, number>> = {
  unknown: Awaited.Unknown,
  yielded: Awaited.Yielded,
  iterates: Awaited.Iterates,
  asks: Awaited.Asks,
};

class Player {
  readonly #resolver: Resolver;
  readonly #names: { readonly ids: Map<string, number>; readonly strings: Map<string, number> }[] = [];
  readonly #sites: Map<string, number>[] = [];

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
    resolver.addLoop(0, { name: "main.js", file: "main.js", time: 0 });
  }

  #of(loop: number): { readonly ids: Map<string, number>; readonly strings: Map<string, number> } {
    return (this.#names[loop] ??= { ids: new Map(), strings: new Map() });
  }

  #id(loop: number, name: string | undefined): number {
    if (name === undefined) return 0;
    const { ids } = this.#of(loop);
    if (!ids.has(name)) ids.set(name, ids.size + 1);
    return ids.get(name)!;
  }

  #string(loop: number, text: string): number {
    const { strings } = this.#of(loop);
    const plain = text.replace(/^"|"$/g, "");
    if (!strings.has(plain)) {
      strings.set(plain, strings.size + 1);
      this.#resolver.visitor(loop).text(strings.size, plain);
    }
    return strings.get(plain)!;
  }

  #site(loop: number, time: number, text: string | undefined): number {
    if (text === undefined) return 0;
    const sites = (this.#sites[loop] ??= new Map());
    const known = sites.get(text);
    if (known !== undefined) return known;
    const [own = "", of] = text.split("^");
    const [, func, line, file, waits] = /^([^@]+)@(\d+)(?:\((.*)\))?(?::(\w+))?$/.exec(own) ?? [];
    if (func === undefined) throw new Error(`got ${text}, want a site`);
    const where = file ?? "app.js";
    const outer = of === undefined ? 0 : this.#site(loop, time, of);
    const id = sites.size + 1;
    sites.set(text, id);
    const fn = outer || this.#id(loop, `function ${func} ${where}`);
    const c = Number(line) + 2 ** 28 * (waits === undefined ? 0 : code(WaitsFor, waits));
    const names = this.#string(loop, where) * 2 ** 26 + this.#string(loop, func);
    this.#resolver.visitor(loop).fact(Fact.Site, time, fn * 2 ** 26 + id, names, c);
    return id;
  }

  play(loop: number, time: number, name: string, args: readonly string[]): void {
    const resolver = this.#resolver;
    const to = resolver.visitor(loop);
    const [first = "", second = "", third] = args;
    const id = (text: string | undefined): number => this.#id(loop, text);
    const string = (text: string): number => this.#string(loop, text);
    const site = (text: string | undefined): number => this.#site(loop, time, text);
    const cls = CLASSES[name];
    if (cls !== undefined) {
      const hasParent = name === "await" || name === "then" || (name === "unknown" && second !== "");
      const where = site(name === "call" ? second : third);
      to.fact(Fact.Promise, time, id(first), hasParent ? id(second) : 0, cls + 16 * where);
      return;
    }
    const isReaction = name === "after" && second !== "";
    if (IDS_ONLY[name] !== undefined && !isReaction) {
      to.fact(IDS_ONLY[name], time, id(first), 0, 0);
      return;
    }
    if (NAMED[name] !== undefined) {
      to.fact(NAMED[name], time, id(first), string(second), site(third));
      return;
    }
    const awaited = (text: string | undefined): number =>
      text === undefined || text === "settled"
        ? Awaited.Settled
        : text in AWAITED
          ? AWAITED[text]!
          : text in ResourceKind
            ? Awaited.Kind - code(ResourceKind, text)
            : id(text);
    switch (name) {
      case "frame":
        to.fact(Fact.FrameCall, time, id(first), 2 * site(third), site(second));
        return;
      case "resume":
        to.fact(Fact.FrameResume, time, id(first), second === "inside" ? 1 : 0, 0);
        return;
      case "derived":
        to.fact(
          Fact.Derived,
          time,
          id(first),
          second === "unknown" ? 0 : id(second),
          third === "told" ? 1 : 0,
        );
        return;
      case "after":
        to.fact(Fact.After, time, id(first), awaited(second), 1);
        return;
      case "block":
        to.fact(Fact.FrameBlock, time, id(first), awaited(second), site(third));
        return;
      case "tail":
        to.fact(Fact.FrameTail, time, id(first), awaited(second), site(third));
        return;
      case "settled": {
        const kind = third === undefined ? 0 : code(ResourceKind, third);
        to.fact(Fact.Settled, time, id(first), awaited(second === "" ? undefined : second), kind);
        return;
      }
      case "source":
        to.fact(Fact.Source, time, id(first), Number(third ?? 0), code(ResourceKind, second));
        return;
      case "init": {
        const delay = args.slice(2).find((arg) => /^\d+$/.test(arg));
        const kind = code(ResourceKind, second) + 32 * Number(delay ?? 0);
        const settles = args.find((arg) => arg.startsWith("for="))?.slice(4);
        const at = args.find((arg) => arg.includes("@"));
        to.fact(Fact.Init, time, id(first), settles === undefined ? site(at) : id(settles), kind);
        return;
      }
      case "before":
        to.fact(Fact.Before, time, id(first), Number(third ?? 0) * 1000, code(ResourceKind, second));
        return;
      case "refresh":
        to.fact(Fact.Refresh, time, id(first), 0, Number(second));
        return;
      case "link":
        to.fact(Fact.Link, time, id(first), id(second), 0);
        return;
      case "root":
        to.fact(
          Fact.Root,
          time,
          id(first),
          string(second),
          code(RootKind, third!) + (args[3] === "handled" ? HANDLED : 0),
        );
        return;
      case "release":
        to.fact(Fact.Release, time, id(first), second === "" ? 0 : string(second), 0);
        return;
      case "task-name":
        to.fact(Fact.TaskName, time, first === "-" ? 0 : id(first), string(second), 0);
        return;
      case "return":
        to.fact(Fact.Return, time, id(first), second === "" ? 0 : id(second), 0);
        return;
      case "log":
        to.text(0, second.slice(1, -1));
        to.fact(Fact.Log, time, string(first), 0, site(third));
        return;
      case "note":
        to.text(0, first.slice(1, -1));
        to.fact(Fact.Note, time, 0, 0, 0);
        return;
      case "syscall-begin":
        to.fact(Fact.SyscallBegin, time, 0, 0, site(args[0]));
        return;
      case "syscall-end":
        to.fact(Fact.SyscallEnd, time, 0, 0, 0);
        return;
      case "worker-start":
        to.fact(Fact.WorkerStart, time, Number(first), 0, site(args[1]));
        return;
      case "send":
        to.fact(Fact.Send, time, keyOf(first, second, third), 0, site(args[3]));
        return;
      case "taken":
        to.fact(Fact.Taken, time, keyOf(first, second, third), 0, 0);
        return;
      case "closed":
        to.fact(Fact.Closed, time, keyOf(first, second, "1"), 0, 0);
        return;
      case "receive":
        to.fact(Fact.Before, time, -keyOf(first, second, third), 0, ResourceKind.Port);
        return;
      case "received":
        to.fact(Fact.After, time, -keyOf(first, second, third), 0, 0);
        return;
      case "idle":
        to.fact(Fact.Idle, time, time - Number(first) * 1000, 0, 0);
        return;
      case "gc":
        to.fact(Fact.Gc, time, Number(second) * 1000, 0, code(GcKind, first));
        return;
      case "heap":
        to.fact(Fact.Heap, time, Number(first), Number(second), 0);
        return;
      case "gap":
        to.fact(Fact.Gap, time, Number(first), 0, 0);
        return;
      case "loop-end":
        to.fact(Fact.LoopEnd, time, 0, 0, 0);
        return;
      case "loop": {
        const file = first.slice(1, -1);
        resolver.addLoop(loop, { name: file, file, time, workerThreadId: Number(second) });
        return;
      }
      case "end-loop":
        resolver.endLoop(loop, time);
        return;
      case "sample": {
        const frames = args
          .filter((arg) => arg !== "<")
          .map((arg) => {
            const [func = "", line] = arg.split("@");
            return { func, file: "app.js", line: Number(line) };
          });
        resolver.cpuSample(loop, time, frames);
        return;
      }
      case "finish":
        resolver.finish(time);
        return;
      default:
        throw new Error(`got ${name}, want a fact`);
    }
  }
}

function code(codes: Readonly<Record<string, number>>, name: string): number {
  const found = codes[name];
  if (found === undefined) throw new Error(`got ${name}, want one of ${Object.keys(codes).join(", ")}`);
  return found;
}

function keyOf(to = "", of = "", nth = ""): number {
  return to === "maker" || to === "worker"
    ? messageKey(Number(of), to === "maker", Number(nth))
    : channelKey(Number(of), 1 - Number(to), Number(nth));
}
