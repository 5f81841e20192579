import { receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { isMarked, originalColumn } from "../instrument/marks.ts";

/**
 * The transformed texts of this thread, by the name that stacks have for their file. V8 has these very strings, too: it
 * costs nothing to keep them. Those that a loader thread made come through a port, and are taken from it when asked for.
 */
const texts = new Map<string, string>();
/** How far columns of a text's first line are off, where they are. */
const offsets = new Map<string, number>();
const lines = new Map<string, readonly string[]>();
const ports: MessagePort[] = [];

/** What comes through a port. */
export interface LoadedText {
  readonly name: string;
  readonly code: string;
}

/** `offset` is what is added to columns of the first line. */
export function keepText(name: string, code: string, offset = 0): void {
  texts.set(name, code);
  lines.delete(name);
  if (offset === 0) offsets.delete(name);
  else offsets.set(name, offset);
}

/** From here on the texts that come through a port count as well. */
export function keepTextsFrom(port: MessagePort): void {
  port.unref();
  ports.push(port);
}

/** The names of the transformed texts. */
export function namesOfTexts(): Iterable<string> {
  receive();
  return texts.keys();
}

function receive(): void {
  for (const port of ports) {
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      const { name: file, code } = got.message as LoadedText;
      keepText(file, code);
    }
  }
}

/** A line, counted from 1, of a transformed text; null where the file was not transformed or the line has no insertion. */
export function markedLine(name: string, line: number): string | null {
  receive();
  let split = lines.get(name);
  if (split === undefined) {
    const code = texts.get(name);
    if (code === undefined) return null;
    split = code.split(/\r\n?|[\n\u2028\u2029]/);
    lines.set(name, split);
  }
  const text = split[line - 1];
  return text !== undefined && isMarked(text) ? text : null;
}

/** The column in the original text; both are counted from 1. */
export function columnOf(name: string, line: number, column: number): number {
  const text = markedLine(name, line);
  if (text === null) return column;
  const offset = line === 1 ? (offsets.get(name) ?? 0) : 0;
  return originalColumn(text, column - offset) + offset;
}
