import type { WireSource } from "./wire-input.ts";
import { WireReader, type WireRecord } from "./wire-records.ts";

const PIECE = 1 << 16;
const FRAME_FIELDS = ["\tpc=", " func=", " file=", " line="] as const;

/**
 * A trace as the text of `go tool trace -d=wire`, one line a record, in pieces of some 64 KB. `quote` gives bytes as a
 * Go-quoted string. Throws what WireReader throws, after everything before the error was yielded.
 */
export function* wireText(source: WireSource, quote: (bytes: Uint8Array) => string): Generator<string, void> {
  const reader = new WireReader(source);
  let text = "";
  let failure: { readonly error: unknown } | null = null;
  for (;;) {
    let record: WireRecord | null = null;
    try {
      record = reader.next();
    } catch (error) {
      failure = { error };
    }
    if (record === null) break;
    text += recordText(record, quote);
    if (text.length < PIECE) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
  if (failure !== null) throw failure.error;
}

/** One record as its line or lines. */
export function recordText(record: WireRecord, quote: (bytes: Uint8Array) => string): string {
  let text = record.name;
  for (let i = 0; i < record.args.length; i++) text += ` ${record.argNames[i]}=${record.args[i]}`;
  text += "\n";
  for (let i = 0; i < record.frames.length; i++) {
    text += `${FRAME_FIELDS[i & 3]}${record.frames[i]}${(i & 3) === 3 ? "\n" : ""}`;
  }
  if (record.data !== null && record.data.length > 0) text += `\tdata=${quote(record.data)}\n`;
  return text;
}
