/** What the page shows, as text behind the # of its address: a link shows the same view. */

/** Everything that a link keeps. Times are nanoseconds since the trace's start; rows are the model's. */
export interface Shown {
  /** Null: the whole trace. */
  readonly range: { readonly start: number; readonly end: number } | null;
  readonly tab: string;
  readonly selection: { readonly kind: string; readonly row: number } | null;
  /** Row of the task whose lanes alone are shown, -1 for all. */
  readonly task: number;
  readonly order: string;
  /** Lanes of activations that live outside of what is shown, too. */
  readonly allLanes: boolean;
  readonly query: string;
}

export const DEFAULT_SHOWN: Shown = {
  range: null,
  tab: "overview",
  selection: null,
  task: -1,
  order: "creation",
  allLanes: false,
  query: "",
};

/** The text, without the #; "" where all is as at the start. */
export function toAddress(shown: Shown): string {
  const parts = new URLSearchParams();
  const { range, selection } = shown;
  if (range !== null) parts.set("t", `${Math.round(range.start)}-${Math.round(range.end)}`);
  if (shown.tab !== DEFAULT_SHOWN.tab) parts.set("tab", shown.tab);
  if (selection !== null) parts.set(selection.kind, String(selection.row));
  if (shown.task >= 0) parts.set("only", String(shown.task));
  if (shown.order !== DEFAULT_SHOWN.order) parts.set("order", shown.order);
  if (shown.allLanes) parts.set("lanes", "all");
  if (shown.query !== "") parts.set("q", shown.query);
  return parts.toString();
}

const KINDS = ["span", "proc", "region", "range", "log", "task"];

/** Reads such a text; what it cannot read, or does not know, is as at the start. */
export function fromAddress(
  text: string,
  known: { readonly tabs: readonly string[]; readonly orders: readonly string[] },
): Shown {
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  const row = (value: string | null): number =>
    value !== null && /^\d{1,9}$/.test(value) ? Number(value) : -1;
  const [, start, end] = /^(-?\d{1,18})-(\d{1,18})$/.exec(parts.get("t") ?? "") ?? [];
  const range =
    start === undefined || Number(end) <= Number(start) ? null : { start: Number(start), end: Number(end) };
  const kind = KINDS.find((one) => row(parts.get(one)) >= 0);
  const one = (value: string | null, of: readonly string[], otherwise: string): string =>
    value !== null && of.includes(value) ? value : otherwise;
  return {
    range,
    tab: one(parts.get("tab"), known.tabs, DEFAULT_SHOWN.tab),
    selection: kind === undefined ? null : { kind, row: row(parts.get(kind)) },
    task: row(parts.get("only")),
    order: one(parts.get("order"), known.orders, DEFAULT_SHOWN.order),
    allLanes: parts.get("lanes") === "all",
    query: parts.get("q") ?? "",
  };
}
