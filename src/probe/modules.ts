import path from "node:path";
import { fileURLToPath } from "node:url";
import { Fact, WaitsFor } from "../base/facts.ts";
import { countSites, readSites } from "../base/sites.ts";
import type { Site } from "../base/sites.ts";
import { newSites, now } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

function waitsOf({ kind, waits }: Site): number {
  if (kind === "yield") return WaitsFor.Delegate;
  if (kind === "generator") return WaitsFor.Generator;
  return waits === undefined ? WaitsFor.Other : WAITS[waits];
}

const WAITS = {
  other: WaitsFor.Other,
  call: WaitsFor.Call,
  all: WaitsFor.All,
  race: WaitsFor.Race,
  promise: WaitsFor.Promise,
};

interface Module {
  readonly first: number;
  readonly count: number;
  readonly file: string;
  readonly text: string;
  sites: readonly Site[] | undefined;
}

/** The transformed files of this isolate and their sites, which are read when one of them is told for the first time. */
export class Modules {
  /** In order of their first sites. */
  readonly #modules: Module[] = [];
  readonly #byFile = new Map<string, Module[]>();
  #facts: FactWriter | undefined;
  /** By site id: the site is known to the reader of the facts. */
  #told = new Uint8Array(1024);

  /** Sites are told to that writer from here on. */
  start(facts: FactWriter): void {
    this.#facts = facts;
    this.#told.fill(0);
  }

  stop(): void {
    this.#facts = undefined;
  }

  /** Sees to it that the site is told before it is used. Answers it, 0 where it is none (NaN: its module has not begun). */
  site(id: number): number {
    return this.#told[id] === 1 ? id : this.#tellOnce(id);
  }

  #tellOnce(id: number): number {
    if (!(id > 0) || this.#facts === undefined) return 0;
    if (id >= this.#told.length) {
      const more = new Uint8Array(Math.max(id + 1, 2 * this.#told.length));
      more.set(this.#told);
      this.#told = more;
    }
    this.#told[id] = 1;
    this.#tell(id, this.#facts);
    return id;
  }

  /**
   * Adds a file with the text form of its sites and its path or URL; answers the id of its first site. A file that is
   * loaded again keeps its ids: a program may reload its modules for as long as it runs.
   */
  add(text: string, file: string): number {
    const known = this.#byFile.get(file);
    const same = known?.find((module) => module.text === text);
    if (same !== undefined) return same.first;
    const count = countSites(text);
    const module = { first: newSites(count), count, file, text, sites: undefined };
    this.#modules.push(module);
    if (known === undefined) this.#byFile.set(file, [module]);
    else known.push(module);
    return module.first;
  }

  /** Writes what the site id means. */
  #tell(id: number, facts: FactWriter): void {
    const module = this.#find(id);
    if (module === undefined) return;
    module.sites ??= readSites(module.text);
    const site = module.sites[id - module.first];
    if (site === undefined) return;
    const { func, file, line, of } = site;
    const name = facts.string(func);
    const where = facts.string(placeOf(module.file, file));
    const fn = of < 0 ? 0 : module.first + of;
    facts.put(
      Fact.Site,
      now(),
      fn * 67_108_864 + id,
      where * 67_108_864 + name,
      line + 2 ** 28 * waitsOf(site),
    );
  }

  #find(id: number): Module | undefined {
    let low = 0;
    let high = this.#modules.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { first, count } = this.#modules[middle]!;
      if (id < first) high = middle;
      else if (id >= first + count) low = middle + 1;
      else return this.#modules[middle];
    }
    return undefined;
  }
}

/** Path of a file, or of the original that it was compiled from, which is relative to its folder. */
function placeOf(file: string, original: string): string {
  let own = file;
  if (own.startsWith("file:")) {
    try {
      own = fileURLToPath(own);
    } catch {
      return file;
    }
  }
  return original === "" ? own : path.resolve(path.dirname(own), original);
}
