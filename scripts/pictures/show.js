/** What a picture shows of a trace: from a model to what an address of the viewer keeps (src/viewer/core/address.ts). */
import { State } from "../../dist/model/types.js";

/** The text behind the address's #. */
export function toAddress(shown) {
  return new URLSearchParams(Object.entries(shown).map(([key, value]) => [key, String(value)])).toString();
}

/** The task of that name whose latency is in the middle, alone. */
export function middleTask(model, name) {
  const { tasks, strings } = model;
  const rows = [...tasks.name.keys()].filter(
    (row) => strings[tasks.name[row]] === name && tasks.end[row] > tasks.start[row],
  );
  if (rows.length === 0) throw new Error(`no task ${name}`);
  const took = (row) => tasks.end[row] - tasks.start[row];
  rows.sort((a, b) => took(a) - took(b));
  const row = rows[rows.length >> 1];
  return { only: row, task: row, t: around(model, tasks.start[row], tasks.end[row]) };
}

/** The longest that an activation has run without a break, and what waited for it meanwhile. */
export function longestRun(model) {
  const { spans } = model;
  const took = (row) => (spans.state[row] === State.Running ? spans.end[row] - spans.start[row] : 0);
  let longest = 0;
  for (let row = 0; row < spans.count; row++) if (took(row) > took(longest)) longest = row;
  return { span: longest, t: around(model, spans.start[longest], spans.end[longest]) };
}

/** The tasks of a whole trace, with the longest wait of the activations of that name selected. */
export function longestWait(model, name) {
  const { activations, spans, strings, tasks } = model;
  const took = (row) => (spans.state[row] === State.Waiting ? spans.end[row] - spans.start[row] : 0);
  let longest = -1;
  for (let row = 0; row < activations.count; row++) {
    if (strings[activations.name[row]] !== name) continue;
    for (let at = activations.firstSpan[row]; at < activations.firstSpan[row + 1]; at++)
      if (longest < 0 || took(at) > took(longest)) longest = at;
  }
  if (longest < 0) throw new Error(`no activation ${name}`);
  return { span: longest, t: around(model, Math.min(...tasks.start), Math.max(...tasks.end)) };
}

/** A range with some margin. */
function around({ startTime }, start, end) {
  const margin = (end - start) * 0.08;
  return `${Math.round(start - margin - startTime)}-${Math.round(end + margin - startTime)}`;
}
