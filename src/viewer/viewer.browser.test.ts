import assert from "node:assert/strict";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { TraceWriter } from "../encode/writer.ts";
import { readTrace } from "../reading/read-trace.ts";
import { serve, type Served } from "../server/serve.ts";
import { launch, projectRoot } from "./browser.test.util.ts";

/** The built viewer in a real browser, served as `runtrace view` serves it. */

const root = projectRoot(path.dirname(fileURLToPath(import.meta.url)));
const assets = path.join(root, "dist/viewer");
const fixture = path.join(root, "test/fixtures/viewer/annotate.trace");

let folder = "";
let browser: Browser;
let served: Served;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "runtrace-viewer-"));
  const bytes = await readFile(fixture);
  const packed = path.join(folder, "packed.trace");
  const broken = path.join(folder, "broken.trace");
  const noise = path.join(folder, "noise.trace");
  await writeFile(packed, gzipSync(bytes));
  const generations = await readFile(path.join(root, "test/fixtures/viewer/generations.trace"));
  await writeFile(broken, generations.subarray(0, Math.floor(generations.length * 0.95)));
  await writeFile(noise, "this is not a trace at all, it only pretends to be one");
  served = await serve([fixture, packed, broken, noise], { host: "127.0.0.1", port: 0, assets });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await served?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A page that has settled, and everything that went wrong on it. */
async function openPage(
  query = "",
  scheme: "light" | "dark" = "light",
): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: scheme });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  await page.goto(served.url + query);
  await page.waitForSelector("html:not([data-state=loading])", { timeout: 20_000 });
  return { page, problems };
}

const rootData = (page: Page): Promise<Record<string, string>> =>
  page.evaluate("({...document.documentElement.dataset})");

/** Waits until an expression is true (the page's policy forbids what waitForFunction does with text). */
async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(25);
  }
  assert.fail(`never true: ${expression}`);
}

/** Number of different colours in the middle of the lanes. */
const colours = (page: Page): Promise<number> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector(".lanes canvas");
    const { data } = canvas.getContext("2d").getImageData(300, 0, canvas.width - 300, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return seen.size;
  })()`);

for (const scheme of ["light", "dark"] as const) {
  test(`draws a trace, ${scheme}, with its counts and marks, and breaks no policy`, async () => {
    const { page, problems } = await openPage("", scheme);
    const data = await rootData(page);
    assert.equal(data["state"], "ready");
    assert.equal(data["events"], "852");
    assert.ok(Number(data["lanes"]) > 80);
    const marks: string[] = await page.evaluate('performance.getEntriesByType("mark").map(({name}) => name)');
    assert.deepEqual(marks, ["runtrace:first-picture", "runtrace:ready"]);
    assert.ok((await colours(page)) > 12);
    assert.deepEqual(problems, []);
    await page.close();
  });
}

test("clicking a slice shows its details, a link leads to who woke it", async () => {
  const { page, problems } = await openPage();
  const box = (await page.locator(".lanes").boundingBox())!;
  for (let y = 160; y < 330; y += 3) {
    await page.mouse.click(box.x + 700, box.y + y);
    if ((await page.locator(".facts dt", { hasText: /Woken by|Created by/ }).count()) > 0) break;
  }
  const first = await page.locator(".card h3").first().textContent();
  await page.locator(".facts dd .link").first().click();
  await until(page, `document.querySelector(".card h3").textContent !== ${JSON.stringify(first)}`);
  assert.ok(await page.locator(".facts dt", { hasText: "Duration" }).isVisible());
  assert.deepEqual(problems, []);
  await page.close();
});

test("wheel and keys zoom at the pointer, 0 shows all again", async () => {
  const { page } = await openPage();
  const shown = (): Promise<string> => page.evaluate('document.querySelector(".lanes canvas").toDataURL()');
  const all = await shown();
  const box = (await page.locator(".lanes").boundingBox())!;
  await page.mouse.move(box.x + 600, box.y + 200);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(100);
  const zoomed = await shown();
  assert.notEqual(zoomed, all);
  await page.keyboard.press("d");
  await page.waitForTimeout(100);
  assert.notEqual(await shown(), zoomed);
  await page.keyboard.press("0");
  await page.waitForTimeout(400);
  assert.equal(await shown(), all);
  await page.close();
});

test("searching counts its matches and steps through them", async () => {
  const { page, problems } = await openPage();
  await page.keyboard.press("/");
  await page.keyboard.type("job-1");
  await page.keyboard.press("Enter");
  await until(page, '/^1 \\/ \\d+$/.test(document.querySelector(".search output").textContent)');
  await page.keyboard.press("Enter");
  await until(page, '/^2 \\/ \\d+$/.test(document.querySelector(".search output").textContent)');
  assert.match((await page.locator(".card h3").first().textContent())!, /job-1/);
  await page.keyboard.type("no such text");
  await until(page, 'document.querySelector(".search output").textContent === "none"');
  assert.deepEqual(problems, []);
  await page.close();
});

test("a task opens into its instances; one of them shows its activations only", async () => {
  const { page } = await openPage();
  await page.getByRole("tab", { name: "Tasks" }).click();
  await page.getByRole("button", { name: "sub", exact: true }).click();
  const rows = page.locator(".virtual-row");
  assert.ok((await rows.count()) > 3);
  await rows.first().click();
  assert.match((await page.locator(".filter").textContent())!, /only task sub #\d+/);
  await page.locator(".filter").click();
  await page.locator(".filter").waitFor({ state: "detached" });
  await page.close();
});

test("what is selected from a table is scrolled into view", async () => {
  const { page } = await openPage();
  await page.getByRole("tab", { name: "Regions" }).click();
  await page.getByRole("button", { name: "leaf", exact: true }).click();
  await page.locator(".virtual-row").nth(2).click();
  await page.waitForTimeout(400);
  // The selected lane has a bar of the accent colour at its left edge.
  const rows: number = await page.evaluate(`(() => {
    const canvas = document.querySelector(".lanes canvas");
    const { data } = canvas.getContext("2d").getImageData(1, 0, 1, canvas.height);
    let rows = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] === 0x0b && data[i + 1] === 0x63 && data[i + 2] === 0xce) rows++;
    return rows;
  })()`);
  assert.ok(rows >= 20, `${rows} pixels of the bar`);
  await page.close();
});

test("gzip is recognised by its first bytes", async () => {
  const { page, problems } = await openPage("?file=/trace.1.out");
  const data = await rootData(page);
  assert.equal(data["state"], "ready");
  assert.equal(data["events"], "852");
  assert.deepEqual(problems, []);
  await page.close();
});

test("a broken trace shows what was read, and a banner with the offset", async () => {
  const { page } = await openPage("?file=/trace.2.out");
  const data = await rootData(page);
  assert.equal(data["state"], "ready");
  assert.ok(Number(data["events"]) > 100);
  assert.ok((await colours(page)) > 12);
  assert.match(
    (await page.locator(".banner.bad").textContent())!,
    /broken at offset \d.*Shown is what was read before/,
  );
  await page.close();
});

test("what is no trace gives the error state and a message", async () => {
  for (const query of ["?file=/trace.3.out", "?file=https://example.com/trace.out", "?file=/nowhere.out"]) {
    const page = await browser.newPage();
    await page.goto(served.url + query);
    await page.waitForSelector("html[data-state=error]", { timeout: 20_000 });
    assert.ok(((await page.locator(".message").textContent()) ?? "").length > 10, query);
    await page.close();
  }
});

test("a dropped file opens in place", async () => {
  const { page, problems } = await openPage("?file=/trace.1.out");
  await page.locator("input[type=file]").setInputFiles(fixture);
  await until(page, 'document.title.startsWith("annotate.trace")');
  await page.waitForSelector("html[data-state=ready]");
  assert.deepEqual(problems, []);
  await page.close();
});

test("the overview tells what strikes, and a line of it leads to its place", async () => {
  const { page, problems } = await openPage();
  const task = page.locator(".findings button").first();
  assert.match((await task.textContent())!, /^The slowest task, .* #\d+, took .*: .* (running|waiting)/);
  await task.click();
  await until(page, 'document.querySelector("[role=tab][aria-selected=true]").textContent === "Details"');
  await page.getByRole("tab", { name: "Overview" }).click();
  const wait = page.locator("section", { hasText: "Longest waits" }).locator("tbody button").first();
  const name = (await wait.textContent())!;
  await wait.click();
  assert.ok((await page.locator(".panel-body h3").first().textContent())!.length > 0, name);
  assert.deepEqual(problems, []);
  await page.close();
});

test("a link shows the same view, and back and forward go through what was selected", async () => {
  const { page, problems } = await openPage();
  const tabNow = 'document.querySelector("[role=tab][aria-selected=true]").textContent';
  await page.getByRole("tab", { name: "Activations" }).click();
  await page.locator("button.disclosure").first().click();
  await page.locator(".virtual-row").first().click();
  await until(page, `${tabNow} === "Details"`);
  const heading = (await page.locator(".panel-body h3").first().textContent())!;
  await until(page, 'location.hash.includes("span=") && location.hash.includes("tab=details")');
  await page.waitForTimeout(400);
  const link: string = await page.evaluate("location.href");

  await page.goBack();
  await until(page, `${tabNow} === "Activations"`);
  await page.goForward();
  await until(page, `${tabNow} === "Details"`);

  const other = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await other.goto(link);
  await other.waitForSelector("html[data-state=ready]");
  assert.equal(await other.locator(".panel-body h3").first().textContent(), heading);
  await other.waitForTimeout(400);
  assert.equal(await other.evaluate("location.href"), link);
  await other.close();
  assert.deepEqual(problems, []);
  await page.close();
});

test("sums by stack: flame graph, tree, functions and pairs; a choice marks where it occurs", async () => {
  const { page, problems } = await openPage();
  await page.getByRole("tab", { name: "Stacks" }).click();
  await page.waitForSelector(".flame .bar");
  const bars = await page.locator(".flame .bar").count();
  assert.ok(bars > 5, `${bars} bars`);
  const name = "main.annotate.func1.1";
  const bar = page
    .locator(".flame .bar", { hasText: new RegExp(`^${name.replaceAll(".", "\\.")}$`) })
    .first();
  await bar.click();
  await until(page, 'document.querySelector(".search output").textContent !== ""');
  assert.ok((await page.locator(".flame .bar").count()) < bars, "zoomed in");
  await page.locator(".flame .bar").first().click();
  assert.equal(await page.locator(".flame .bar").count(), bars, "and out again");

  await page.getByLabel("Search functions", { exact: true }).fill("WaitGroup");
  assert.match((await page.locator(".stacks p.muted").textContent())!, /^\d.* % of the sum/);
  await page.getByLabel(/^Show/).selectOption("tree");
  assert.ok((await page.locator(".stacks tr.match").count()) > 0, "the search opens the tree");
  await page.getByLabel(/^Show/).selectOption("top");
  assert.match((await page.locator(".stacks tbody").textContent())!, /sync\.\(\*WaitGroup\)\.Wait/);
  await page.getByLabel("Search functions", { exact: true }).fill("");
  await page.getByLabel(/^Show/).selectOption("pairs");
  await page.locator(".stacks tbody button").first().click();
  await until(page, 'document.querySelector("[role=tab][aria-selected=true]").textContent === "Details"');

  await page.getByRole("tab", { name: "Stacks" }).click();
  const whole = (await page.locator(".flame .bar").first().getAttribute("aria-label"))!;
  await page.getByRole("combobox", { name: /^for/ }).selectOption({ label: "chan receive" });
  const isWhole = `document.querySelector(".flame .bar")?.getAttribute("aria-label") === ${JSON.stringify(whole)}`;
  await until(page, `!(${isWhole})`);
  await page.waitForSelector(".flame .bar");
  assert.equal(await page.locator(".flame .bar", { hasText: "(sync)" }).count(), 0);
  await page.getByRole("combobox", { name: /^for/ }).selectOption({ label: "anything" });
  await until(page, isWhole);
  for (const measure of ["running", "runnable", "syscall", "samples", "waits"]) {
    await page.getByRole("combobox", { name: /^Sum/ }).selectOption(measure);
    await page.waitForSelector(".flame .bar, .stacks .empty");
  }
  assert.deepEqual(problems, []);
  await page.close();
});

test("tables are sorted both ways, filtered by a bar, grouped, and saved", async () => {
  const { page, problems } = await openPage();
  await page.getByRole("tab", { name: "Tasks" }).click();
  const names = (): Promise<string[]> => page.locator(".data tbody th").allTextContents();
  await page.getByRole("button", { name: "Task type" }).click();
  const ascending = await names();
  assert.deepEqual(ascending, ascending.toSorted());
  await page.getByRole("button", { name: "Task type" }).click();
  assert.deepEqual(await names(), ascending.toReversed());
  await until(page, 'document.querySelector(".data th[aria-sort=descending]") !== null');

  await page.locator("button.disclosure").first().click();
  const all = Number(await page.locator(".virtual").getAttribute("aria-rowcount"));
  await page.locator(".histogram").first().locator(".histogram-step").first().click();
  const some = Number(await page.locator(".virtual").getAttribute("aria-rowcount"));
  assert.ok(some > 1 && some < all, `${some} of ${all} rows`);
  await page.locator("button.filter").click();
  assert.equal(Number(await page.locator(".virtual").getAttribute("aria-rowcount")), all);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).first().click(),
  ]);
  assert.equal(download.suggestedFilename(), "tasks-by-type.csv");
  const csv = await readFile(await download.path(), "utf8");
  const [head, ...lines] = csv.trim().split("\r\n");
  assert.equal(head, "Task type,Count,p50,p90,p99,Max");
  assert.equal(lines.length, ascending.length);

  await page.getByRole("tab", { name: "Logs" }).click();
  const logs = Number(await page.locator(".virtual").getAttribute("aria-rowcount"));
  await page.getByLabel("Filter logs").fill("start");
  const starts = Number(await page.locator(".virtual").getAttribute("aria-rowcount"));
  assert.ok(starts > 1 && starts < logs, `${starts} of ${logs} logs`);
  await page.getByRole("combobox", { name: /^Group by/ }).selectOption("category");
  assert.match((await names())[0]!, /start/);
  await page.locator("button.disclosure").first().click();
  await page.locator(".virtual-row").first().click();
  await until(page, 'document.querySelector("[role=tab][aria-selected=true]").textContent === "Details"');
  assert.deepEqual(problems, []);
  await page.close();
});

test("scheduler latency by buckets, utilization by flags; both lead to their time", async () => {
  const { page, problems } = await openPage();
  const tabNow = 'document.querySelector("[role=tab][aria-selected=true]").textContent';
  await page.getByRole("tab", { name: "Latency" }).click();
  const rows = (): Promise<number> => page.locator(".virtual").getAttribute("aria-rowcount").then(Number);
  const all = await rows();
  await page.locator(".card button.link").last().click();
  const last = await rows();
  assert.ok(last > 1 && last < all, `${last} of ${all}`);
  await page.locator(".virtual-row").first().click();
  await until(page, `${tabNow} === "Details"`);

  await page.getByRole("tab", { name: "GC" }).click();
  const line = (): Promise<string | null> => page.locator(".mmu polyline").first().getAttribute("points");
  const whole = await line();
  assert.ok(whole!.split(" ").length === 100);
  await page.getByLabel("percentiles").check();
  assert.equal(await page.locator(".mmu polyline").count(), 4);
  await page.getByLabel("stop-the-world").uncheck();
  assert.notEqual(await line(), whole);
  await page.locator(".card button.link").first().click();
  assert.deepEqual(problems, []);
  await page.close();
});

for (const scheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious on any tab, ${scheme}`, async () => {
    const { page } = await openPage("", scheme);
    await page.evaluate(
      await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
    );
    const tabs = await page.getByRole("tab").allTextContents();
    assert.ok(tabs.length >= 9);
    for (const name of tabs) {
      await page.getByRole("tab", { name, exact: true }).click();
      const disclosure = page.locator("button.disclosure").first();
      if ((await disclosure.count()) > 0) await disclosure.click();
      const found: string[] = await page.evaluate(`axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")))`);
      assert.deepEqual(found, [], name);
    }
    await page.close();
  });
}

test("the palette finds commands, tasks and activations; U walks along who woke whom", async () => {
  const { page, problems } = await openPage();
  const tabNow = 'document.querySelector("[role=tab][aria-selected=true]").textContent';
  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette", { state: "visible" });
  await page.keyboard.type("logs");
  await page.keyboard.press("Enter");
  await until(page, `${tabNow} === "Logs"`);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette", { state: "visible" });
  await page.keyboard.type("annotate.func1 #29");
  await page.keyboard.press("Enter");
  await until(page, `${tabNow} === "Details"`);
  const heading = (): Promise<string | null> => page.locator(".panel-body h3").first().textContent();
  const first = await heading();
  assert.match(first!, /func1 #29/);
  await page.keyboard.press("u");
  await until(page, `document.querySelector(".panel-body h3").textContent !== ${JSON.stringify(first)}`);
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.palette", { state: "hidden" });
  assert.deepEqual(problems, []);
  await page.close();
});

test("frames show the source around them where the server has it", async () => {
  const place = await mkdtemp(path.join(tmpdir(), "runtrace-source-"));
  try {
    const trace = path.join(place, "own.trace");
    const program = path.join(place, "program.go");
    await writeFile(program, Array.from({ length: 40 }, (_, i) => `// line ${i + 1} <b>`).join("\n"));
    const written: Uint8Array[] = [];
    const writer = new TraceWriter({
      version: 25,
      write: (bytes) => void written.push(bytes.slice()),
      snapshot: () => ({ mono: 1, wallSec: 1, wallNsec: 1 }),
      strict: true,
    });
    const stack = writer.stack([{ func: "main.wait", file: program, line: 20 }]);
    writer.procStart(1, 10, 0);
    writer.goCreate(1, 20, 1, stack, 0);
    writer.goStart(1, 30, 1);
    writer.goBlock(1, 1_000, "sleep", stack);
    writer.goUnblock(1, 9_000, 1, 0);
    writer.goStart(1, 9_100, 1);
    writer.end();
    await writeFile(trace, Buffer.concat(written));
    const own = await serve([trace], { host: "127.0.0.1", port: 0, assets, root: place });
    const page = await browser.newPage();
    await page.goto(own.url);
    await page.waitForSelector("html[data-state=ready]");
    await page.locator("section", { hasText: "Longest waits" }).locator("tbody button").first().click();
    await page.locator("button.place").first().click();
    await page.waitForSelector("pre.source");
    assert.equal(await page.locator("pre.source .current").textContent(), "20// line 20 <b>\n");
    await page.close();
    await own.close();
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});

test("a range is measured by dragging with Alt, and two fingers zoom", async () => {
  const { page, problems } = await openPage();
  const box = (await page.locator(".lanes").boundingBox())!;
  await page.keyboard.down("Alt");
  await page.mouse.move(box.x + 400, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 600, box.y + 210, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up("Alt");
  assert.match((await page.locator("[role=status].hidden").textContent())!, /^[\d.]+ [µm]s measured$/);
  await page.waitForTimeout(400);
  assert.equal(await page.evaluate("location.hash"), "", "the view stays");

  await page.evaluate(`(() => {
    const lanes = document.querySelector(".lanes");
    lanes.setPointerCapture = () => {};
    const { left, top } = lanes.getBoundingClientRect();
    const touch = (type, pointerId, x) => lanes.dispatchEvent(new PointerEvent(type, {
      pointerId, pointerType: "touch", clientX: left + x, clientY: top + 200, bubbles: true,
    }));
    touch("pointerdown", 11, 500);
    touch("pointerdown", 12, 600);
    for (let x = 600; x <= 900; x += 50) touch("pointermove", 12, x);
    touch("pointerup", 12, 900);
    touch("pointerup", 11, 500);
  })()`);
  await until(page, 'location.hash.includes("t=")');
  const [, from, to] = /t=(-?\d+)-(\d+)/.exec(await page.evaluate("location.hash"))!;
  const shown = Number(to) - Number(from);
  assert.ok(shown < 3.1e6 / 3.5 && shown > 3.1e6 / 5, `${shown} ns are shown of 3.1 ms, want a quarter`);
  assert.deepEqual(problems, []);
  await page.close();
});

test("everything can be reached by keyboard, and has a name", async () => {
  const { page } = await openPage();
  const seen = new Set<string>();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    seen.add(
      await page.evaluate(`(() => {
        const at = document.activeElement;
        return at.getAttribute("aria-label") || at.textContent.trim() || at.tagName;
      })()`),
    );
  }
  for (const name of ["Help", "Overview", "Height of the panel", "running"])
    assert.ok(seen.has(name), `${name} of ${[...seen].join("; ")}`);
  assert.ok([...seen].some((name) => name.startsWith("Timeline.")));
  await page.locator(".lanes").focus();
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.help", { state: "visible" });
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.help", { state: "hidden" });
  await page.close();
});

test("the page fits its window at any size", async () => {
  const { page } = await openPage();
  for (const [width, height] of [
    [800, 600],
    [1920, 1080],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(100);
    const overflow = await page.evaluate(
      "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]",
    );
    assert.deepEqual(overflow, [width, height]);
    assert.ok((await colours(page)) > 10, "drawn again after the change");
  }
  await page.close();
});

interface PublicReader {
  readTrace(source: unknown): AsyncIterable<{ readonly kind: string }>;
}

test("the public reader reads a trace in a browser, gzipped or not", async (t) => {
  const files: Readonly<Record<string, string>> = {
    "/reader.js": path.join(root, "dist/reader.js"),
    "/plain": fixture,
    "/packed": path.join(folder, "packed.trace"),
  };
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    response.setHeader("Content-Type", file?.endsWith(".js") === true ? "text/javascript" : "text/html");
    if (file === undefined)
      response.end(
        '<!doctype html><script type="module">import * as reader from "/reader.js"; globalThis.reader = reader;</script>',
      );
    else createReadStream(file).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("globalThis.reader !== undefined");
  const counts = await page.evaluate(async () => {
    const { reader } = globalThis as unknown as { reader: PublicReader };
    const found: Record<string, number>[] = [];
    for (const name of ["/plain", "/packed"]) {
      for (const asStream of [true, false]) {
        const answer = await fetch(name);
        const kinds: Record<string, number> = {};
        const source = asStream ? answer.body : await answer.arrayBuffer();
        for await (const { kind } of reader.readTrace(source)) kinds[kind] = (kinds[kind] ?? 0) + 1;
        found.push(kinds);
      }
    }
    return found;
  });
  await page.close();
  const want: Record<string, number> = {};
  for await (const { kind } of readTrace(fixture)) want[kind] = (want[kind] ?? 0) + 1;
  assert.ok(want["StateTransition"]! > 10);
  assert.deepEqual(counts, [want, want, want, want]);
});
