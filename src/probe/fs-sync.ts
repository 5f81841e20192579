import child_process from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Fact } from "../base/facts.ts";
import type { Probe } from "./probe.ts";

/**
 * Synchronous calls into the system, seen by wrapping every *Sync function of fs and child_process: a call that blocks
 * the loop is a syscall on its activation. The program finds functions of the same names, lengths and properties.
 *
 * An error passes through by `finally`, never by `catch`: thrown again it would be reported at our line instead of its
 * own. So our frame is in its stack; the stack is longer by as much, and an error that nobody catches has it taken out
 * before it is printed (recorder/stacks.ts).
 */
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Functions = Record<string, AnyFunction>;

/** Answers what takes the wrappers away (where nobody has wrapped them again). */
export function watchFsSync(probe: Pick<Probe, "put" | "site">): () => void {
  const undo: (() => void)[] = [];
  for (const module of [fs, child_process] as unknown as Functions[]) {
    for (const name of Object.keys(module)) {
      const original = module[name];
      if (!name.endsWith("Sync") || typeof original !== "function") continue;
      const wrapper = traceCall(probe, original);
      module[name] = wrapper;
      undo.push(() => {
        if (module[name] === wrapper) module[name] = original;
      });
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const step of undo) step();
    syncBuiltinESMExports();
  };
}

/** True inside a traced call: what it calls in turn is part of it. */
let inside = false;

/** Our frames that an error can have: the traced call's, and one of a call inside it. */
const FRAMES = 2;

function traceCall(probe: Pick<Probe, "put" | "site">, original: AnyFunction): AnyFunction {
  const wrapper = function (this: unknown): unknown {
    // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
    if (inside) return Reflect.apply(original, this, arguments);
    const limit = Error.stackTraceLimit;
    const raise = typeof limit === "number" && limit > 0 && limit < 1000;
    inside = true;
    probe.put(Fact.SyscallBegin, process.hrtime.bigint(), 0, 0, probe.site(wrapper));
    if (raise) Error.stackTraceLimit = limit + FRAMES;
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      return Reflect.apply(original, this, arguments);
    } finally {
      if (raise) Error.stackTraceLimit = limit;
      probe.put(Fact.SyscallEnd, process.hrtime.bigint(), 0, 0, 0);
      inside = false;
    }
  };
  return Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
}
