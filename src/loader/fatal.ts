/**
 * What Node prints of an error that ends the process begins with the line of source where it arose: a transformed one.
 * It is printed outside of JavaScript, from V8's own copy of the text. So where the line has insertions, the same is
 * printed here, with the line as it was, and the process ends as it would have. Everything else is left to Node: lines
 * without insertions, values that are no errors, and options that print or do more. So are texts with a source map: there
 * Node looks V8's position up in the map, which speaks of the original text, and it is this look-up that is put right.
 */

import fs from "node:fs";
import { findSourceMap, SourceMap } from "node:module";
import tty from "node:tty";
import { inspect, types } from "node:util";
import { strip } from "../instrument/marks.ts";
import { disguise } from "./disguise.ts";
import { columnOf, markedLine, namesOfTexts } from "./texts.ts";

const { writeSync } = fs;
const OTHER_REPORTS = /^--(?:trace-uncaught|abort-on-uncaught|report|inspect)/;
/** Node's line below the source is no longer. */
const LONGEST_UNDERLINE = 1020;

type Fatal = (this: unknown, error: unknown, fromPromise: unknown) => unknown;
interface Ending {
  _fatalException?: Fatal;
  reallyExit(code: unknown): never;
}

export function installFatalErrors(): void {
  const ending = process as unknown as Ending;
  const original = ending._fatalException;
  if (typeof original !== "function") return;
  const replacement: Fatal = function (error, fromPromise) {
    const handled = Reflect.apply(original, this, [error, fromPromise]);
    if (handled !== false) return handled;
    const report = reportOf(error, fromPromise === true);
    if (report === null) {
      mapLookups();
      return handled;
    }
    print(report);
    return ending.reallyExit(process.exitCode ?? 1);
  };
  ending._fatalException = disguise(replacement, original);
  // In stacks V8 names the original after the property that held it.
  Reflect.defineProperty(original, "name", { value: "_fatalException", configurable: true });
}

/** All that Node prints of an error, or null where that is its own matter. */
function reportOf(error: unknown, fromPromise: boolean): string | null {
  try {
    if (!types.isNativeError(error) || hasOtherReports(error)) return null;
    const place = placeOf(error, fromPromise);
    if (place === null) return null;
    const { name, line, source, start } = place;
    return `${name}:${line}\n${source}\n${underline(source, start)}\n\n${described(error)}\n\nNode.js ${process.version}\n`;
  } catch {
    return null;
  }
}

interface Place {
  readonly name: string;
  readonly line: number;
  /** The text of the line as it was, and where in it something happened, counted from 0. */
  readonly source: string;
  readonly start: number;
}

/** Where V8 says that an error was thrown, if that is a line with insertions; null where it may be another. */
function placeOf(error: Error, fromPromise: boolean): Place | null {
  const lines = String(error.stack).match(/^ {4}at .*$/gm) ?? [];
  const top = lines.findIndex((line) => !line.endsWith("(<anonymous>)"));
  const place = placeIn(lines[top]);
  if (place === null) return null;
  const isMade =
    top === 0 && /^(?:new\b|[\w$.]*(?:Error|captureStackTrace)\()/.test(place.source.slice(place.start));
  // Of code that is read it is a line of that which is printed.
  const isRead = top === 0 ? !isMade : /^ {4}at (?:JSON\.parse|(?:new )?\w*Function) /.test(lines[0]!);
  if (error.name === "SyntaxError" && isRead) return null;
  // Of a rejected promise, and of what a microtask throws, it is the place that the stack tells.
  const isRethrown = fromPromise || isInMicrotask(lines);
  if (isRethrown || !isMade) return place;
  for (let i = top; i < lines.length; i++) {
    const from = placeIn(lines[i]);
    const thrown = from === null ? null : /\bthrow\b[^;{}]*$/.exec(from.source.slice(0, from.start));
    if (thrown !== null) return { ...from!, start: thrown.index };
  }
  return null;
}

/** Newer Nodes call a microtask from no function of theirs. */
function isInMicrotask(lines: readonly string[]): boolean {
  if (lines.some((line) => /^ {4}at (?:\w+\.)?runMicrotask \(node:/.test(line))) return true;
  return lines.length < Error.stackTraceLimit && !lines.at(-1)!.includes("node:");
}

/** The place that a line of a stack names; null where that line of code has no insertions or a source map. */
function placeIn(frame: string | undefined): Place | null {
  const found = /^ {4}at (?:.* \()?((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+):(\d+)\)?$/.exec(frame ?? "");
  if (found === null) return null;
  const [, name = "", line = "", column = ""] = found;
  const marked = markedLine(name, Number(line));
  if (marked === null || findSourceMap(name) !== undefined) return null;
  return { name, line: Number(line), source: strip(marked), start: Number(column) - 1 };
}

/** Nothing of the program runs any more: the look-up is Node's, for what it prints. */
function mapLookups(): void {
  const original: unknown = Reflect.get(SourceMap.prototype, "findEntry");
  if (typeof original !== "function") return;
  Reflect.defineProperty(SourceMap.prototype, "findEntry", {
    configurable: true,
    value(this: SourceMap, line: number, column: number): unknown {
      return Reflect.apply(original, this, [line, originalOf(this, line, column)]) as unknown;
    },
  });
}

/** The column in the text that a source map is of, counted from 0 as in maps. */
function originalOf(map: SourceMap, line: number, column: number): number {
  for (const name of namesOfTexts()) {
    if (markedLine(name, line + 1) !== null && findSourceMap(name) === map) {
      return columnOf(name, line + 1, column + 1) - 1;
    }
  }
  return column;
}

function hasOtherReports(error: Error): boolean {
  // Thrown by Node, whatever its stack says.
  if ((error as NodeJS.ErrnoException).code === "ERR_ASSERTION") return true;
  // An emitter's own text about an `error` event.
  if (Object.getOwnPropertySymbols(error).some((key) => String(key).includes("EnhanceStack"))) return true;
  const words = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(/[\s"]+/)];
  return words.some((word) => OTHER_REPORTS.test(word));
}

/** Node goes by bytes, whatever the characters. */
function underline(source: string, start: number): string {
  const bytes = Buffer.from(source);
  let line = "";
  for (let i = 0; i < start && line.length < LONGEST_UNDERLINE; i++) line += bytes[i] === 9 ? "\t" : " ";
  return line.length < LONGEST_UNDERLINE ? `${line}^` : line;
}

function described(error: Error): string {
  const colors = hasColors() || inspect.defaultOptions.colors === true;
  try {
    return inspect(error, {
      colors,
      customInspect: false,
      depth: Math.max(inspect.defaultOptions.depth ?? 2, 5),
    });
  } catch {
    return String(error.stack);
  }
}

function hasColors(): boolean {
  if (process.env.FORCE_COLOR !== undefined) return tty.WriteStream.prototype.getColorDepth() > 2;
  return process.stderr.isTTY && process.stderr.getColorDepth() > 2;
}

function print(report: string): void {
  let rest = Buffer.from(report);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
    }
  }
}
