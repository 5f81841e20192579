/** See README.md. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: "string", default: "sched" },
    node: { type: "string", default: process.execPath },
    rounds: { type: "string", default: "3" },
  },
});
if (files.length === 0) {
  process.stderr.write("want a trace file: node bench/profile/run.js FILE…\n");
  process.exit(2);
}
const { type, node } = values;
// The tool itself: `go tool` would be another process, whose memory is not the tool's.
const tool = execFileSync("go", ["tool", "-n", "trace"], { encoding: "utf8" }).trim();

process.stdout.write(
  "| | ours | Go's | ratio | ours, MB | Go's, MB | ratio |\n|---|---|---|---|---|---|---|\n",
);
for (const file of files) {
  const ours = [];
  const theirs = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const both = [
      async () => ours.push(await measure([node, CLI, "pprof", type, "--compat", file])),
      async () => theirs.push(await measure([tool, `-pprof=${type}`, file])),
    ];
    // Whoever goes first finds the file in other caches.
    for (const one of round % 2 === 0 ? both : both.toReversed()) await one();
  }
  if (ours[0].sums !== theirs[0].sums) {
    process.stderr.write(`${file}: got ${ours[0].sums}, Go has ${theirs[0].sums}\n`);
    process.exitCode = 1;
  }
  const middle = (all, key) => median(all.map((one) => one[key]));
  const ratio = (key) => median(ours.map((one, i) => one[key] / theirs[i][key])).toFixed(3);
  const row = [
    `pprof ${type} ${file}`,
    `${(middle(ours, "ms") / 1000).toFixed(2)} s`,
    `${(middle(theirs, "ms") / 1000).toFixed(2)} s`,
    ratio("ms"),
    middle(ours, "mb").toFixed(0),
    middle(theirs, "mb").toFixed(0),
    ratio("mb"),
  ];
  process.stdout.write(`| ${row.join(" | ")} |\n`);
}

/** Runs a command to its end: time, the sums of the profile it wrote, the peak of its memory, looked at every 20 ms. */
async function measure([command, ...args]) {
  const begin = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  let mb = 0;
  const look = setInterval(() => {
    try {
      const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      mb = Math.max(mb, Number(kb ?? 0) / 1000);
    } catch {
      // It has ended.
    }
  }, 20);
  const [code] = await once(child, "close");
  const ms = performance.now() - begin;
  clearInterval(look);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}`);
  const { sample } = Profile.decode(gunzipSync(Buffer.concat(chunks)));
  const sum = (at) => sample.reduce((total, { value }) => total + BigInt(value[at]), 0n);
  return { ms, mb, sums: `${sample.length} samples, ${sum(0)} waits, ${sum(1)} ns` };
}

function median(all) {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
