/**
 * Makes the pictures of docs/viewer.md anew: `node scripts/pictures.js`. Records the demo, opens it and a trace of Go in
 * headless Chromium, and writes docs/viewer-*.png.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { serve } from "../dist/server/serve.js";
import { ROOT } from "./setup.js";

const folder = mkdtempSync(join(tmpdir(), "runtrace-pictures-"));
const demo = join(folder, "coffee-shop.trace");
const go = join(ROOT, "test", "fixtures", "model", "go126-http.out");
const program = join(ROOT, "dist", "demo", "coffee-shop.js");
const run = spawnSync(process.execPath, [
  join(ROOT, "dist", "cli.js"),
  "run",
  "-o",
  demo,
  "--",
  "node",
  "--enable-source-maps",
  program,
]);
if (run.status !== 0) throw new Error(String(run.stderr));
const served = await serve([demo, go], { host: "127.0.0.1", port: 0, assets: join(ROOT, "dist", "viewer") });
const browser = await chromium.launch({
  executablePath: await sparticuz.executablePath(),
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});

async function picture(name, address, act, colorScheme = "light") {
  const page = await browser.newPage({ viewport: { width: 1280, height: 820 }, colorScheme });
  await page.goto(served.url + address);
  await page.waitForSelector("html[data-state=ready]");
  await act(page);
  await page.mouse.move(5, 815);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(ROOT, "docs", `viewer-${name}.png`) });
  await page.close();
}

await picture("overview", "", async () => {});
await picture("task", "", async (page) => {
  await page.locator(".findings button").first().click();
});
await picture(
  "stacks",
  "",
  async (page) => {
    await page.getByRole("tab", { name: "Stacks" }).click();
  },
  "dark",
);
await picture("gc", "?file=trace.1.out", async (page) => {
  await page.getByRole("tab", { name: "GC" }).click();
  await page.getByLabel("percentiles").check();
});
await browser.close();
await served.close();
rmSync(folder, { recursive: true });
