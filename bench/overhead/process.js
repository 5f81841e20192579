/** One variant of a program as a running process: started, asked for slices of work, measured, ended. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { threads, tree, treeCpu } from "./cpu.js";

/** How long after a slice what it caused may still run: the tracer writes what happened at most 200 ms later. */
const SETTLE_MS = 250;

/** Starts a variant and waits until the program says that it is ready. */
export async function startVariant(variant, node, program, scratch) {
  const { command, env } = variant.command(node, program, scratch);
  const child = spawn(command[0], command.slice(1), {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value = "" } = await lines.next();
  const ready = /^ready (\d+) (\d+)$/.exec(value);
  if (ready === null) throw new Error(`${variant.name}: got ${JSON.stringify(value)}, want "ready PID PORT"`);
  return { variant, child, lines, pid: Number(ready[1]), port: Number(ready[2]), cpu: [], split: null };
}

/** Asks a program for a slice of its own work, by its standard input. */
export async function ownSlice(running, size) {
  running.child.stdin.write(`${size}\n`);
  const { value = "" } = await running.lines.next();
  if (!value.startsWith("done ")) throw new Error(`${running.variant.name}: got ${JSON.stringify(value)}`);
}

/** Nanoseconds of CPU of the whole process tree for `slice`, with what it leaves to be done later. */
export async function cpuOf(running, slice) {
  const root = running.child.pid;
  const before = treeCpu(root);
  const splitBefore = split(running);
  await slice(running);
  await sleep(SETTLE_MS);
  const splitAfter = split(running);
  running.split ??= { main: 0, tracer: 0, others: 0 };
  for (const part of ["main", "tracer", "others"])
    running.split[part] += splitAfter[part] - splitBefore[part];
  return treeCpu(root) - before;
}

/** Ends a program by the end of its input. */
export async function stopVariant({ child }) {
  child.stdin.end();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/**
 * CPU of a process tree by thread: the program's main thread, the tracer thread, all others. The tracer thread has a
 * name where Node names Workers (24 and later). Elsewhere it is the first thread that the program starts, after the
 * seven that Node starts itself (main, delayed tasks, four of V8, inspector).
 */
function split({ child, pid, variant }) {
  const parts = { main: 0, tracer: 0, others: 0 };
  for (const one of tree(child.pid)) {
    const all = threads(one);
    const named = all.find(({ name }) => name === "runtrace");
    const unnamed = all[7]?.name === "node" ? all[7] : undefined;
    const tracer = variant.hasTracer && one === pid ? (named ?? unnamed) : undefined;
    for (const thread of all) {
      if (thread.id === pid) parts.main += thread.ns;
      else if (thread === tracer) parts.tracer += thread.ns;
      else parts.others += thread.ns;
    }
  }
  return parts;
}
