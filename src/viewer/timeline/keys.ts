import {
  boundsOf,
  extent,
  goToWaker,
  helpOpen,
  hits,
  measured,
  paletteOpen,
  scrollTo,
  scrollTop,
  select,
  selection,
  setView,
  showAll,
  showRange,
  stage,
  stepHit,
  stepSlice,
  view,
} from "../app/state.ts";
import { pan, zoomAt } from "../core/view.ts";

/** Keys of the timeline. Moves go on while a key is held, at a speed of the screen's size, not of its repeat. */

/** Directions by key: [zoom, horizontal, vertical]. */
const MOVES: Readonly<Record<string, readonly [number, number, number]>> = {
  w: [-1, 0, 0],
  s: [1, 0, 0],
  a: [0, -1, 0],
  d: [0, 1, 0],
  ArrowLeft: [0, -1, 0],
  ArrowRight: [0, 1, 0],
  ArrowUp: [0, 0, -1],
  ArrowDown: [0, 0, 1],
};

const held = new Set<string>();
let last = 0;

function tick(now: number): void {
  if (held.size === 0) return;
  const seconds = Math.min(0.05, Math.max(0.001, (now - last) / 1000));
  last = now;
  let zoom = 0;
  let across = 0;
  let down = 0;
  for (const key of held) {
    const move = MOVES[key]!;
    zoom += move[0];
    across += move[1];
    down += move[2];
  }
  const { width } = stage.value;
  if (zoom !== 0)
    setView(zoomAt(view.value, pointer(width), Math.exp(zoom * 4 * seconds), extent.value, width));
  if (across !== 0) setView(pan(view.value, across * width * 0.9 * seconds, extent.value, width));
  if (down !== 0) scrollTo(scrollTop.value + down * 900 * seconds);
  requestAnimationFrame(tick);
}

let pointerX = -1;

/** Tells where the pointer is (pixels from the lanes' left edge), so that keys zoom there; -1: in the middle. */
export function setPointer(x: number): void {
  pointerX = x;
}

function pointer(width: number): number {
  return pointerX >= 0 && pointerX <= width ? pointerX : width / 2;
}

function press(key: string): void {
  // One step at once: a short tap must move too.
  const [zoom, across, down] = MOVES[key]!;
  const { width } = stage.value;
  if (zoom !== 0)
    setView(zoomAt(view.value, pointer(width), zoom < 0 ? 0.85 : 1 / 0.85, extent.value, width));
  if (across !== 0) setView(pan(view.value, across * width * 0.06, extent.value, width));
  if (down !== 0) scrollTo(scrollTop.value + down * 46);
  held.add(key);
  if (held.size === 1) {
    last = performance.now();
    requestAnimationFrame(tick);
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

/** Elements with arrow keys of their own: tabs, tables, the splitter. */
function hasArrows(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest("[role=tablist], [role=separator], .panel-body") !== null
  );
}

/** Listens on the window; returns what stops it. */
export function listenKeys(focusSearch: () => void): () => void {
  const down = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      paletteOpen.value = true;
      return;
    }
    if (isTyping(event.target)) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f") {
      event.preventDefault();
      focusSearch();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in MOVES) {
      if (key.startsWith("Arrow") && hasArrows(event.target)) return;
      event.preventDefault();
      if (!held.has(key)) press(key);
      return;
    }
    if (run(key, event.shiftKey, focusSearch)) event.preventDefault();
  };
  const up = (event: KeyboardEvent): void => {
    held.delete(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  };
  const blur = (): void => held.clear();
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", blur);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
    removeEventListener("blur", blur);
  };
}

/** Runs a single key; false where it means nothing. */
function run(key: string, shift: boolean, focusSearch: () => void): boolean {
  switch (key) {
    case "0":
    case "f":
      showAll();
      return true;
    case "z": {
      const bounds = selection.value === null ? null : boundsOf(selection.value);
      if (bounds === null) showAll();
      else showRange(bounds.start, bounds.end);
      return true;
    }
    case "?":
      helpOpen.value = !helpOpen.value;
      return true;
    case "/":
      focusSearch();
      return true;
    case "n":
      if (hits.value.count > 0) stepHit(shift ? -1 : 1);
      return true;
    case "u":
      goToWaker();
      return true;
    case ":":
      paletteOpen.value = true;
      return true;
    case ",":
      stepSlice(-1);
      return true;
    case ".":
      stepSlice(1);
      return true;
    case "+":
    case "=":
      setView(zoomAt(view.value, pointer(stage.value.width), 0.5, extent.value, stage.value.width));
      return true;
    case "-":
      setView(zoomAt(view.value, pointer(stage.value.width), 2, extent.value, stage.value.width));
      return true;
    case "PageUp":
      scrollTo(scrollTop.value - stage.value.height * 0.9);
      return true;
    case "PageDown":
      scrollTo(scrollTop.value + stage.value.height * 0.9);
      return true;
    case "Home":
      scrollTo(0);
      return true;
    case "End":
      scrollTo(Infinity);
      return true;
    case "Escape":
      if (helpOpen.value) helpOpen.value = false;
      else if (measured.value !== null) measured.value = null;
      else select(null);
      return true;
    default:
      return false;
  }
}
