/**
 * The scenarios: which program, which variants, what is measured. Each yields series of measurements, one value a
 * round, of all variants: `{ title, unit, combine, series: [{ name, values, target? }], notes }`; the first two series
 * are the untraced program and its twin.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenCpu, residentMegabytes } from "./cpu.js";
import { cpuOf, ownSlice, startVariant, stopVariant } from "./process.js";
import { difference, ratio, shuffled } from "./stats.js";
import { droppedFacts } from "./traces.js";
import {
  BASE,
  COMPETITORS,
  DORMANT,
  FLIGHT,
  PRELOADED,
  TWIN,
  WITH_SAMPLES,
  WITHOUT_SAMPLES,
} from "./variants.js";

const HERE = import.meta.dirname;
const source = (name) => join(HERE, "programs", name);

/** Requests a slice: some 200 ms of the untraced server. */
const REQUESTS = 1000;
const CONNECTIONS = 32;
/** Requests a second of the open loop, and how many a slice. */
const RATE = 400;
const RATED_REQUESTS = 800;

export const SCENARIOS = {
  a: (run) =>
    servers(run, "a: HTTP server, 25 awaits a request", [WITHOUT_SAMPLES, WITH_SAMPLES, FLIGHT], {
      limit: 1.1,
      goal: 1.05,
    }),
  b: (run) =>
    ownWork(run, "b", "b: awaits only", "awaits.mjs", 300_000, [WITHOUT_SAMPLES], { limit: 3, goal: 2 }),
  c: (run) =>
    ownWork(
      run,
      "c",
      "c: CPU-bound, nothing asynchronous",
      "busy.mjs",
      500,
      [WITHOUT_SAMPLES, WITH_SAMPLES],
      { limit: 1.03 },
    ),
  d: dormant,
  e: latencyAndMemory,
  f: startUp,
};

async function servers(run, title, variants, target) {
  const load = run.load();
  const command = [source("server.mjs")];
  const slice = ({ port }) => load.ask({ port, requests: REQUESTS, connections: CONNECTIONS });
  return [await cpuRounds(run, { key: "a", title, command, variants, target, slice, count: REQUESTS })];
}

async function ownWork(run, key, title, file, size, variants, target) {
  const slice = (running) => ownSlice(running, size);
  return [
    await cpuRounds(run, { key, title, command: [source(file)], variants, target, slice, count: size }),
  ];
}

async function dormant(run) {
  const title = "d: HTTP server, ready to record but not recording";
  return servers({ ...run, competitors: false }, title, [DORMANT], { limit: 1.02 });
}

/** CPU of slices in shuffled order, all variants running side by side. */
async function cpuRounds(run, { key, title, command, variants, target, slice, count }) {
  const others = run.competitors ? COMPETITORS.filter((variant) => variant.for.includes(key)) : [];
  const all = [BASE, TWIN, ...variants, ...others];
  const running = await startAll(run, all, command);
  for (const one of running) for (let i = 0; i < run.warmUps; i++) await slice(one);
  for (let round = 0; round < run.rounds; round++) {
    run.progress(title, round);
    for (const one of shuffled(running)) one.cpu[round] = (await cpuOf(one, slice)) / count / 1000;
  }
  for (const one of running) await stopVariant(one);
  return {
    title,
    unit: "us CPU",
    combine: ratio,
    series: running.map(({ variant, cpu, split }) => ({
      name: variant.name,
      values: cpu,
      split: mapValues(split, (ns) => ns / count / run.rounds / 1000),
      ...(variants.includes(variant) ? { target } : {}),
    })),
    notes: droppedFacts(run.scratch),
  };
}

/** Latency at a fixed rate, the same schedule for all variants, and the memory of the process. */
async function latencyAndMemory(run) {
  const load = run.load();
  const variants = [WITHOUT_SAMPLES, WITH_SAMPLES];
  const others = run.competitors ? COMPETITORS.filter((variant) => variant.for.includes("a")) : [];
  const running = await startAll(run, [BASE, TWIN, ...variants, ...others], [source("server.mjs")]);
  const results = running.map(() => ({ p99: [], memory: [] }));
  const slice = ({ port }) => load.ask({ port, requests: RATED_REQUESTS, rate: RATE });
  for (const one of running) for (let i = 0; i < run.warmUps; i++) await slice(one);
  for (let round = 0; round < run.rounds; round++) {
    run.progress("e: latency and memory", round);
    for (const index of shuffled(running.keys())) {
      const { p99 } = await slice(running[index]);
      results[index].p99[round] = p99;
      results[index].memory[round] = residentMegabytes(running[index].pid);
      await sleep(100);
    }
  }
  for (const one of running) await stopVariant(one);
  const series = (part, target) =>
    running.map(({ variant }, index) => ({
      name: variant.name,
      values: results[index][part],
      ...(variants.includes(variant) ? { target } : {}),
    }));
  return [
    {
      title: `e: 99th percentile of latency at ${RATE} requests a second`,
      unit: "ms",
      combine: ratio,
      series: series("p99", { limit: 1.15 }),
      notes: [],
    },
    {
      title: "e: resident memory",
      unit: "MB",
      combine: difference,
      series: series("memory", { limit: 64 }),
      notes: [],
    },
  ];
}

/** Whole runs of large tools, from start to end, with an empty cache and with a filled one. */
async function startUp(run) {
  const bin = (name) => join(HERE, "node_modules", name);
  const lint = [bin("eslint/bin/eslint.js"), "--config", source("eslint.config.cjs"), source("server.mjs")];
  const tools = [
    ["eslint --version", [bin("eslint/bin/eslint.js"), "--version"]],
    ["eslint of one file", lint],
    ["tsc -v", [bin("typescript/lib/tsc.js"), "-v"]],
  ];
  const groups = [];
  for (const [name, command] of tools) groups.push(...(await wholeRuns(run, `f: ${name}`, command)));
  return groups;
}

async function wholeRuns(run, title, command) {
  const warm = join(run.scratch, "warm-cache");
  const kinds = [
    { name: BASE.name, variant: BASE },
    { name: TWIN.name, variant: TWIN },
    { name: "runtrace, cold cache", variant: WITH_SAMPLES, target: { limit: 2 }, cold: true },
    { name: "runtrace, warm cache", variant: WITH_SAMPLES, target: { limit: 1.3 } },
    { name: `${PRELOADED.name}, warm cache`, variant: PRELOADED },
  ].map((kind) => ({ ...kind, wall: [], cpu: [] }));
  for (const kind of kinds) await wholeRun(run, kind.variant, command, warm);
  for (let round = 0; round < run.rounds; round++) {
    run.progress(title, round);
    for (const kind of shuffled(kinds)) {
      const cache = kind.cold ? mkdtempSync(join(run.scratch, "cold-")) : warm;
      const { milliseconds, cpu } = await wholeRun(run, kind.variant, command, cache);
      kind.wall[round] = milliseconds;
      kind.cpu[round] = cpu / 1e6;
    }
  }
  const series = (part) =>
    kinds.map((kind) => ({
      name: kind.name,
      values: kind[part],
      ...(kind.target === undefined ? {} : { target: kind.target }),
    }));
  return [
    {
      title: `${title}, from start to end`,
      unit: "ms",
      combine: ratio,
      series: series("wall"),
      notes: [],
    },
    { title: `${title}, CPU`, unit: "ms CPU", combine: ratio, series: series("cpu"), notes: [] },
  ];
}

async function wholeRun(run, variant, program, cache) {
  mkdirSync(cache, { recursive: true });
  const { command, env } = variant.command(run.node, program, run.scratch);
  const cpu = childrenCpu();
  const begin = performance.now();
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env, XDG_CACHE_HOME: cache },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${variant.name}: ${program.join(" ")} ended with ${code}`);
  return { milliseconds: performance.now() - begin, cpu: childrenCpu() - cpu };
}

async function startAll(run, variants, command) {
  const running = [];
  for (const variant of variants) running.push(await startVariant(variant, run.node, command, run.scratch));
  return running;
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
