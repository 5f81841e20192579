import { toCsv, toJson, type Cell } from "../core/table.ts";

/** Buttons that save a table, all its rows, as it is filtered and sorted. `name`: of the file, without its ending. */
export function Export(props: {
  readonly name: string;
  readonly titles: readonly string[];
  readonly rows: () => Iterable<readonly Cell[]>;
}) {
  const { name, titles, rows } = props;
  return (
    <span class="export">
      <button type="button" onClick={() => save(`${name}.csv`, "text/csv", toCsv(titles, rows()))}>
        CSV
      </button>
      <button type="button" onClick={() => save(`${name}.json`, "application/json", toJson(titles, rows()))}>
        JSON
      </button>
    </span>
  );
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
