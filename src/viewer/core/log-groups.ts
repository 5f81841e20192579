import type { TraceModel } from "../../model/types.ts";

/** What logs are grouped by. */
export const LOG_KEYS = {
  category: "category",
  message: "message",
  task: "task",
  activation: "activation",
} as const;
export type LogKey = keyof typeof LOG_KEYS;

/** Logs of one category, message, task or activation. */
export interface LogGroup {
  readonly name: string;
  /** Rows of the model's logs, in order of time. */
  readonly rows: Uint32Array;
  readonly tasks: number;
  readonly activations: number;
}

/** Name of what a log belongs to; "–" for none. */
export function logOwner(model: TraceModel, row: number, key: LogKey): string {
  const { logs, strings, tasks, activations } = model;
  if (key === "category") return strings[logs.category[row]!] || "(no category)";
  if (key === "message") {
    const category = strings[logs.category[row]!]!;
    return category === "" ? strings[logs.message[row]!]! : `[${category}] ${strings[logs.message[row]!]!}`;
  }
  if (key === "task") {
    const task = logs.task[row]!;
    return task < 0 ? "–" : `${strings[tasks.name[task]!]!} #${tasks.id[task]}`;
  }
  const activation = logs.activation[row]!;
  return activation < 0 ? "–" : `${strings[activations.name[activation]!]!} #${activations.id[activation]}`;
}

/** Rows of logs whose category, message, task or activation contains a text, ignoring case; all for "". */
export function findLogs(model: TraceModel, text: string): Uint32Array {
  const wanted = text.trim().toLowerCase();
  const rows: number[] = [];
  for (let row = 0; row < model.logs.count; row++) {
    const isFound =
      wanted === "" ||
      logOwner(model, row, "message").toLowerCase().includes(wanted) ||
      logOwner(model, row, "task").toLowerCase().includes(wanted) ||
      logOwner(model, row, "activation").toLowerCase().includes(wanted);
    if (isFound) rows.push(row);
  }
  return Uint32Array.from(rows);
}

/** Groups rows of logs, those with the most first. */
export function groupLogs(model: TraceModel, rows: Uint32Array, key: LogKey): LogGroup[] {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const name = logOwner(model, row, key);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  const distinct = (members: readonly number[], column: Int32Array): number =>
    new Set(members.map((row) => column[row]!).filter((of) => of >= 0)).size;
  return [...groups]
    .map(([name, members]) => ({
      name,
      rows: Uint32Array.from(members),
      tasks: distinct(members, model.logs.task),
      activations: distinct(members, model.logs.activation),
    }))
    .toSorted((a, b) => b.rows.length - a.rows.length || (a.name < b.name ? -1 : 1));
}
