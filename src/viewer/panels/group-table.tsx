import { useSignal } from "@preact/signals";
import { type ComponentChildren, Fragment } from "preact";
import { sorted, type Cell, type Sorting } from "../core/table.ts";
import { Export } from "./export.tsx";
import { ariaSort, SortButton } from "./sort-head.tsx";

/** A column: its title, what it shows of a group, and the value it is sorted and saved by. */
export interface GroupColumn<T> {
  readonly title: string;
  /** Beside the title. */
  readonly note?: ComponentChildren;
  /** What it counts, and how. */
  readonly help: string;
  /** Numbers, which are aligned to the right. */
  readonly isNumber?: boolean;
  readonly cell: (group: T) => ComponentChildren;
  /** Without it the column is a picture: neither sorted nor saved. */
  readonly value?: (group: T) => Cell;
}

/** A table of named groups, of which one at a time opens into its `members`. `title` heads the column of names. */
export function GroupTable<T extends { readonly name: string }>(props: {
  readonly caption: string;
  readonly title: string;
  readonly columns: readonly GroupColumn<T>[];
  readonly groups: readonly T[];
  readonly members: (group: T) => ComponentChildren;
}) {
  const { caption, title, columns, groups, members } = props;
  const open = useSignal<string | null>(null);
  const sorting = useSignal<Sorting | null>(null);
  const all: readonly GroupColumn<T>[] = [
    { title, help: "A click shows its members", cell: ({ name }) => name, value: ({ name }) => name },
    ...columns,
  ];
  const by = sorting.value === null ? undefined : all[sorting.value.column]!.value;
  const shown =
    by === undefined
      ? groups
      : Array.from(
          sorted(groups.length, (i) => by(groups[i]!), sorting.value!.descending),
          (i) => groups[i]!,
        );
  const saved = all.filter(({ value }) => value !== undefined);
  return (
    <>
      <Export
        name={caption.toLowerCase().replaceAll(" ", "-")}
        titles={saved.map((column) => column.title)}
        rows={() => shown.map((group) => saved.map(({ value }) => value!(group)))}
      />
      <table class="data">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {all.map((column, i) => (
              <th key={i} scope="col" class={classOf(column)} aria-sort={ariaSort(sorting.value, i)}>
                {column.value === undefined ? (
                  <span title={column.help}>{column.title}</span>
                ) : (
                  <SortButton
                    sorting={sorting}
                    column={i}
                    isNumber={column.isNumber === true}
                    help={column.help}
                  >
                    {column.title}
                  </SortButton>
                )}
                {column.note}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((group) => {
            const isOpen = open.value === group.name;
            return (
              <Fragment key={group.name}>
                <tr>
                  <th scope="row">
                    <button
                      type="button"
                      class="disclosure"
                      aria-expanded={isOpen}
                      onClick={() => (open.value = isOpen ? null : group.name)}
                    >
                      {group.name}
                    </button>
                  </th>
                  {columns.map((column, i) => (
                    <td key={i} class={classOf(column)}>
                      {column.cell(group)}
                    </td>
                  ))}
                </tr>
                {isOpen && (
                  <tr>
                    <td colSpan={columns.length + 1} class="nested">
                      {members(group)}
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

function classOf(column: { readonly isNumber?: boolean }): string | undefined {
  return column.isNumber === true ? "number" : undefined;
}
