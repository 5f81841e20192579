import { useSignal } from "@preact/signals";
import { type ComponentChildren, Fragment } from "preact";

/** A column: its title, and what it shows of a group. */
export interface GroupColumn<T> {
  readonly title: ComponentChildren;
  /** Numbers, which are aligned to the right. */
  readonly isNumber?: boolean;
  readonly cell: (group: T) => ComponentChildren;
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
  return (
    <table class="data">
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          {columns.map((column, i) => (
            <th key={i} scope="col" class={classOf(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => {
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
  );
}

function classOf(column: { readonly isNumber?: boolean }): string | undefined {
  return column.isNumber === true ? "number" : undefined;
}
