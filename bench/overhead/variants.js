/**
 * What runs side by side: the program as it is, its twin, the program recorded, and what others record with. A variant
 * is a name, how to start a program so (`command(node, program, scratch)`; files go into the folder `scratch`), and
 * whether it is ours, with a tracer thread.
 */
import { join } from "node:path";

const HERE = import.meta.dirname;
const DIST = join(HERE, "..", "..", "dist");
const CLI = join(DIST, "cli.js");
const REGISTER = join(DIST, "register.js");

const plain = (node, program) => ({ command: [node, ...program] });

const recorded = (cpu) => ({
  name: `runtrace --cpu ${cpu}`,
  hasTracer: true,
  command: (node, program, scratch) => ({
    command: [node, CLI, "run", "-o", join(scratch, `cpu-${cpu}.out`), "--cpu", cpu, "--", ...program],
  }),
});

/** The reference, and the measure of noise: the same once more. */
export const BASE = { name: "untraced", command: plain };
export const TWIN = { name: "untraced twin", command: plain };

export const WITH_SAMPLES = recorded("100");
export const WITHOUT_SAMPLES = recorded("off");

/** The same without the command line, which is a process of its own. */
export const PRELOADED = {
  name: "node --require runtrace/register",
  hasTracer: true,
  command: (node, program, scratch) => ({
    command: [node, "--require", REGISTER, ...program],
    env: { RUNTRACE_OUT: join(scratch, "preloaded.out") },
  }),
};

/** Ready to record, and not recording. */
export const DORMANT = {
  name: "runtrace dormant",
  command: (node, program, scratch) => ({
    command: [node, "--require", REGISTER, ...program],
    env: { RUNTRACE_MODE: "dormant", RUNTRACE_OUT: join(scratch, "dormant.out") },
  }),
};

/** The last seconds in memory, with a trigger that never fires. */
export const FLIGHT = {
  name: "runtrace flight recorder",
  hasTracer: true,
  command: (node, program, scratch) => ({
    command: [node, "--require", REGISTER, ...program],
    env: { RUNTRACE_FLIGHT: `lag:600s,out:${join(scratch, "flight-%p-%n.out")}` },
  }),
};

/** What others record with; `for` names the scenarios in which it makes sense. */
export const COMPETITORS = [
  {
    name: "node --cpu-prof",
    for: "abc",
    command: (node, program, scratch) => ({
      command: [node, "--cpu-prof", `--cpu-prof-dir=${scratch}`, ...program],
    }),
  },
  {
    name: "node trace events (async_hooks, http, v8)",
    for: "a",
    command: (node, program, scratch) => ({
      command: [
        node,
        "--trace-event-categories=node.async_hooks,node.http,v8",
        `--trace-event-file-pattern=${join(scratch, "events-${rotation}.json")}`,
        ...program,
      ],
    }),
  },
  preloaded("OpenTelemetry, http only", "a", "open-telemetry.cjs"),
  preloaded("async_hooks, empty init, before, after", "ab", "empty-hooks.cjs"),
  preloaded("async_hooks, the same with destroy", "ab", "empty-hooks-destroy.cjs"),
];

function preloaded(name, scenarios, file) {
  return {
    name,
    for: scenarios,
    command: (node, program) => ({
      command: [node, "--require", join(HERE, "programs", file), ...program],
    }),
  };
}
