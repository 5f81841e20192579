import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Sorting } from "../core/table.ts";
import { ariaSort, SortButton } from "./sort-head.tsx";

/** Rows of one height, of which only those on screen are made. `row` gives the cells of row i. */
export function VirtualRows(props: {
  readonly count: number;
  readonly label: string;
  readonly columns: readonly {
    readonly title: string;
    readonly help?: string;
    readonly isNumber?: boolean;
  }[];
  readonly sorting: Signal<Sorting | null>;
  readonly current: number;
  readonly row: (index: number) => ComponentChildren;
  readonly choose: (index: number) => void;
  readonly maxRows?: number;
}) {
  const { count, columns } = props;
  const host = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const room = Math.min(count, props.maxRows ?? 12) * ROW;
  const first = Math.max(0, Math.floor(top.value / ROW) - 4);
  const last = Math.min(count, Math.ceil((top.value + room) / ROW) + 4);
  const focused = useSignal(0);
  useEffect(() => {
    if (host.current !== null && document.activeElement?.closest(".virtual") === host.current) {
      host.current
        .querySelector<HTMLElement>(`[aria-rowindex="${focused.value + 2}"]`)
        ?.focus({ preventScroll: true });
    }
  }, [focused.value]);
  const step = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(count - 1, Math.max(0, focused.value + by));
    const scroll = host.current!.querySelector<HTMLElement>(".virtual-scroll")!;
    if (next * ROW < scroll.scrollTop) scroll.scrollTop = next * ROW;
    else if ((next + 1) * ROW > scroll.scrollTop + room) scroll.scrollTop = (next + 1) * ROW - room;
    focused.value = next;
  };
  const rows = [];
  for (let i = first; i < last; i++) {
    rows.push(
      <div
        key={i}
        role="row"
        aria-rowindex={i + 2}
        aria-selected={i === props.current}
        class={i === props.current ? "virtual-row current" : "virtual-row"}
        tabIndex={i === Math.min(focused.value, count - 1) ? 0 : -1}
        style={{ transform: `translateY(${i * ROW}px)` }}
        onClick={() => {
          focused.value = i;
          props.choose(i);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            props.choose(i);
          }
        }}
      >
        {props.row(i)}
      </div>,
    );
  }
  return (
    <div
      class="virtual"
      role="table"
      aria-label={props.label}
      aria-rowcount={count + 1}
      ref={host}
      onKeyDown={step}
    >
      <div role="row" class="virtual-head" aria-rowindex={1}>
        {columns.map(({ title, help, isNumber }, i) => (
          <span role="columnheader" key={title} aria-sort={ariaSort(props.sorting.value, i)}>
            <SortButton sorting={props.sorting} column={i} isNumber={isNumber === true} help={help}>
              {title}
            </SortButton>
          </span>
        ))}
      </div>
      <div
        class="virtual-scroll"
        role="rowgroup"
        style={{ height: `${room}px` }}
        onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
      >
        <div class="virtual-space" role="presentation" style={{ height: `${count * ROW}px` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}

const ROW = 24;
