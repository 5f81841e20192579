import { headerOf } from "../encode/generations.ts";
import { Memory } from "./memory.ts";
import type { FromTracer, OutletPlan } from "./messages.ts";
import { sinkError, writeFully } from "./sinks.ts";

/**
 * Where the generations of one recording go: the sink of `start`, and the memories of flight recorders. Each takes whole
 * generations only, behind a header of its own, because every generation can begin a file; so one joins and leaves
 * where a generation ends. An outlet that fails is taken out and told of, and harms no other.
 */
interface Outlet {
  write(bytes: Uint8Array): void;
  /** The open generation, which holds everything up to `end` (ns), is complete. */
  rotated(end: number): void;
}

export interface OutletsOptions {
  /** Minor version of the format. */
  readonly version: 23 | 25;
  readonly post: (message: FromTracer) => void;
  /** KiB that were posted for a stream and wait there. */
  readonly queued: (kib: number) => void;
  /** Whether nobody waits for the trace any more. */
  readonly givenUp: () => boolean;
}

export class Outlets {
  readonly #options: OutletsOptions;
  readonly #outlets = new Map<number, Outlet>();

  constructor(options: OutletsOptions) {
    this.#options = options;
  }

  /** Takes what is written from here on, which begins a generation; `now` in ns. */
  join(plan: OutletPlan, now: number): void {
    this.#outlets.set(plan.id, this.#make(plan, now));
  }

  /** The outlet gets no more. */
  leave(id: number): void {
    if (this.#outlets.delete(id)) this.#options.post({ type: "left", id, error: undefined });
  }

  /** Some bytes of the open generation; the buffer may be used again. */
  write(bytes: Uint8Array): void {
    for (const [id, outlet] of this.#outlets) {
      try {
        outlet.write(bytes);
      } catch (error) {
        this.#outlets.delete(id);
        this.#options.post({ type: "left", id, error: (error as Error).message });
      }
    }
  }

  rotated(end: number): void {
    for (const outlet of this.#outlets.values()) outlet.rotated(end);
  }

  /** The memory of that flight recorder; undefined once it has left. */
  memory(id: number): Memory | undefined {
    const outlet = this.#outlets.get(id);
    return outlet instanceof Memory ? outlet : undefined;
  }

  /** Whether files may begin later than the recording: the generations then tell again what it began with. */
  get begin(): "once" | "again" {
    return this.#outlets.size > 1 || [...this.#outlets.values()].some((outlet) => outlet instanceof Memory)
      ? "again"
      : "once";
  }

  /** Whether the open generation has become too large for one of the memories. */
  get isLarge(): boolean {
    return [...this.#outlets.values()].some((outlet) => outlet instanceof Memory && outlet.isLarge);
  }

  #make(plan: OutletPlan, now: number): Outlet {
    const header = headerOf(this.#options.version);
    if (plan.kind === "memory") return new Memory(header, plan, now);
    const put = plan.kind === "file" ? this.#toFile(plan.fd, plan.name) : this.#toPort(plan.id);
    let isNew = true;
    return {
      write: (bytes) => {
        put(isNew ? joined([header, bytes]) : bytes);
        isNew = false;
      },
      rotated: () => {},
    };
  }

  #toFile(fd: number, name: string): (bytes: Uint8Array) => void {
    return (bytes) => {
      try {
        writeFully(fd, bytes, this.#options.givenUp);
      } catch (error) {
        throw sinkError(name, error);
      }
    };
  }

  #toPort(id: number): (bytes: Uint8Array) => void {
    return (bytes) => {
      this.#options.queued(Math.ceil(bytes.length / 1024));
      this.#options.post({ type: "chunk", id, bytes: bytes.slice() });
    };
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
