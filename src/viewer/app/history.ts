import { batch, effect, untracked } from "@preact/signals";
import { DEFAULT_SHOWN, fromAddress, toAddress, type Shown } from "../core/address.ts";
import { ORDERS, type Order } from "../core/lanes.ts";
import { fit } from "../core/view.ts";
import {
  boundsOf,
  extent,
  loaded,
  onlyInView,
  onlyTask,
  order,
  query,
  search,
  selection,
  setView,
  stage,
  tab,
  TABS,
  view,
  type Selection,
  type Tab,
} from "./state.ts";

/**
 * Keeps the address and the page alike. What one selects, opens or filters is a step to go back from; moving the view only
 * changes the address of the step, once it has come to rest.
 */

const KNOWN = { tabs: TABS.map(([id]) => id), orders: Object.keys(ORDERS) };
/** How long the view rests before the address follows, in ms. */
const REST_MS = 250;

let last: Shown = DEFAULT_SHOWN;
let isApplying = false;

function shownNow(): Shown {
  const { start, end } = extent.value;
  const { start: from, perPixel } = view.value;
  const to = from + perPixel * stage.value.width;
  const isWhole = from <= start && to >= end;
  return {
    range: isWhole ? null : { start: from - start, end: to - start },
    tab: tab.value,
    selection: selection.value,
    task: onlyTask.value,
    order: order.value,
    allLanes: !onlyInView.value,
    query: query.value,
  };
}

function write(): void {
  if (loaded.value === null || isApplying) return;
  const now = shownNow();
  const hash = toAddress(now);
  if (hash === toAddress(last)) return;
  const isStep = toAddress({ ...now, range: null }) !== toAddress({ ...last, range: null });
  last = now;
  const url = `${location.pathname}${location.search}${hash === "" ? "" : `#${hash}`}`;
  if (isStep) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

/** Shows what the address says. */
export function applyAddress(): void {
  const trace = loaded.value;
  if (trace === null) return;
  const shown = fromAddress(location.hash, KNOWN);
  isApplying = true;
  batch(() => {
    const { selection: chosen } = shown;
    order.value = shown.order as Order;
    onlyInView.value = !shown.allLanes;
    onlyTask.value = shown.task < trace.model.tasks.count ? shown.task : -1;
    if (shown.query !== query.value) search(shown.query);
    // A row that this trace does not have selects nothing.
    const target = chosen as Selection | null;
    const bounds = target === null ? null : boundsOf(target);
    selection.value = bounds !== null && bounds.start !== undefined ? target : null;
    tab.value = shown.tab as Tab;
    const { start, end } = extent.value;
    const range = shown.range ?? { start: 0, end: end - start };
    const margin = shown.range === null ? 0.01 : 0;
    setView(fit(start + range.start, start + range.end, stage.value.width, margin));
  });
  last = shownNow();
  isApplying = false;
}

/** Begins to follow; call it once. */
export function followAddress(): void {
  let rest: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    void view.value;
    clearTimeout(rest);
    rest = setTimeout(write, REST_MS);
  });
  effect(() => {
    void [selection.value, tab.value, onlyTask.value, order.value, onlyInView.value, query.value];
    untracked(write);
  });
  addEventListener("popstate", applyAddress);
}
