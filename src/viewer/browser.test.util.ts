/** A real browser for tests of the page. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import sparticuz from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SYSTEM = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];

/** The nearest folder upwards that holds the package. */
export function projectRoot(from: string): string {
  let at = from;
  while (!existsSync(path.join(at, "test/fixtures/viewer"))) {
    const up = path.dirname(at);
    assert.notEqual(up, at, "no test/fixtures/viewer above this file");
    at = up;
  }
  return at;
}

/** Chromium: the system's, else the one of the package. */
export async function launch(): Promise<Browser> {
  const system = SYSTEM.find((file) => existsSync(file));
  return await chromium.launch({
    executablePath: system ?? (await sparticuz.executablePath()),
    // Not the package's own arguments: they run all in one process and switch web security off.
    args: FLAGS,
    headless: true,
  });
}
