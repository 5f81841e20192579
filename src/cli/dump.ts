import { once } from "node:events";
import { Writable } from "node:stream";
import { sortLikeGo } from "../decode/sort.ts";
import type { ByteSource } from "../decode/source.ts";
import { decodeText } from "../decode/text.ts";
import { jsonLine } from "../order/json-text.ts";
import { ParsedText } from "../order/parsed-text.ts";
import { quote } from "../order/quote.ts";
import { OrderedReader } from "../order/reader.ts";
import type { OrderedEvent } from "../order/types.ts";
import { footprint, footprintText } from "../raw/footprint.ts";
import { wireText } from "../raw/wire-text.ts";
import { Exit } from "./io.ts";
import type { Io, Output } from "./io.ts";
import { openTrace } from "./open.ts";
import { reportError } from "./report.ts";

/** The texts that `dump` can write: the first three are those of `go tool trace -d=…`. */
export type DumpFormat = "parsed" | "wire" | "footprint" | "json";

/** Events between two looks at the size of the output. */
const STEP = 512;
const PIECE = 1 << 16;

/**
 * Writes the events of a trace file ("-" is stdin; gzip is recognised) as text to stdout, no faster than it is taken,
 * and returns the exit code. Whatever came before an error is written; the error is one line on stderr. A closed pipe
 * ends it quietly.
 */
export async function dump(file: string, options: { readonly format: DumpFormat }, io: Io): Promise<number> {
  try {
    const trace = await openTrace(file, process.stdout.isTTY);
    try {
      await writeAll(io.stdout, pieces(trace, options.format));
    } finally {
      trace.close();
    }
    return Exit.Done;
  } catch (error) {
    if (isClosedPipe(error)) return Exit.Done;
    return reportError(file, error, false, io);
  }
}

function pieces(source: ByteSource, format: DumpFormat): Iterable<Uint8Array | string> {
  switch (format) {
    case "parsed":
      return ordered(source, new ParsedText());
    case "json":
      return ordered(source, new JsonText());
    case "wire":
      return wireText(source, quoteBytes);
    case "footprint":
      return footprintPieces(source);
  }
}

/** What collects the text of ordered events until it is taken. */
interface EventText {
  readonly length: number;
  append(event: OrderedEvent): void;
  take(): Uint8Array | string;
}

class JsonText implements EventText {
  #text = "";

  get length(): number {
    return this.#text.length;
  }

  append(event: OrderedEvent): void {
    this.#text += `${jsonLine(event)}\n`;
  }

  take(): string {
    const taken = this.#text;
    this.#text = "";
    return taken;
  }
}

/** The text of a trace in pieces; an error of the trace is thrown after the text of what came before it. */
function* ordered(source: ByteSource, text: EventText): Generator<Uint8Array | string> {
  const reader = new OrderedReader(source, (event) => text.append(event));
  let failure: { readonly error: unknown } | null = null;
  for (let isMore = true; isMore;) {
    try {
      isMore = reader.step(STEP);
    } catch (error) {
      failure = { error };
      isMore = false;
    }
    if (text.length >= PIECE || !isMore) yield text.take();
  }
  if (failure !== null) throw failure.error;
}

function* footprintPieces(source: ByteSource): Generator<string> {
  const print = footprint(source);
  sortLikeGo(print.rows, (a, b) => a.bytes > b.bytes);
  yield footprintText(print);
}

function quoteBytes(bytes: Uint8Array): string {
  return quote(decodeText(bytes));
}

async function writeAll(output: Output, texts: Iterable<Uint8Array | string>): Promise<void> {
  if (!(output instanceof Writable)) {
    const decoder = new TextDecoder();
    for (const text of texts)
      output.write(typeof text === "string" ? text : decoder.decode(text, { stream: true }));
    return;
  }
  let failure: Error | null = null;
  const onError = (error: Error): void => {
    failure = error;
  };
  output.on("error", onError);
  try {
    for (const text of texts) {
      if (!output.write(text)) await once(output, "drain");
      if (failure !== null) throw failure;
    }
  } finally {
    output.off("error", onError);
  }
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
