import { createHook, executionAsyncResource } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { promiseHooks } from "node:v8";
import { isMainThread } from "node:worker_threads";
import { Fact, ResourceKind } from "../base/facts.ts";
import type { PromiseSource } from "./promises.ts";
import { replace } from "./replace.ts";
import type { Sites } from "./sites.ts";
import { idOf, kindOf, setStamp } from "./stamp.ts";
import { delayOf, timerBase } from "./timers.ts";
import type { TimerFields } from "./timers.ts";
import { newId, now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/**
 * Callbacks of the event loop, through async_hooks without its promise tracking.
 *
 * createHook().enable() also switches promise tracking on, which costs and leaves marks on promises that printing
 * shows. It does so through the createHook of v8.promiseHooks, so that one is out of the way while we enable, unless
 * the program itself had tracking on already.
 */

const KINDS: ReadonlyMap<string, number> = new Map([
  ["Timeout", ResourceKind.Timeout],
  ["Immediate", ResourceKind.Immediate],
  ["TickObject", ResourceKind.Tick],
  ["Microtask", ResourceKind.Tick],
  ["FSREQCALLBACK", ResourceKind.Fs],
  ["FSREQPROMISE", ResourceKind.Fs],
  ["FILEHANDLECLOSEREQ", ResourceKind.Fs],
  ["GETADDRINFOREQWRAP", ResourceKind.Dns],
  ["GETNAMEINFOREQWRAP", ResourceKind.Dns],
  ["QUERYWRAP", ResourceKind.Dns],
  ["TCPCONNECTWRAP", ResourceKind.Connect],
  ["PIPECONNECTWRAP", ResourceKind.Connect],
  ["ZLIB", ResourceKind.Zlib],
  ["PROCESSWRAP", ResourceKind.Child],
  ["MESSAGEPORT", ResourceKind.Port],
  ["WORKER", ResourceKind.Worker],
  ["SIGNALWRAP", ResourceKind.Signal],
]);

/** By constructor, for resources that were made before the recording began. */
const KINDS_BY_CONSTRUCTOR: ReadonlyMap<string, number> = new Map([
  ["Timeout", ResourceKind.Timeout],
  ["Immediate", ResourceKind.Immediate],
  ["FSReqCallback", ResourceKind.Fs],
  ["FSReqPromise", ResourceKind.Fs],
  ["TCP", ResourceKind.Net],
  ["Pipe", ResourceKind.Net],
  ["HTTPServerAsyncResource", ResourceKind.Net],
  // A Worker's parentPort is older than any preload. On the main thread the old ports are the recorder's own.
  ...(isMainThread ? [] : ([["MessagePort", ResourceKind.Port]] as const)),
]);

/** Stamped on what is not recorded at all. */
const IGNORED = -2;

/** Kind of an async_hooks type. */
function kindOfType(type: string): number {
  const kind = KINDS.get(type);
  if (kind !== undefined) return kind;
  if (type === "PROMISE") return IGNORED;
  if (type.endsWith("REQUEST") && !type.startsWith("HTTP")) return ResourceKind.Crypto;
  if (/^(TCP|PIPE|TTY|UDP|TLS|HTTP|STREAM|JSSTREAM|WRITE|SHUTDOWN|SEND|LIBUV|QUIC)/.test(type))
    return ResourceKind.Net;
  return type === type.toUpperCase() ? ResourceKind.Unknown : ResourceKind.User;
}

/** Kind of a resource that calls back. */
function kindHere(resource: object): number {
  const stamped = kindOf(resource);
  return stamped !== -1 ? stamped : (KINDS_BY_CONSTRUCTOR.get(resource.constructor?.name) ?? IGNORED);
}

interface ResourceFields extends TimerFields {
  /** Of FSREQPROMISE: the promise that it settles. */
  readonly promise?: unknown;
}

/** Types whose kind is remembered; it is found anew for others. */
const MOST_TYPES = 500;
const MIN_IDLE_NS = 10_000;

/** Starts watching; returns what stops it. */
export function watchResources(
  facts: FactWriter,
  sites: Sites,
  promises: PromiseSource,
  sampled: boolean,
): () => void {
  const base = timerBase();
  /** By type; types are names that a program may make up without end. */
  const kinds = new Map<string, number>();
  /** Callbacks that run inside each other; begun anew where one of the ends may have been missed. */
  let depth = 0;
  let idle = performance.eventLoopUtilization().idle;

  function init(_asyncId: number, type: string, _trigger: number, resource: object): void {
    try {
      let kind = kinds.get(type);
      if (kind === undefined) {
        kind = kindOfType(type);
        if (kinds.size < MOST_TYPES) kinds.set(type, kind);
      }
      if (kind === IGNORED) return;
      const id = newId();
      let delay = 0;
      let site = 0;
      let link = 0;
      if (kind === ResourceKind.Tick) {
        setStamp(resource, id, kind);
        facts.put(Fact.Init, now(), id, 0, kind);
        return;
      }
      const fields = resource as ResourceFields;
      const maker = sites.maker(init, kind === ResourceKind.Timeout);
      site = maker.site;
      if (kind === ResourceKind.Timeout) {
        if (maker.internal) kind = ResourceKind.InternalTimer;
        else if (fields._repeat != null) kind = ResourceKind.Interval;
        delay = delayOf(fields);
      }
      if (kind === ResourceKind.Immediate && depth === 0 && maker.internal && maker.site === 0) {
        // Made by Node in no callback: the report of a collection, which we have asked for.
        setStamp(resource, 0, IGNORED);
        return;
      }
      if (maker.inExecutor) link = promises.lastNew();
      if (type === "FSREQPROMISE" && typeof fields.promise === "object" && fields.promise !== null) {
        link = idOf(fields.promise);
      }
      setStamp(resource, id, kind);
      const time = now();
      facts.put(Fact.Init, time, id, site, kind + 32 * delay);
      if (link !== 0) facts.put(Fact.Link, time, id, link, 0);
    } catch {
      unwritten.facts++;
    }
  }

  function before(): void {
    try {
      const resource = executionAsyncResource();
      const kind = kindHere(resource);
      if (kind === IGNORED || kind === ResourceKind.Worker) return;
      const time = now();
      if (depth++ === 0 && kind !== ResourceKind.Tick) {
        const total = performance.eventLoopUtilization().idle;
        // A profiler's signals end libuv's measure of a wait; then the time since the last fact is the wait.
        const grown = sampled ? Number(time - facts.lastTime) : (total - idle) * 1e6;
        idle = total;
        if (grown > MIN_IDLE_NS) facts.put(Fact.Idle, time, grown, 0, 0);
      }
      let due = 0;
      if (kind === ResourceKind.Timeout || kind === ResourceKind.Interval) {
        const timer = resource as TimerFields;
        due = (base + (timer._idleStart ?? 0) + (timer._idleTimeout ?? 0)) * 1e6;
      }
      facts.put(Fact.Before, time, idOf(resource), due, kind);
    } catch {
      unwritten.facts++;
      depth = 0;
    }
  }

  function after(): void {
    try {
      const resource = executionAsyncResource();
      const kind = kindHere(resource);
      if (kind === IGNORED || kind === ResourceKind.Worker) return;
      if (depth > 0) depth--;
      facts.put(Fact.After, now(), idOf(resource), 0, 0);
    } catch {
      unwritten.facts++;
      depth = 0;
    }
  }

  const hook = createHook({ init, before, after });
  withoutPromiseTracking(() => hook.enable());
  return () => {
    withoutPromiseTracking(() => hook.disable());
  };
}

type Hooks = { createHook: (callbacks: object) => () => void };

function withoutPromiseTracking(action: () => void): void {
  const hooks = promiseHooks as unknown as Hooks;
  const tracked = Object.getOwnPropertySymbols(new Promise(() => {})).length > 0;
  if (tracked) {
    action();
    return;
  }
  const putBack = replace(hooks, "createHook", () => () => {});
  try {
    action();
  } finally {
    putBack();
  }
}
