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
    const top = /^ {4}at (?:.* \()?((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+):(\d+)\)?$/m.exec(
      String(error.stack),
    );
    if (top === null || top[0] !== /^ {4}at .*$/m.exec(String(error.stack))?.[0]) return null;
    const [, name, line, column] = top;
    const marked = markedLine(name!, Number(line));
    if (marked === null || findSourceMap(name!) !== undefined) return null;
    const source = strip(marked);
    const start = startOf(source, Number(column) - 1, fromPromise);
    return `${name}:${line}\n${source}\n${underline(source, start)}\n\n${described(error)}\n\nNode.js ${process.version}\n`;
  } catch {
    return null;
  }
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
  // An emitter's own text about an `error` event.
  if (Object.getOwnPropertySymbols(error).some((key) => String(key).includes("EnhanceStack"))) return true;
  const words = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(/[\s"]+/)];
  return words.some((word) => OTHER_REPORTS.test(word));
}

/** V8 names the place where an error was made if a promise was rejected, and that of the `throw` otherwise. */
function startOf(source: string, column: number, fromPromise: boolean): number {
  const thrown = fromPromise ? null : /\bthrow\s*\(*$/.exec(source.slice(0, column));
  return thrown === null ? column : thrown.index;
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
