import type { ComponentChildren } from "preact";

/** A column of a small table: its title, with "#" before it where it holds numbers, and what it means. */
export type DataColumn = string | readonly [title: string, help: string];

/** A table that is shown as a whole. `rowHead`: the first cell of a row is its head. */
export function DataTable(props: {
  /** For those who do not see it. */
  readonly label: string;
  readonly columns: readonly DataColumn[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  readonly rowHead?: boolean;
}) {
  const { label, columns, rows, rowHead = false } = props;
  const heads = columns.map((column) => (typeof column === "string" ? ([column, ""] as const) : column));
  const kind = heads.map(([title]) => (title.startsWith("#") ? "number" : undefined));
  return (
    <table class={rowHead ? "data" : "data compact"}>
      <caption class="hidden">{label}</caption>
      <DataHead columns={columns} />
      <tbody>
        {rows.map((cells, row) => (
          <tr key={row}>
            {cells.map((cell, i) =>
              rowHead && i === 0 ? (
                <th key={i} scope="row">
                  {cell}
                </th>
              ) : (
                <td key={i} class={kind[i]}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The titles of its columns, for a table that makes its rows itself. */
export function DataHead(props: { readonly columns: readonly DataColumn[] }) {
  return (
    <thead>
      <tr>
        {props.columns.map((column, i) => {
          const [title, help] = typeof column === "string" ? [column, ""] : column;
          return (
            <th
              key={i}
              scope="col"
              class={title.startsWith("#") ? "number" : undefined}
              title={help === "" ? undefined : help}
            >
              {title.replace("#", "")}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** A button that leads to a place of the trace. */
export function Link(props: {
  readonly go: () => void;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}) {
  return (
    <button type="button" class="link" title={props.title} onClick={props.go}>
      {props.children}
    </button>
  );
}
