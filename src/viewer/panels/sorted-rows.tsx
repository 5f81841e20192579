import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { sorted, type Cell, type Sorting } from "../core/table.ts";
import { Export } from "./export.tsx";
import { VirtualRows } from "./virtual-rows.tsx";

/** A column of many rows: what it shows of row i, and what it is sorted and saved by. */
export interface RowColumn {
  readonly title: string;
  readonly help: string;
  readonly isNumber?: boolean;
  readonly cell: (index: number) => ComponentChildren;
  readonly value: (index: number) => Cell;
}

/** Rows by the thousand, of which those on screen are made, sorted by a click on a column's head, saved as CSV and JSON. */
export function SortedRows(props: {
  readonly label: string;
  /** Of saved files, without their ending. */
  readonly name: string;
  readonly columns: readonly RowColumn[];
  readonly count: number;
  /** The row that is selected, -1 for none. */
  readonly current: number;
  readonly choose: (index: number) => void;
  readonly maxRows?: number;
}) {
  const { label, name, columns, count, current, choose, maxRows } = props;
  const sorting = useSignal<Sorting | null>(null);
  const by = sorting.value;
  const order = by === null ? null : sorted(count, columns[by.column]!.value, by.descending);
  const rowAt = (place: number): number => order?.[place] ?? place;
  return (
    <>
      <Export
        name={name}
        titles={columns.map(({ title }) => title)}
        rows={function* () {
          for (let i = 0; i < count; i++) yield columns.map(({ value }) => value(rowAt(i)));
        }}
      />
      <VirtualRows
        label={label}
        columns={columns}
        sorting={sorting}
        count={count}
        current={current < 0 || order === null ? current : order.indexOf(current)}
        choose={(i) => choose(rowAt(i))}
        row={(i) => columns.map((column) => <span role="cell">{column.cell(rowAt(i))}</span>)}
        {...(maxRows === undefined ? {} : { maxRows })}
      />
    </>
  );
}
