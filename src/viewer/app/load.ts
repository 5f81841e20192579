import { batch } from "@preact/signals";
import { laneTotal } from "../core/lanes.ts";
import { fit } from "../core/view.ts";
import type { Answer, LoadedTrace, Request } from "../protocol.ts";
import { applyAddress } from "./history.ts";
import {
  extent,
  failure,
  highlight,
  hitIndex,
  hits,
  isPartial,
  lanes,
  loaded,
  onlyTask,
  order,
  progress,
  query,
  restedView,
  restingView,
  scrollTop,
  selection,
  stage,
  tab,
  view,
} from "./state.ts";
import { NO_HITS } from "../core/find.ts";

/** Loading: one worker a trace, and the page's public signs of it (the data attributes and the marks). */

const root = document.documentElement;
let worker: Worker | null = null;

/** Opens the trace that the page's address asks for: `?file=`, else trace.out beside the page. */
export function openFromAddress(): void {
  const asked = new URLSearchParams(location.search).get("file");
  const url = new URL(asked ?? "trace.out", location.href);
  if (url.origin !== location.origin) {
    fail(
      `${url.href} is on another origin: only traces of ${location.origin} can be opened by address`,
      false,
    );
    return;
  }
  open({ kind: "url", url: url.href });
}

/** Opens a trace by address or from a file, in place of the one shown. */
export function open(request: Request): void {
  worker?.terminate();
  // A dropped file has no address, and what the address says of another trace is nothing of this one.
  if (request.kind === "file") history.replaceState(null, "", location.pathname);
  root.dataset["state"] = "loading";
  isFirstMarked = false;
  batch(() => {
    loaded.value = null;
    failure.value = null;
    isPartial.value = false;
    progress.value = { stage: "Opening", bytes: 0, total: 0 };
  });
  worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", (event: MessageEvent<Answer>) => receive(event.data));
  worker.addEventListener("error", (event) =>
    fail(event.message || "the reader could not be started", false),
  );
  worker.postMessage(request);
}

function fail(message: string, missing: boolean): void {
  root.dataset["state"] = "error";
  batch(() => {
    failure.value = { message, missing };
    progress.value = null;
  });
}

function receive(answer: Answer): void {
  if (answer.kind === "progress") {
    progress.value = answer;
    return;
  }
  if (answer.kind === "preview") {
    showFirst(answer.trace);
    afterPicture(markFirstPicture);
    return;
  }
  worker?.terminate();
  worker = null;
  if (answer.kind === "failed") {
    fail(answer.message, answer.missing);
    return;
  }
  if (loaded.value === null) showFirst(answer.trace);
  else showRest(answer.trace);
  finish();
}

/** Shows a trace, or the first of it, from its beginning to its end. */
function showFirst(trace: LoadedTrace): void {
  batch(() => {
    selection.value = null;
    onlyTask.value = -1;
    order.value = "creation";
    highlight.value = null;
    query.value = "";
    hits.value = NO_HITS;
    hitIndex.value = -1;
    scrollTop.value = 0;
    loaded.value = trace;
    tab.value = "overview";
    showWhole();
  });
  applyAddress();
  document.title = `${trace.name} – runtrace`;
}

/** Puts the whole trace in the place of its first part; whoever has moved keeps what they look at. */
function showRest(trace: LoadedTrace): void {
  const { start, end } = extent.value;
  const isWhole =
    view.value.start <= start && view.value.start + view.value.perPixel * stage.value.width >= end;
  batch(() => {
    // Rows are others now.
    selection.value = null;
    onlyTask.value = -1;
    hits.value = NO_HITS;
    hitIndex.value = -1;
    loaded.value = trace;
    if (isWhole) showWhole();
  });
  if (location.hash !== "") applyAddress();
}

function showWhole(): void {
  view.value = fit(extent.value.start, extent.value.end, stage.value.width, 0.01);
  restingView.value = view.value;
  restedView.value = view.value;
}

function finish(): void {
  progress.value = null;
  root.dataset["events"] = String(loaded.value?.model.events ?? 0);
  root.dataset["lanes"] = String(lanes.value === null ? 0 : laneTotal(lanes.value));
  afterPicture(() => {
    markFirstPicture();
    requestAnimationFrame(() => {
      performance.mark("runtrace:ready");
      root.dataset["state"] = "ready";
    });
  });
}

/** The frame after the next one starts when the picture of now is on screen. */
function afterPicture(then: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(then));
}

let isFirstMarked = false;

function markFirstPicture(): void {
  if (!isFirstMarked) performance.mark("runtrace:first-picture");
  isFirstMarked = true;
}

/** Stops reading: what is shown already stays, and the page says that it is not all. */
export function stopLoading(): void {
  worker?.terminate();
  worker = null;
  if (loaded.value === null) fail("Reading was stopped.", false);
  else {
    isPartial.value = true;
    finish();
  }
}
