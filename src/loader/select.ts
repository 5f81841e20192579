import path from "node:path";
import type { LoaderOptions } from "./options.ts";

/** Folders of the build that hold programs, not the recorder. */
const PROGRAMS = new Set(["demo", "test", "testing"]);
const OWN = path.join(import.meta.dirname, "..", path.sep);
const INSTALLED = `${path.sep}node_modules${path.sep}runtrace${path.sep}`;

/** Tells which files are transformed, by their absolute paths. */
export function selector({
  include,
  exclude,
}: Pick<LoaderOptions, "include" | "exclude">): (file: string) => boolean {
  const cwd = currentFolder();
  const wanted = include.map((glob) => globToRegExp(glob, cwd));
  const unwanted = exclude.map((glob) => globToRegExp(glob, cwd));
  return (file) => {
    if (isOwn(file)) return false;
    if (wanted.length === 0 && unwanted.length === 0) return true;
    const name = slashes(file);
    if (wanted.length > 0 && !wanted.some((glob) => glob.test(name))) return false;
    return !unwanted.some((glob) => glob.test(name));
  };
}

function isOwn(file: string): boolean {
  if (file.startsWith(OWN)) return !PROGRAMS.has(file.slice(OWN.length).split(path.sep, 1)[0]!);
  return file.includes(INSTALLED);
}

/**
 * A glob as a regular expression for absolute paths: `*` and `?` within a name, `**` over folders, `{a,b}`, `[a-z]`. One
 * without a slash is a name anywhere, any other a path from `cwd`; a folder stands for everything in it.
 */
export function globToRegExp(glob: string, cwd: string): RegExp {
  let pattern = slashes(glob).replace(/\/+$/, "");
  let body = "";
  if (!pattern.includes("/")) body = "(?:.*/)?";
  else if (!path.isAbsolute(glob)) {
    body = `${slashes(cwd)
      .replace(/\/$/, "")
      .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}/`;
    pattern = pattern.replace(/^(?:\.\/)+/, "");
  }
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === "*" && pattern[i + 1] === "*") {
      const folders = pattern[i + 2] === "/";
      body += folders ? "(?:.*/)?" : ".*";
      i += folders ? 2 : 1;
    } else if (c === "*") body += "[^/]*";
    else if (c === "?") body += "[^/]";
    else if (c === "[" && pattern.indexOf("]", i + 2) > 0) {
      const end = pattern.indexOf("]", i + 2);
      const set = pattern.slice(i + 1, end).replace(/[\\[\]]/g, "\\$&");
      body += `[${set.replace(/^!/, "^")}]`;
      i = end;
    } else if (c === "{" && pattern.indexOf("}", i) > 0) {
      body += "(?:";
      depth++;
    } else if (c === "}" && depth > 0) {
      body += ")";
      depth--;
    } else if (c === "," && depth > 0) body += "|";
    else body += c.replace(/[\\^$.*+?()[\]{}|]/, "\\$&");
  }
  try {
    return new RegExp(`^${body}(?:/.*)?$`, "s");
  } catch {
    // Not a glob that we know: the text itself.
    return new RegExp(`^(?:.*/)?${pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?:/.*)?$`, "s");
  }
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    // It was removed.
    return path.parse(OWN).root;
  }
}

function slashes(name: string): string {
  return path.sep === "\\" ? name.replaceAll("\\", "/") : name;
}
