/** What the traces of a run say about themselves. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

/** The closing notes stand in the last of a trace, as plain text. */
const TAIL = 1 << 23;

/**
 * A line for each trace in a folder that lacks facts because a buffer was full: what was not recorded cost less than
 * it should have.
 */
export function droppedFacts(folder) {
  const lines = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".out"))) {
    let facts = 0;
    for (const match of tail(join(folder, name)).matchAll(/"drops":\{"loop":\d+,"facts":(\d+)\}/g)) {
      facts += Number(match[1]);
    }
    if (facts > 0) lines.push(`${name}: ${facts.toLocaleString("en")} facts were lost to a full buffer`);
  }
  return lines;
}

function tail(file) {
  const fd = openSync(file, "r");
  const { size } = fstatSync(fd);
  const buffer = Buffer.alloc(Math.min(TAIL, size));
  readSync(fd, buffer, 0, buffer.length, size - buffer.length);
  closeSync(fd);
  return buffer.latin1Slice();
}
