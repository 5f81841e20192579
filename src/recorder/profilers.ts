import { imitate, replace, undoAll } from "../probe/replace.ts";
import { inspectorModule } from "./inspector.ts";
import { Word, answered } from "./page.ts";
import { isSlotShared, slot } from "./slot.ts";
import { guardScripts } from "./stoppable.ts";

/** How long the main thread waits inside the dispatch that takes the session down. */
const DETACH_MS = 50;

/** Options with which Node itself talks to V8's inspector; a second voice would show in what it prints. */
const PROFILING = /^--(cpu-prof|heap-prof|inspect|experimental-test-coverage)/;

/** Options with which Node makes no inspector for the process itself: to connect to its main thread would abort it. */
const WITHOUT_INSPECTOR = /^--(test|watch|watch-path(=.*)?)$/;

/** Why CPU samples are not ours to take: what else profiles or debugs this process from its start; "" where they are. */
export function otherProfiler(): string {
  if (inspectorModule === undefined) return "this Node has no inspector";
  const words = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  const option = words.find((word) => PROFILING.test(word) || WITHOUT_INSPECTOR.test(word));
  if (option !== undefined) return `the program is run with ${option}`;
  if (process.env["NODE_V8_COVERAGE"]) return "the program is run with NODE_V8_COVERAGE";
  return inspectorModule.url() === undefined ? "" : "the program has its inspector open";
}

type AnyFunction = (this: unknown, ...args: never[]) => unknown;

/**
 * Calls `leave` before the program itself speaks to the inspector: every session in the process hears of profiles
 * that are taken through V8's console, as ours are. Answers what ends that.
 */
export function watchInspector(leave: () => void): () => void {
  if (inspectorModule === undefined) return () => {};
  const before = (owner: object, name: string): (() => void) => {
    const original = (owner as Record<string, AnyFunction>)[name]!;
    const wrapper: AnyFunction = function (...args) {
      leave();
      return Reflect.apply(original, this, args);
    };
    return replace(owner, name, imitate(original, wrapper));
  };
  const undo = [before(inspectorModule.Session.prototype, "connect"), before(inspectorModule, "open")];
  return () => undoAll(undo);
}

/** Why CPU profiles cannot be asked for, or could not be ended with the process; else "". */
export function unreachable(): string {
  if (!Object.isExtensible(process)) return "the program has frozen process";
  return isSlotShared() ? "" : "the program has frozen globalThis";
}

/** Pages of the recordings whose tracer thread has not disconnected the inspector; the last one may still end. */
const sampledPages = new Map<string, Int32Array>();
let unguardScripts = (): void => {};

function served(title: string): void {
  const page = sampledPages.get(title.slice(0, title.lastIndexOf(" ")));
  if (page !== undefined) answered(page);
}

/** The tracer thread of that recording has gone. */
export function forgetProfiler(recording: string): void {
  sampledPages.delete(recording);
  if (sampledPages.size > 0) return;
  unguardScripts();
  unguardScripts = () => {};
}

/** Lets the tracer thread begin and end CPU profiles through V8's own console, whatever the program makes of its own. */
export function offerProfiler(recording: string, page: Int32Array): void {
  const own = inspectorModule?.console;
  if (own === undefined) return;
  const shared = slot();
  shared.profile = (title) => {
    own.profile(title);
    served(title);
  };
  shared.profileEnd = (title) => {
    own.profileEnd(title);
    served(title);
  };
  if (sampledPages.size === 0) unguardScripts = guardScripts(() => sampledPages.values());
  sampledPages.set(recording, page);
  shared.detach = (asked) => {
    const its = sampledPages.get(asked);
    forgetProfiler(asked);
    if (its === undefined) return;
    answered(its);
    Atomics.store(its, Word.Detach, 1);
    Atomics.notify(its, Word.Detach);
    const limit = performance.now() + DETACH_MS;
    // Not Atomics.wait: the thread may be in one already.
    while (Atomics.load(its, Word.Detach) === 1 && performance.now() < limit);
  };
}
