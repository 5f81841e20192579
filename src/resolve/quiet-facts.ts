import { Awaited, Fact, WaitsFor } from "../base/facts.ts";
import type { FactRecords } from "../base/ring.ts";
import type { Names } from "./names.ts";

/** A call of more facts, or more frames, than this is read fact by fact. */
const MOST_FACTS = 192;
const MOST_FRAMES = 64;

const RUNNING = 1;
const SUSPENDED = 2;
const AWAITED = 4;
const ENDED = 8;

/**
 * The calls of quiet.ts while they are still facts in the ring, so that no fact of them is read one by one: a frame
 * that goes on in a job of its own calls, awaits the call, and goes on, and all between are facts of the frames that
 * were called since, each of which ends. What is found here is found by QuietCalls too, and never the reverse: where
 * anything is unusual, the facts are read as all others are.
 *
 * Ids are counters, so the frames that were called since are those from the first one's id on.
 */
export class QuietFacts {
  readonly #names: Names;
  /** By id less the first one's: what the frame does, as the bits above. */
  readonly #states = new Uint8Array(MOST_FRAMES);
  /** The frames whose code is running, outermost first; -1 is the caller. */
  readonly #running = new Int32Array(MOST_FRAMES + 1);
  /** Where the caller awaits the call that was found last: a site id. */
  site = 0;

  constructor(names: Names) {
    this.#names = names;
  }

  /**
   * How many records from `from` on, where `caller`, which alone is running, calls a frame, are a quiet call and the
   * fact by which it goes on; 0 where they are not, or not within `most` records.
   */
  count(records: FactRecords, from: number, most: number, caller: number): number {
    const states = this.#states;
    const running = this.#running;
    const first = records.a(from);
    const end = from + Math.min(most, MOST_FACTS);
    let called = 0;
    let ended = 0;
    let isSuspended = false;
    running[0] = -1;
    let depth = 1;
    for (let at = from; at < end; at++) {
      const frame = records.a(at) - first;
      const isCaller = frame + first === caller;
      switch (records.kind(at)) {
        case Fact.FrameCall:
          if (frame !== called || called === MOST_FRAMES || depth === 0 || records.b(at) % 2 !== 0) return 0;
          states[called++] = RUNNING;
          running[depth++] = frame;
          break;
        case Fact.FrameBlock:
          if (isCaller) {
            // In its synchronous part it would return to whoever called it, and it awaits the call alone.
            if (depth !== 1 || running[0] !== -1 || records.b(at) !== first) return 0;
            if ((states[0]! & (ENDED | AWAITED)) !== 0) return 0;
            states[0]! |= AWAITED;
            isSuspended = true;
            this.site = records.c(at);
          } else {
            if (depth === 0 || running[depth - 1] !== frame || !this.#isPlain(records, at, first, called))
              return 0;
            states[frame] = (states[frame]! & AWAITED) | SUSPENDED;
          }
          depth--;
          break;
        case Fact.FrameResume:
          if (depth !== 0) return 0;
          if (isCaller) return isSuspended && ended === called ? at + 1 - from : 0;
          if (!(frame >= 0 && frame < called) || (states[frame]! & SUSPENDED) === 0) return 0;
          states[frame] = (states[frame]! & AWAITED) | RUNNING;
          running[depth++] = frame;
          break;
        case Fact.FrameEnd:
          if (frame < 0 || depth === 0 || running[depth - 1] !== frame) return 0;
          states[frame] = ENDED;
          ended++;
          depth--;
          break;
        default:
          return 0;
      }
    }
    return 0;
  }

  /** What is awaited is a frame that was called since and is awaited by nobody else, or nothing of which more is known. */
  #isPlain(records: FactRecords, at: number, first: number, called: number): boolean {
    const awaited = records.b(at);
    if (awaited === Awaited.Unknown || awaited === Awaited.Settled) {
      const waits = this.#names.site(records.c(at))?.waits ?? WaitsFor.Other;
      return waits !== WaitsFor.All && waits !== WaitsFor.Race;
    }
    const frame = awaited - first;
    if (!(frame >= 0 && frame < called) || (this.#states[frame]! & AWAITED) !== 0) return false;
    if ((this.#states[frame]! & ENDED) === 0) this.#states[frame]! |= AWAITED;
    return true;
  }
}
