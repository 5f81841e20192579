import { RingWriter, createRing, resetRing } from "../base/ring.ts";
import { watchGc } from "../probe/gc.ts";
import { startProbe } from "../probe/probe.ts";
import { undoAll } from "../probe/replace.ts";
import { watchSyncCalls } from "../probe/sync-calls.ts";
import { now } from "./messages.ts";
import type { LoopAnnouncement } from "./messages.ts";
import type { HttpOptions } from "../probe/requests.ts";
import { slot } from "./slot.ts";
import { hideOwnFrames } from "./stacks.ts";

/**
 * The ring of the last recording, by its buffer size: many recordings one after the other would leave one each for the
 * collector, which does not know how much memory waits for it.
 */
let spare: { readonly buffer: number; readonly ring: SharedArrayBuffer } | undefined;

function ringOf(buffer: number): SharedArrayBuffer {
  if (spare?.buffer !== buffer) return createRing(buffer);
  const { ring } = spare;
  spare = undefined;
  resetRing(ring);
  return ring;
}

/** The recording of one isolate: its ring, and everything that writes into it. */
export class Isolate {
  readonly announcement: LoopAnnouncement;
  readonly #probing: { readonly sampled: boolean; readonly boot: boolean; readonly http: HttpOptions };
  readonly #buffer: number;
  #writer: RingWriter | undefined;
  #stops: (() => void)[] = [];
  #showFrames: () => void = () => {};
  #lookAtHeap: (always: boolean) => void = () => {};

  /** Makes the ring; records nothing yet, so that what the recorder itself sets up is not seen. */
  constructor(options: {
    readonly name: string;
    readonly file: string;
    readonly threadId: number;
    readonly buffer: number;
    readonly sampled?: boolean;
    /** The main script has not begun yet. */
    readonly boot: boolean;
    readonly http: HttpOptions;
  }) {
    const { name, file, threadId, buffer, sampled = false, boot, http } = options;
    this.#probing = { sampled, boot, http };
    this.#buffer = buffer;
    this.announcement = { type: "loop", ring: ringOf(buffer), name, file, time: now(), threadId };
  }

  /** Begins to record. `onGc` is called after collections, as a sign of life that needs no timer. */
  begin(onGc?: () => void): void {
    const writer = new RingWriter(this.announcement.ring, process.hrtime.bigint, process.arch === "x64");
    this.#writer = writer;
    const probe = startProbe(writer, { ...this.#probing, frames: slot().frames });
    const collected = (): void => {
      probe.sweep();
      onGc?.();
    };
    const gc = watchGc(probe, collected);
    this.#lookAtHeap = gc.look;
    this.#stops = [gc.stop, watchSyncCalls(probe), () => probe.stop()];
    this.#showFrames = hideOwnFrames();
    slot().probe = probe;
    this.#stops.unshift(() => {
      if (slot().probe === probe) slot().probe = undefined;
    });
  }

  /** Tells the heap's size where it has grown without a collection, or `always`. Does nothing while nothing is recorded. */
  lookAtHeap(always: boolean): void {
    this.#lookAtHeap(always);
  }

  /**
   * Takes the hooks away; the facts stay in the ring. Where the isolate ends with it, our frames stay hidden in the
   * stacks that are still to be printed.
   */
  stop(ending = false): void {
    const stops = ending ? this.#stops : [...this.#stops, this.#showFrames];
    this.#stops = [];
    this.#lookAtHeap = () => {};
    undoAll(stops);
    this.#writer?.close();
  }

  /** The tracer has read the last fact: the ring may be used again. */
  release(): void {
    spare = { buffer: this.#buffer, ring: this.announcement.ring };
  }
}
