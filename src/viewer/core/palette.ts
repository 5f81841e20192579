import type { TraceModel } from "../../model/types.ts";

/** Something that a palette can do. */
export interface Action {
  readonly name: string;
  /** Its key, or what kind of thing it leads to. */
  readonly hint: string;
  readonly run: () => void;
}

/** Actions whose name has the letters of a text in their order, ignoring case: those with the letters closest first. */
export function matching(actions: readonly Action[], text: string, limit: number): Action[] {
  const wanted = text.trim().toLowerCase();
  return actions
    .map((action, i) => ({ action, i, spread: spreadOf(action.name.toLowerCase(), wanted) }))
    .filter(({ spread }) => spread >= 0)
    .toSorted((a, b) => a.spread - b.spread || a.i - b.i)
    .slice(0, limit)
    .map(({ action }) => action);
}

/** How far apart the letters of `wanted` are in `name`, 0 where they are together at its begin; -1: not there. */
function spreadOf(name: string, wanted: string): number {
  if (wanted === "") return 0;
  const together = name.indexOf(wanted);
  if (together >= 0) return together === 0 ? 0 : 1;
  let at = -1;
  let first = 0;
  for (const [i, letter] of [...wanted].entries()) {
    at = name.indexOf(letter, at + 1);
    if (at < 0) return -1;
    if (i === 0) first = at;
  }
  return 2 + at - first;
}

/** Rows of tasks and activations by name or id, at most `limit` of each. */
export function thingsNamed(
  model: TraceModel,
  text: string,
  limit: number,
): { readonly tasks: number[]; readonly activations: number[] } {
  const wanted = text.trim().toLowerCase();
  const find = (
    count: number,
    names: Int32Array,
    ids: { readonly [row: number]: number | bigint },
  ): number[] => {
    const rows: number[] = [];
    for (let row = 0; row < count && rows.length < limit; row++) {
      const label = `${model.strings[names[row]!] ?? ""} #${ids[row]}`.toLowerCase();
      if (label.includes(wanted)) rows.push(row);
    }
    return rows;
  };
  if (wanted === "") return { tasks: [], activations: [] };
  return {
    tasks: find(model.tasks.count, model.tasks.name, model.tasks.id),
    activations: find(model.activations.count, model.activations.name, model.activations.id),
  };
}
