import { runInThisContext } from "node:vm";
import type { LivingGoroutine } from "../encode/writer.ts";
import type { FrameworkHooks } from "../loader/loader.ts";
import type { FrameSource } from "../probe/frames.ts";
import type { Probe } from "../probe/probe.ts";
import type { Flight } from "./flight.ts";
import type { CompleteFlight } from "./flight-options.ts";
import type { StartOptions } from "./options.ts";
import type { Sink } from "./sinks.ts";

/** A recording as each copy of the package sees it. */
export interface Recording {
  /** False as soon as it was stopped, or its sink has failed. */
  readonly on: boolean;
  stop(): Promise<void>;
  /** Activations that have not ended; null where the recording has. Not every copy of the package can tell. */
  living?(): Promise<readonly LivingGoroutine[] | null>;
}

/**
 * What all copies of the package in one isolate share, found at globalThis[Symbol.for("runtrace")]. `version` changes
 * when the meaning of a field does: a copy that finds another version keeps away from it.
 */
export interface Slot {
  readonly version: 1;
  /** The running probe of this isolate: the one property that the annotation API looks at. */
  probe: Probe | undefined;
  recording: Recording | undefined;
  /** What transformed code of this isolate calls, where code is transformed. */
  frames: FrameSource | undefined;
  /** What transforming costs, in all threads (loader/options.ts); not every copy of the package counts it. */
  spent: Int32Array | undefined;
  /** What is called by frameworks that are loaded where code is transformed (instrument/frameworks.ts). */
  frameworks: FrameworkHooks | undefined;
  /** `start` of the copy that came first; undefined in a Worker. */
  start: ((sink: Sink, options: StartOptions) => void) | undefined;
  /** The same for flight recorders; undefined where the copy that came first has none. */
  flight: ((options: CompleteFlight) => Flight) | undefined;
  /** V8's own console.profile and console.profileEnd, called by the tracer thread through the inspector. */
  profile: ((title: string) => void) | undefined;
  profileEnd: ((title: string) => void) | undefined;
  /** Called by the recording's tracer thread in the same way, as the last thing before it disconnects the inspector (cpu.ts). */
  detach: ((recording: string) => void) | undefined;
}

export const SLOT_KEY = "runtrace";

let own: Slot | undefined;

/** The slot of this isolate, made by the first copy that asks. A slot of another version is left alone: this copy records nothing. */
export function slot(): Slot {
  if (own !== undefined) return own;
  const key = Symbol.for(SLOT_KEY);
  const home = homeRealm() as Record<symbol, unknown>;
  const found = home[key] as Slot | undefined;
  if (found !== undefined && found.version === 1) return (own = found);
  own = new OwnSlot();
  if (found === undefined) Reflect.defineProperty(home, key, { value: own, enumerable: false });
  return own;
}

/** The global object of the isolate itself: a copy of the package in a context of node:vm, as jest's, shares its slot. */
function homeRealm(): object {
  return runInThisContext("globalThis") as object;
}

/** Whether others find this isolate's slot: it is not where the program had frozen globalThis before. */
export function isSlotShared(): boolean {
  return (homeRealm() as Record<symbol, unknown>)[Symbol.for(SLOT_KEY)] === slot();
}

/** The slot's fields stay ours to change when a program freezes everything that it can reach. */
class OwnSlot implements Slot {
  readonly version = 1;
  readonly #fields: Omit<Slot, "version"> = {
    probe: undefined,
    recording: undefined,
    frames: undefined,
    spent: undefined,
    frameworks: undefined,
    start: undefined,
    flight: undefined,
    profile: undefined,
    profileEnd: undefined,
    detach: undefined,
  };

  get probe(): Slot["probe"] {
    return this.#fields.probe;
  }
  set probe(value) {
    this.#fields.probe = value;
  }
  get recording(): Slot["recording"] {
    return this.#fields.recording;
  }
  set recording(value) {
    this.#fields.recording = value;
  }
  get frames(): Slot["frames"] {
    return this.#fields.frames;
  }
  set frames(value) {
    this.#fields.frames = value;
  }

  get spent(): Slot["spent"] {
    return this.#fields.spent;
  }
  set spent(value) {
    this.#fields.spent = value;
  }

  get frameworks(): Slot["frameworks"] {
    return this.#fields.frameworks;
  }
  set frameworks(value) {
    this.#fields.frameworks = value;
  }
  get start(): Slot["start"] {
    return this.#fields.start;
  }
  set start(value) {
    this.#fields.start = value;
  }
  get flight(): Slot["flight"] {
    return this.#fields.flight;
  }
  set flight(value) {
    this.#fields.flight = value;
  }
  get profile(): Slot["profile"] {
    return this.#fields.profile;
  }
  set profile(value) {
    this.#fields.profile = value;
  }
  get profileEnd(): Slot["profileEnd"] {
    return this.#fields.profileEnd;
  }
  set profileEnd(value) {
    this.#fields.profileEnd = value;
  }
  get detach(): Slot["detach"] {
    return this.#fields.detach;
  }
  set detach(value) {
    this.#fields.detach = value;
  }
}
