import { rawTraces } from "../base/raw-traces.ts";
import { findSourceMap } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { Fact, PromiseClass } from "../base/facts.ts";
import { isPlain } from "./replace.ts";
import { newSites, now } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/**
 * Where in the source something happens, by looking at the top of the stack.
 *
 * A look costs about 2 us a frame or two and 5 us for eight, so looks are paid from a budget that refills with time:
 * a burst is free, a steady state is capped. Where the budget is empty the answer is "not known".
 *
 * The look must not be seen: Error.stackTraceLimit and Error.prepareStackTrace are put back at once, and while a
 * program has them frozen, removed or made accessors of, no look is taken.
 */

/** Looks in a burst, and looks a second in a steady state (about a tenth of a core). */
const BURST = 200_000;
const PER_SECOND = 50_000;

/** V8's call site, as far as it is used. */
interface CallSite {
  getFunctionName(): string | null;
  getScriptNameOrSourceURL(): string | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  getPosition(): number;
  getEnclosingLineNumber(): number | null;
  getEnclosingColumnNumber(): number | null;
}

/** What is told of a place tells it from another of the same file and position: a file may be loaded with other text. */
interface KnownSite {
  readonly id: number;
  readonly fn: number;
  readonly name: string | null;
  readonly line: number | null;
  /** Line at which its function begins. */
  readonly begin: number | null;
  /** Another place of the same file and position. */
  readonly other: KnownSite | undefined;
}

/** What a look at the maker of a resource found. */
export interface Maker {
  /** Site of the innermost frame of the program, 0 where there is none. */
  site: number;
  /** The innermost frame outside the timers' own code belongs to Node. */
  internal: boolean;
  /** The resource is made inside the executor of `new Promise`. */
  inExecutor: boolean;
}

type Prepare = (error: Error, sites: CallSite[]) => unknown;
interface ErrorSettings {
  stackTraceLimit: number;
  prepareStackTrace?: Prepare | undefined;
}

const settings = Error as unknown as ErrorSettings;
const keepSites: Prepare = (_error, sites) => sites;
rawTraces.add(keepSites);
const OWN_FOLDERS = ["./", "../recorder/"].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
const TIMER_FILES: ReadonlySet<string> = new Set([
  "node:internal/timers",
  "node:timers",
  "node:timers/promises",
]);
const MAKER_DEPTH = 12;
/** Sites known at the most: a program may make ever new ones (`vm`, templates). */
const MAX_SITES = 200_000;
/** Texts of one file that are told apart at one position. */
const MAX_TEXTS = 64;
const NOWHERE: KnownSite = { id: 0, fn: 0, name: null, line: null, begin: null, other: undefined };

const BUILTIN_CLASS: ReadonlyMap<string, number> = new Map([
  ["Promise", PromiseClass.New],
  ["withResolvers", PromiseClass.New],
  ["then", PromiseClass.Then],
  ["catch", PromiseClass.Then],
  ["finally", PromiseClass.Then],
  ["all", PromiseClass.All],
  ["allSettled", PromiseClass.All],
  ["race", PromiseClass.Race],
  ["any", PromiseClass.Race],
]);

export class Sites {
  readonly #facts: Pick<FactWriter, "put" | "string">;
  readonly #files = new Map<string, Map<number, KnownSite>>();
  readonly #functions = new Map<string, number>();
  /** The position at which an async function makes its promise, by function: its first one ever. */
  readonly #entryPositions = new Map<number, number>();
  readonly #maker: Maker = { site: 0, internal: false, inExecutor: false };
  #known = 0;
  #skipped = 0;
  #tokens = BURST;
  #refilled = Number(now());

  constructor(facts: Pick<FactWriter, "put" | "string">) {
    this.#facts = facts;
  }

  /** Looks that were not taken, for want of budget or because Error was not ours to change. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Class of a promise and its site, packed as Fact.Promise carries them. `skip` is the hook's own function. */
  classify(hasParent: boolean, skip: (...args: never[]) => unknown): number {
    if (!this.#pay(1)) return PromiseClass.Unknown;
    const frames = this.#look(1, skip);
    if (frames === null) return PromiseClass.Unknown;
    const top = frames[0];
    if (top === undefined) return PromiseClass.Native;
    const file = top.getScriptNameOrSourceURL();
    if (!file) return BUILTIN_CLASS.get(top.getFunctionName() ?? "") ?? PromiseClass.Native;
    const site = this.#siteOf(top, file);
    if (site === NOWHERE) return PromiseClass.Unknown;
    if (hasParent) return PromiseClass.Await + 16 * site.id;
    const position = top.getPosition();
    const entry = this.#entryPositions.get(site.fn);
    if (entry === undefined) this.#entryPositions.set(site.fn, position);
    else if (entry !== position) return PromiseClass.Native;
    return PromiseClass.Call + 16 * site.id;
  }

  /** Site of the innermost frame outside this package, 0 where the budget is empty. */
  caller(skip: (...args: never[]) => unknown): number {
    if (!this.#pay(3)) return 0;
    for (const frame of this.#look(8, skip) ?? []) {
      const file = frame.getScriptNameOrSourceURL();
      if (!file || file.startsWith("node:") || isOwn(file)) continue;
      return this.#siteOf(frame, file).id;
    }
    return 0;
  }

  /** Who makes a resource. The same object is returned each time. `always` looks even without budget. */
  maker(skip: (...args: never[]) => unknown, always: boolean): Maker {
    const maker = this.#maker;
    maker.site = 0;
    maker.internal = false;
    maker.inExecutor = false;
    if (!this.#pay(3) && !always) return maker;
    let first = true;
    for (const frame of this.#look(MAKER_DEPTH, skip) ?? []) {
      const file = frame.getScriptNameOrSourceURL();
      if (!file) {
        if (frame.getFunctionName() === "Promise") maker.inExecutor = true;
        continue;
      }
      if (TIMER_FILES.has(file) || file === "node:internal/async_hooks") continue;
      if (isOwn(file)) continue;
      if (first) maker.internal = file.startsWith("node:");
      first = false;
      if (file.startsWith("node:")) continue;
      if (maker.site === 0) maker.site = this.#siteOf(frame, file).id;
    }
    return maker;
  }

  #pay(looks: number): boolean {
    if (this.#tokens < looks) {
      const time = Number(now());
      this.#tokens = Math.min(BURST, this.#tokens + ((time - this.#refilled) / 1e9) * PER_SECOND);
      this.#refilled = time;
      if (this.#tokens < looks) {
        this.#skipped++;
        return false;
      }
    }
    this.#tokens -= looks;
    return true;
  }

  #look(depth: number, skip: (...args: never[]) => unknown): CallSite[] | null {
    if (!isPlain("stackTraceLimit") || !isPlain("prepareStackTrace")) {
      this.#skipped++;
      return null;
    }
    const limit = settings.stackTraceLimit;
    const prepare = settings.prepareStackTrace;
    const holder: { stack?: unknown } = {};
    try {
      settings.stackTraceLimit = depth;
      settings.prepareStackTrace = keepSites;
      Error.captureStackTrace(holder, skip as (...args: unknown[]) => unknown);
      return Array.isArray(holder.stack) ? (holder.stack as CallSite[]) : null;
    } finally {
      settings.stackTraceLimit = limit;
      settings.prepareStackTrace = prepare;
    }
  }

  #siteOf(frame: CallSite, file: string): KnownSite {
    let sites = this.#files.get(file);
    if (sites === undefined) this.#files.set(file, (sites = new Map()));
    const position = frame.getPosition();
    const name = frame.getFunctionName();
    const line = frame.getLineNumber();
    const begin = frame.getEnclosingLineNumber();
    const latest = sites.get(position);
    let others = 0;
    for (let site = latest; site !== undefined; site = site.other) {
      if (site.name === name && site.line === line && site.begin === begin) return site;
      others++;
    }
    if (others === MAX_TEXTS || this.#known >= MAX_SITES) return NOWHERE;
    const beginColumn = frame.getEnclosingColumnNumber() ?? 0;
    const entry = original(file, begin ?? 0, beginColumn);
    const place = original(file, line ?? 1, frame.getColumnNumber() ?? 1);
    const key = `${file}\n${name ?? ""}\n${begin ?? 0}:${beginColumn}`;
    let fn = this.#functions.get(key);
    if (fn === undefined) this.#functions.set(key, (fn = this.#functions.size + 1));
    const func = this.#facts.string(name ?? `(anonymous ${basename(place.file)}:${entry.line})`);
    const where = this.#facts.string(place.file);
    if (func === 0 || where === 0) return NOWHERE;
    const site = { id: newSites(1), fn, name, line, begin, other: latest };
    this.#facts.put(Fact.Site, now(), fn * 67_108_864 + site.id, where * 67_108_864 + func, place.line);
    sites.set(position, site);
    this.#known++;
    return site;
  }
}

/** Where a place comes from: through the source map that Node keeps for the file, where source maps are on. */
function original(file: string, line: number, column: number): { file: string; line: number } {
  if (!file.startsWith("node:")) {
    try {
      const entry = findSourceMap(file)?.findEntry(line - 1, column - 1);
      if (entry !== undefined && "originalSource" in entry) {
        return { file: pathOf(entry.originalSource), line: entry.originalLine + 1 };
      }
    } catch {
      // A broken map costs detail only.
    }
  }
  return { file: pathOf(file), line };
}

function isOwn(file: string): boolean {
  const path = pathOf(file);
  return path.startsWith(OWN_FOLDERS[0]!) || path.startsWith(OWN_FOLDERS[1]!);
}

function pathOf(file: string): string {
  if (!file.startsWith("file:")) return file;
  try {
    return fileURLToPath(file);
  } catch {
    return file;
  }
}
