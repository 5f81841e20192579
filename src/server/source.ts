import { realpath, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Lines before and behind the wanted one. */
const AROUND = 12;
/** Larger files are no source that anybody reads. */
const LARGEST = 4e6;

/** A piece of a source file: its lines from number `from` (1-based) on. */
export interface SourceLines {
  readonly from: number;
  readonly lines: readonly string[];
}

/**
 * The lines around `line` of a file that a stack names, by path or file: URL. Null where there is no such line, or the file is
 * not a file of text below `root`, links followed: a trace may name any file of the machine.
 */
export async function sourceLines(root: string, file: string, line: number): Promise<SourceLines | null> {
  try {
    const named = file.startsWith("file:") ? fileURLToPath(file) : file;
    const top = await realpath(root);
    const real = await realpath(path.resolve(top, named));
    if (!real.startsWith(top.endsWith(path.sep) ? top : top + path.sep)) return null;
    const { size, isFile } = await stat(real).then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!isFile || size > LARGEST) return null;
    const text = await readFile(real, "utf8");
    if (text.includes("\0")) return null;
    const lines = text.split(/\r?\n/);
    if (line < 1 || line > lines.length) return null;
    const from = Math.max(1, line - AROUND);
    return { from, lines: lines.slice(from - 1, line + AROUND) };
  } catch {
    return null;
  }
}
