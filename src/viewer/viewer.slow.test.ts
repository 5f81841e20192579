import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { serve, type Served } from "../server/serve.ts";
import { writeLargeTrace } from "../testing/large-trace.ts";
import { launch, projectRoot } from "./browser.test.util.ts";

/** A long file in a real browser: its first events are shown before it has been read. */

const root = projectRoot(path.dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(path.join(tmpdir(), "runtrace-viewer-"));
let browser: Browser;
let served: Served;

before(async () => {
  const file = path.join(folder, "long.trace");
  writeLargeTrace(file, 80e6);
  served = await serve([file], { host: "127.0.0.1", port: 0, assets: path.join(root, "dist/viewer") });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await served?.close();
  rmSync(folder, { recursive: true, force: true });
});

const shownEvents = (page: Page): Promise<number> =>
  page
    .locator(".figures b")
    .nth(1)
    .textContent()
    .then((text) => Number((text ?? "").replaceAll(/\D/g, "")));

test("the first events are drawn while the rest is read, and the whole takes their place", async () => {
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForSelector(".banner.reading", { timeout: 60_000 });
  const first = await shownEvents(page);
  await page.waitForSelector("html[data-state=ready]", { timeout: 120_000 });
  const all = await shownEvents(page);
  assert.ok(first > 0 && first < all, `${first} of ${all} events were shown first`);
  assert.equal(String(all), await page.evaluate("document.documentElement.dataset.events"));
  assert.equal(await page.locator(".banner.reading").count(), 0);
  const marks: [name: string, time: number][] = await page.evaluate(
    'performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime])',
  );
  assert.deepEqual(
    marks.map(([name]) => name),
    ["runtrace:first-picture", "runtrace:ready"],
  );
  assert.ok(marks[0]![1] < marks[1]![1]);
  await page.close();
});

test("reading can be stopped: what was read stays", async () => {
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForSelector(".banner.reading", { timeout: 60_000 });
  const first = await shownEvents(page);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.waitForSelector("html[data-state=ready]");
  assert.match((await page.locator(".banner.warn").first().textContent())!, /Reading was stopped/);
  assert.equal(await shownEvents(page), first);
  await page.close();
});
