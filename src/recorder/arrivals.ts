import { basename } from "node:path";
import { BoundedMap } from "../base/bounded-map.ts";
import type { LoopAnnouncement } from "./messages.ts";

/** Workers that ended before they announced themselves and may yet have done so: how many are remembered at the most. */
const MOST_GONE = 100;

/**
 * Brings together what two threads say of a Worker, in whatever order it comes: its own announcement, and its file and
 * its end, which its maker tells. An announcement waits for the file over one cut; facts wait in its ring meanwhile.
 */
export class Arrivals {
  readonly #admit: (loop: LoopAnnouncement) => void;
  readonly #end: (threadId: number, time: number) => boolean;
  /** Files of Workers that have not announced themselves yet, by thread id. */
  readonly #files = new Map<number, string>();
  /** Announcements without a file, by thread id, and whether a cut has been made since. */
  readonly #waiting = new Map<number, { readonly loop: LoopAnnouncement; late: boolean }>();
  readonly #gone = new BoundedMap<{ readonly file: string | undefined; readonly time: number }>(MOST_GONE);

  /** `end` answers whether the Worker had been admitted. */
  constructor(admit: (loop: LoopAnnouncement) => void, end: (threadId: number, time: number) => boolean) {
    this.#admit = admit;
    this.#end = end;
  }

  announced(loop: LoopAnnouncement): void {
    const gone = this.#gone.get(loop.threadId);
    if (gone !== undefined) {
      this.#gone.delete(loop.threadId);
      this.#complete(loop, gone.file);
      this.#end(loop.threadId, gone.time);
      return;
    }
    const file = this.#files.get(loop.threadId);
    if (file === undefined) this.#waiting.set(loop.threadId, { loop, late: false });
    else this.#complete(loop, file);
  }

  made(threadId: number, file: string): void {
    const waiting = this.#waiting.get(threadId);
    if (waiting === undefined) this.#files.set(threadId, file);
    else this.#complete(waiting.loop, file);
  }

  ended(threadId: number, time: number): void {
    const waiting = this.#waiting.get(threadId);
    if (waiting !== undefined) this.#complete(waiting.loop, undefined);
    const file = this.#files.get(threadId);
    this.#files.delete(threadId);
    if (this.#end(threadId, time)) return;
    this.#gone.set(threadId, { file, time });
  }

  /** A cut is made: admits what has waited since the last one, or all that waits. */
  cut(all: boolean): void {
    for (const waiting of this.#waiting.values()) {
      if (all || waiting.late) this.#complete(waiting.loop, undefined);
      else waiting.late = true;
    }
  }

  #complete(loop: LoopAnnouncement, file: string | undefined): void {
    this.#waiting.delete(loop.threadId);
    this.#files.delete(loop.threadId);
    this.#admit(file === undefined ? loop : { ...loop, file, name: `${loop.name}: ${basename(file)}` });
  }
}
