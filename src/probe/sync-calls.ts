import child_process from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import zlib from "node:zlib";
import { Fact } from "../base/facts.ts";
import type { Probe } from "./probe.ts";
import { isPlain, shareReplaced, undoAll } from "./replace.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { unwritten } from "./writer.ts";

/**
 * Synchronous calls that block the loop, seen by wrapping every *Sync function of fs, child_process, zlib and crypto,
 * and Atomics.wait: each is a syscall on its activation. The program finds functions of the same names, lengths and
 * properties.
 *
 * An error passes through by `finally`, never by `catch`: thrown again it would be reported at our line instead of its
 * own. So our frame is in its stack; the stack is longer by as much, and an error that nobody catches has it taken out
 * before it is printed (recorder/stacks.ts).
 */

/** Answers what takes the wrappers away (where nobody has wrapped them again). */
export function watchSyncCalls(probe: Pick<Probe, "put" | "site">): () => void {
  const undo = [wrap(Atomics, "wait", (original) => traceCall(probe, original))];
  for (const module of [fs, child_process, zlib, crypto]) {
    for (const name of Object.keys(module)) {
      if (name.endsWith("Sync")) undo.push(wrap(module, name, (original) => traceCall(probe, original)));
    }
  }
  shareReplaced();
  return () => {
    undoAll(undo);
    shareReplaced();
  };
}

/** True inside a traced call: what it calls in turn is part of it. */
let inside = false;

/** Error.stackTraceLimit as it was when the traced call began, -1 where it was not raised. */
let limit = -1;

/** Our frames that an error can have: the traced call's, and one of a call inside it. */
const FRAMES = 2;

function traceCall(probe: Pick<Probe, "put" | "site">, original: AnyFunction): AnyFunction {
  const wrapper = function (this: unknown): unknown {
    // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
    if (inside) return Reflect.apply(original, this, arguments);
    inside = true;
    let begun = false;
    try {
      begun = begin(probe, wrapper);
      // oxlint-disable-next-line prefer-rest-params -- as above
      return Reflect.apply(original, this, arguments);
    } finally {
      // Where the stack is used up nothing can be called here.
      inside = false;
      try {
        if (limit >= 0) Error.stackTraceLimit = limit;
        limit = -1;
        if (begun) probe.put(Fact.SyscallEnd, process.hrtime.bigint(), 0, 0, 0);
      } catch {
        limit = -1;
        unwritten.facts++;
      }
    }
  };
  return wrapper;
}

/** Answers whether the begin was written. */
function begin(probe: Pick<Probe, "put" | "site">, wrapper: AnyFunction): boolean {
  try {
    probe.put(Fact.SyscallBegin, process.hrtime.bigint(), 0, 0, probe.site(wrapper));
    if (!isPlain("stackTraceLimit")) return true;
    const own = Error.stackTraceLimit;
    if (typeof own === "number" && own > 0 && own < 1000) {
      Error.stackTraceLimit = own + FRAMES;
      limit = own;
    }
    return true;
  } catch {
    unwritten.facts++;
    return false;
  }
}
