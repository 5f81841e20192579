import type { Frame } from "../wire/format.ts";
import type { Site } from "./graph.ts";

const SITE_IDS = 2 ** 26;

/** The strings and sites that the facts of one isolate name by id. The probe bounds how many there are. */
export class Names {
  readonly #strings = new Map<number, string>();
  readonly #sites = new Map<number, Site>();

  text(id: number, text: string): void {
    this.#strings.set(id, text);
  }

  /** The text of an id, `otherwise` where it is not known. */
  string(id: number, otherwise = ""): string {
    return this.#strings.get(id) ?? otherwise;
  }

  site(id: number): Site | null {
    return this.#sites.get(id) ?? null;
  }

  /** Takes a Site fact. */
  addSite(a: number, b: number, line: number): void {
    const func = this.string(b % SITE_IDS, "(anonymous)");
    const file = this.string(Math.floor(b / SITE_IDS));
    this.#sites.set(a % SITE_IDS, {
      frame: { func, file: file === "" ? "node" : file, line: line || 1 },
      fn: Math.floor(a / SITE_IDS),
    });
  }
}

/** By ResourceKind. */
const KIND_NAMES: readonly string[] = [
  "",
  "timer",
  "interval",
  "immediate",
  "tick",
  "fs",
  "dns",
  "crypto",
  "zlib",
  "network",
  "connect",
  "child process",
  "message",
  "async resource",
  "timer of node",
  "worker",
  "signal",
];

/** Name of the activation of a callback whose maker is not known or no longer alive. */
export function callbackEntry(kind: number): Frame {
  const name = KIND_NAMES[kind] ?? "";
  return { func: name === "" ? "callback" : `${name} callback`, file: "node", line: 1 };
}

/** An entry called `func` at a site, or in Node where that is not known. */
export function entryAt(func: string, site: Site | null): Frame {
  return { func, file: site?.frame.file ?? "node", line: site?.frame.line ?? 1 };
}

/** Whether it is a function of Node's own. */
export function isNodes(entry: Frame): boolean {
  return entry.file.startsWith("node:");
}
