import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { nextSorting, type Sorting } from "../core/table.ts";

/** What a column's head shows and does: a click sorts, another one turns around. `help`: what it counts, and how. */
export function SortButton(props: {
  readonly sorting: Signal<Sorting | null>;
  readonly column: number;
  readonly isNumber: boolean;
  readonly help?: string | undefined;
  readonly children: ComponentChildren;
}) {
  const { sorting, column, isNumber, help, children } = props;
  const now = sorting.value;
  const arrow = now?.column !== column ? "" : now.descending ? " ↓" : " ↑";
  return (
    <button
      type="button"
      class="sort"
      title={help}
      onClick={() => (sorting.value = nextSorting(now, column, isNumber))}
    >
      {children}
      <span aria-hidden="true">{arrow}</span>
    </button>
  );
}

/** For `aria-sort` of the head. */
export function ariaSort(now: Sorting | null, column: number): "ascending" | "descending" | "none" {
  if (now?.column !== column) return "none";
  return now.descending ? "descending" : "ascending";
}
