/** See README.md. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    judge: { type: "string" },
    node: { type: "string", default: process.execPath },
    rounds: { type: "string", default: "5" },
  },
});
if (files.length === 0) {
  process.stderr.write("want a trace file: node bench/reader/run.js FILE…\n");
  process.exit(2);
}
const rounds = Number(values.rounds);
const contests = files.flatMap((file) => [
  ...(values.judge === undefined
    ? []
    : [{ name: `check ${file}`, ours: ["check", file], theirs: [values.judge, file], said: numberIn }]),
  {
    name: `dump --format parsed ${file}`,
    ours: ["dump", "--format", "parsed", file],
    theirs: ["go", "tool", "trace", "-d=parsed", file],
    said: ({ bytes }) => String(bytes),
  },
]);

process.stdout.write("| | ours | Go's | ratio | ours, MB | Go's, MB |\n|---|---|---|---|---|---|\n");
for (const { name, ours, theirs, said } of contests) {
  const mine = [];
  const other = [];
  for (let round = 0; round < rounds; round++) {
    const both = [
      async () => mine.push(await measure([values.node, CLI, ...ours])),
      async () => other.push(await measure(theirs)),
    ];
    // Whoever goes first finds the file in other caches.
    for (const one of round % 2 === 0 ? both : both.toReversed()) await one();
  }
  if (said(mine[0]) !== said(other[0])) {
    process.stderr.write(`${name}: got ${said(mine[0])}, Go has ${said(other[0])}\n`);
    process.exitCode = 1;
  }
  const seconds = (all) => median(all.map((one) => one.ms)) / 1000;
  const memory = (all) => median(all.map((one) => one.mb)).toFixed(0);
  const ratio = median(mine.map(({ ms }, i) => ms / other[i].ms)).toFixed(2);
  process.stdout.write(
    `| ${name} | ${seconds(mine).toFixed(2)} s | ${seconds(other).toFixed(2)} s | ${ratio} | ${memory(mine)} | ${memory(other)} |\n`,
  );
}

/** Runs a command to its end: time, what it wrote, the peak of its memory (Linux, looked at every 20 ms). */
async function measure([command, ...args]) {
  const begin = performance.now();
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TZ: "UTC" },
  });
  let bytes = 0;
  let text = "";
  child.stdout.on("data", (chunk) => {
    bytes += chunk.length;
    if (text.length < 1000) text += chunk.toString("latin1");
  });
  let mb = 0;
  const look = setInterval(() => {
    try {
      const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      mb = Math.max(mb, Number(kb ?? 0) / 1000);
    } catch {
      // It has ended, or this is no Linux.
    }
  }, 20);
  const [code] = await once(child, "close");
  clearInterval(look);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}`);
  return { ms: performance.now() - begin, bytes, text, mb };
}

/** The last number that a program printed on its first lines. */
function numberIn({ text }) {
  return /(\d+)(?: events)?\s*$/.exec(text)?.[1];
}

function median(all) {
  const sorted = all.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
