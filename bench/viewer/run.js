/** See README.md. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { serve } from "../../dist/server/serve.js";

const ASSETS = new URL("../../dist/viewer", import.meta.url).pathname;
const SYSTEM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FRAMES = 400;
const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" } },
});
if (files.length === 0) {
  process.stderr.write("want a trace file: node bench/viewer/run.js FILE…\n");
  process.exit(2);
}
const executablePath = SYSTEM.find((path) => existsSync(path)) ?? (await sparticuz.executablePath());

process.stdout.write(
  "| events | first picture, s | whole file, s | memory, MB | frame p50, ms | frame p95, ms |\n|---|---|---|---|---|---|\n",
);
for (const file of files) {
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await open(file));
  const median = (key) => rounds.map((one) => one[key]).toSorted((a, b) => a - b)[rounds.length >> 1];
  const cells = [
    rounds[0].events,
    (median("first") / 1000).toFixed(2),
    (median("whole") / 1000).toFixed(2),
    Math.round(median("memory")),
    median("p50").toFixed(1),
    median("p95").toFixed(1),
  ];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

async function open(file) {
  const served = await serve([file], { host: "127.0.0.1", port: 0, assets: ASSETS });
  const browser = await chromium.launch({
    executablePath,
    args: ["--headless", "--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  let memory = 0;
  const watch = setInterval(() => (memory = Math.max(memory, largestRenderer())), 200);
  await page.goto(served.url);
  await page.waitForSelector("html:not([data-state=loading])", { timeout: 300_000 });
  clearInterval(watch);
  const [events, first, whole] = await page.evaluate(`(() => {
    const at = (name) => performance.getEntriesByName(name)[0].startTime;
    return [document.documentElement.dataset.events, at("runtrace:first-picture"), at("runtrace:ready")];
  })()`);
  const frames = await page.evaluate(`new Promise((done) => {
    const lanes = document.querySelector(".lanes");
    const { left, top } = lanes.getBoundingClientRect();
    const frames = [];
    let last = performance.now();
    const step = (now) => {
      frames.push(now - last);
      last = now;
      const n = frames.length;
      lanes.dispatchEvent(new WheelEvent("wheel", {
        deltaY: n % 80 < 40 ? -60 : 60, ctrlKey: true, clientX: left + 300 + ((n * 37) % 800), clientY: top + 200,
        bubbles: true, cancelable: true,
      }));
      if (n < ${FRAMES}) requestAnimationFrame(step);
      else done(frames.slice(5));
    };
    requestAnimationFrame(step);
  })`);
  await browser.close();
  await served.close();
  frames.sort((a, b) => a - b);
  return {
    events,
    first,
    whole,
    memory,
    p50: frames[frames.length >> 1],
    p95: frames[Math.floor(frames.length * 0.95)],
  };
}

/** Resident memory of the largest process that draws pages, in MB. */
function largestRenderer() {
  let most = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) continue;
      const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      most = Math.max(most, Number(kilobytes ?? 0) / 1024);
    } catch {
      // It has ended meanwhile.
    }
  }
  return most;
}
