/**
 * Makes the pictures of docs/ anew: `node scripts/pictures.js`, or only some: `node scripts/pictures.js viewer-gc tests`.
 * Records the demo, and what each guide is about by the guide's own entrance (pictures/record.js), opens the traces in
 * headless Chromium, and writes docs/NAME.png. What is to be seen is chosen by name, so that every recording shows it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { openTrace } from "../dist/cli/open.js";
import { buildModel } from "../dist/model/build.js";
import { serve } from "../dist/server/serve.js";
import { ofAttach, ofDemo, ofFlightRecorder, ofPprof, ofRun, ofTests } from "./pictures/record.js";
import { longestRun, longestWait, middleTask, toAddress } from "./pictures/show.js";
import { ROOT } from "./setup.js";

const folder = mkdtempSync(join(tmpdir(), "runtrace-pictures-"));
const go = join(ROOT, "test", "fixtures", "model", "go126-http.out");
/** Recordings that several pictures show are made once. */
const demo = once(() => ofDemo(folder));

/** By name: how the trace is recorded, where the page is opened for its model, what is done there, and in which colours. */
const PICTURES = {
  "viewer-overview": { of: demo },
  "viewer-task": { of: demo, act: (page) => page.locator(".findings button").first().click() },
  "viewer-stacks": { of: demo, show: () => ({ tab: "stacks" }), colours: "dark" },
  "viewer-gc": {
    of: () => go,
    show: () => ({ tab: "gc" }),
    act: (page) => page.getByLabel("percentiles").check(),
  },
  attach: { of: () => ofAttach(folder) },
  "flight-recorder": {
    of: () => ofFlightRecorder(folder),
    show: (model) => ({ ...longestRun(model), tab: "details" }),
  },
  frameworks: {
    of: () => ofRun(folder),
    show: (model) => ({ ...middleTask(model, "POST /orders"), tab: "tasks" }),
  },
  pprof: { of: () => ofPprof(folder), show: () => ({ tab: "stacks" }) },
  tests: {
    of: () => ofTests(folder),
    show: (model) => ({ ...longestWait(model, "Cart.#save"), tab: "details" }),
    height: 960,
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in PICTURES));
if (unknown !== undefined) throw new Error(`no picture ${unknown}, want ${Object.keys(PICTURES).join(", ")}`);
const browser = await chromium.launch({
  executablePath: await sparticuz.executablePath(),
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
try {
  for (const [name, picture] of Object.entries(PICTURES))
    if (wanted.length === 0 || wanted.includes(name)) await take(name, picture);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

async function take(name, { of, show = () => ({}), act = async () => {}, colours = "light", height = 820 }) {
  const file = await of();
  const served = await serve([file], { host: "127.0.0.1", port: 0, assets: join(ROOT, "dist", "viewer") });
  const source = await openTrace(file, true);
  const address = toAddress(show(buildModel(source)));
  source.close();
  const page = await browser.newPage({ viewport: { width: 1280, height }, colorScheme: colours });
  await page.goto(`${served.url}#${address}`);
  await page.waitForSelector("html[data-state=ready]");
  await act(page);
  await page.evaluate(withoutFolder, `${ROOT}/`);
  await page.mouse.move(5, height - 5);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(ROOT, "docs", `${name}.png`) });
  await page.close();
  await served.close();
}

/** In the page: paths are those of the checkout, wherever it is. */
function withoutFolder(path) {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
    text.data = text.data.replaceAll(path, "");
}

function once(make) {
  let made;
  return () => (made ??= make());
}
