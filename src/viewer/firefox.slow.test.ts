import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { firefox } from "playwright-core";
import { serve } from "../server/serve.ts";
import { projectRoot } from "./browser.test.util.ts";

/** The page in Firefox, where playwright has one. */

const root = projectRoot(path.dirname(fileURLToPath(import.meta.url)));
// Only playwright's own build can be driven; there is none on most machines.
const isThere = existsSync(firefox.executablePath());

test("Firefox shows a trace, its overview and its stacks", { skip: !isThere && "no Firefox" }, async () => {
  const fixture = path.join(root, "test/fixtures/viewer/annotate.trace");
  const assets = path.join(root, "dist/viewer");
  const served = await serve([fixture], { host: "127.0.0.1", port: 0, assets });
  const browser = await firefox.launch({ headless: true });
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(served.url);
    await page.waitForSelector("html[data-state=ready]");
    assert.ok((await page.locator(".findings button").count()) > 0);
    await page.getByRole("tab", { name: "Stacks" }).click();
    await page.waitForSelector(".flame .bar");
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
    await served.close();
  }
});
