import { useComputed, useSignal } from "@preact/signals";
import { goTo, loaded, selection } from "../app/state.ts";
import { count, plural, timestamp } from "../core/format.ts";
import { findLogs, groupLogs, LOG_KEYS, logOwner, type LogGroup, type LogKey } from "../core/log-groups.ts";
import { GroupTable, type GroupColumn } from "./group-table.tsx";
import { SortedRows } from "./sorted-rows.tsx";

/** Logs in order of time, filtered by a text, and grouped where asked. */
export function Logs() {
  const text = useSignal("");
  const by = useSignal<LogKey | "none">("none");
  const rows = useComputed(() => {
    const model = loaded.value?.model;
    return model === undefined ? new Uint32Array(0) : findLogs(model, text.value);
  });
  const groups = useComputed(() => {
    const model = loaded.value?.model;
    return model === undefined || by.value === "none" ? [] : groupLogs(model, rows.value, by.value);
  });
  const trace = loaded.value;
  if (trace === null) return null;
  if (trace.model.logs.count === 0) {
    return (
      <p class="empty">
        No logs in this trace. Write one with <code>trace.log(category, message)</code>.
      </p>
    );
  }
  return (
    <div class="stacks">
      <div class="controls" role="toolbar" aria-label="Which logs are shown">
        <input
          type="search"
          placeholder="Text, category, task, activation"
          aria-label="Filter logs"
          value={text.value}
          onInput={(e) => (text.value = e.currentTarget.value)}
        />
        <label>
          Group by{" "}
          <select value={by.value} onChange={(e) => (by.value = e.currentTarget.value as LogKey | "none")}>
            <option value="none">nothing</option>
            {Object.entries(LOG_KEYS).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="muted">{plural(rows.value.length, "log")}</span>
      </div>
      {by.value === "none" ? (
        <Rows label="Logs" rows={rows.value} />
      ) : (
        <GroupTable
          caption={`Logs by ${by.value}`}
          title={by.value.charAt(0).toUpperCase() + by.value.slice(1)}
          columns={COLUMNS}
          groups={groups.value}
          members={(group) => <Rows label={`Logs of ${group.name}`} rows={group.rows} />}
        />
      )}
    </div>
  );
}

const COLUMNS: readonly GroupColumn<LogGroup>[] = [
  {
    title: "Count",
    help: "Logs of this group",
    isNumber: true,
    cell: ({ rows }) => count(rows.length),
    value: ({ rows }) => rows.length,
  },
  {
    title: "Tasks",
    help: "Distinct tasks in which they were written",
    isNumber: true,
    cell: ({ tasks }) => count(tasks),
    value: ({ tasks }) => tasks,
  },
  {
    title: "Activations",
    help: "Distinct activations that wrote them",
    isNumber: true,
    cell: ({ activations }) => count(activations),
    value: ({ activations }) => activations,
  },
];

function Rows(props: { readonly label: string; readonly rows: Uint32Array }) {
  const { label, rows } = props;
  const { model } = loaded.value!;
  const time = (i: number): number => model.logs.time[rows[i]!]! - model.startTime;
  const column = (title: string, help: string, key: LogKey) => ({
    title,
    help,
    cell: (i: number) => logOwner(model, rows[i]!, key),
    value: (i: number) => logOwner(model, rows[i]!, key),
  });
  return (
    <SortedRows
      label={label}
      name="logs"
      columns={[
        {
          title: "Time",
          help: "Since the start of the trace",
          isNumber: true,
          cell: (i) => timestamp(time(i), 1000),
          value: time,
        },
        column("Task", "The task in which it was written", "task"),
        column("Activation", "The activation that wrote it", "activation"),
        column("Text", "What was written", "message"),
      ]}
      count={rows.length}
      current={selection.value?.kind === "log" ? rows.indexOf(selection.value.row) : -1}
      choose={(i) => goTo({ kind: "log", row: rows[i]! })}
    />
  );
}
