import type { Frame } from "../wire/format.ts";
import { makeSite } from "./graph.ts";
import type { Site } from "./graph.ts";

const SITE_IDS = 2 ** 26;
const LINES = 2 ** 28;
/** The ids of sites are counters, so nearly all are below this. */
const DENSE = 1 << 16;

/** The strings and sites that the facts of one isolate name by id. The probe bounds how many there are. */
export class Names {
  readonly #strings = new Map<number, string>();
  readonly #sites = new Map<number, Site>();
  /** Those with low ids. */
  readonly #dense: (Site | undefined)[] = [];
  /** Entries that are at no site. */
  readonly #entries = new Map<string, Frame>();

  text(id: number, text: string): void {
    this.#strings.set(id, text);
  }

  /** The text of an id, `otherwise` where it is not known. */
  string(id: number, otherwise = ""): string {
    return this.#strings.get(id) ?? otherwise;
  }

  site(id: number): Site | null {
    return (id < DENSE ? this.#dense[id] : this.#sites.get(id)) ?? null;
  }

  /** An entry called `func` at a site, or in Node where that is not known; the same one for the same name. */
  entry(func: string, site: Site | null): Frame {
    const entries = site === null ? this.#entries : site.entries;
    const known = entries.get(func);
    if (known !== undefined) return known;
    const entry: Frame = { func, file: site?.frame.file ?? "node", line: site?.frame.line ?? 1 };
    entries.set(func, entry);
    return entry;
  }

  /** Takes a Site fact; `c` is the line and what an await there waits for. */
  addSite(a: number, b: number, c: number): void {
    const line = c % LINES;
    const func = this.string(b % SITE_IDS, "(anonymous)");
    const file = this.string(Math.floor(b / SITE_IDS));
    const frame = { func, file: file === "" ? "node" : file, line: line || 1 };
    const site = makeSite(frame, Math.floor(a / SITE_IDS), Math.floor(c / LINES));
    const id = a % SITE_IDS;
    if (id < DENSE) this.#dense[id] = site;
    else this.#sites.set(id, site);
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
  "",
];

const CALLBACKS: readonly Frame[] = KIND_NAMES.map((name) => ({
  func: name === "" ? "callback" : `${name} callback`,
  file: "node",
  line: 1,
}));

/** Name of the activation of a callback whose maker is not known or no longer alive. */
export function callbackEntry(kind: number): Frame {
  return CALLBACKS[kind] ?? CALLBACKS[0]!;
}

/** Entry of a frame that began before the recording, until it says where it is. */
export const UNKNOWN = callbackEntry(0);

/** Whether it is a function of Node's own. */
export function isNodes(entry: Frame): boolean {
  return entry.file.startsWith("node:");
}
