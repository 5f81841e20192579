import fs from "node:fs";
import { Incidents } from "./incidents.ts";
import type { Incident } from "./incidents.ts";
import type { OutletPlan, WatchPlan } from "./messages.ts";
import type { PipelineObserver } from "./pipeline.ts";

/** Names that are tried for one file. */
const MOST_NUMBERS = 100_000;

/** The flight recorders of one tracer thread that write files by themselves: what they watch, and their files. */
export class Flights implements PipelineObserver {
  readonly #flights = new Map<number, { readonly incidents: Incidents; readonly files: FlightFiles }>();

  /** The lag of the loop in ns that matters to one of them; Infinity where it matters to none. */
  get lagNs(): number {
    let least = Infinity;
    for (const { incidents } of this.#flights.values()) {
      if (incidents.lagNs > 0) least = Math.min(least, incidents.lagNs);
    }
    return least;
  }

  /** Whether the heap's size matters to one of them. */
  get watchHeap(): boolean {
    return [...this.#flights.values()].some(({ incidents }) => incidents.watchHeap);
  }

  join(plan: OutletPlan): void {
    if (plan.kind !== "memory" || plan.watch === undefined) return;
    const incidents = new Incidents(plan.watch.triggers, plan.minAgeNs);
    this.#flights.set(plan.id, { incidents, files: new FlightFiles(plan.watch) });
  }

  leave(id: number): void {
    this.#flights.delete(id);
  }

  taskBegan(id: number, name: string, time: number): void {
    for (const { incidents } of this.#flights.values()) incidents.taskBegan(id, name, time);
  }

  taskEnded(id: number, time: number): void {
    for (const { incidents } of this.#flights.values()) incidents.taskEnded(id, time);
  }

  heap(thread: number, bytes: number, time: number): void {
    for (const { incidents } of this.#flights.values()) incidents.heap(thread, bytes, time);
  }

  lag(ns: number, isOver: boolean): void {
    for (const { incidents } of this.#flights.values()) incidents.lag(ns, isOver);
  }

  signal(id: number, name: string): void {
    this.#flights.get(id)?.incidents.signal(name);
  }

  /** It is `now` (ns): what files are to be written of, by the flight recorder's id. */
  due(now: number): [number, Incident][] {
    const due: [number, Incident][] = [];
    for (const [id, { incidents, files }] of this.#flights) {
      for (const incident of incidents.take(now)) if (files.claim(now)) due.push([id, incident]);
    }
    return due;
  }

  /** Writes the next file of that flight recorder. Throws the system's error. */
  write(id: number, parts: readonly Uint8Array[]): void {
    this.#flights.get(id)?.files.write(parts);
  }
}

/** Files of one flight recorder: numbered, not more often than it was told, the newest ones kept. */
export class FlightFiles {
  readonly #plan: WatchPlan;
  readonly #names: string[] = [];
  #number = 0;
  #last = -Infinity;

  constructor(plan: WatchPlan) {
    this.#plan = plan;
  }

  /** Whether a file may be written `now` (ns); if so, none may be for a while. */
  claim(now: number): boolean {
    if (now - this.#last < this.#plan.everyNs) return false;
    this.#last = now;
    return true;
  }

  /** Writes a file of its own and deletes the oldest of this flight recorder's beyond those that are kept. Throws the system's error. */
  write(parts: readonly Uint8Array[]): void {
    const { fd, name } = this.#create();
    try {
      for (const part of parts) fs.writeFileSync(fd, part);
    } catch (error) {
      fs.rmSync(name, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
    this.#names.push(name);
    for (const old of this.#names.splice(0, this.#names.length - this.#plan.keep)) {
      fs.rmSync(old, { force: true });
    }
  }

  #create(): { fd: number; name: string } {
    for (;;) {
      const name = this.#plan.out
        .replaceAll("%p", String(process.pid))
        .replaceAll("%n", String(++this.#number));
      try {
        return { fd: fs.openSync(name, "wx"), name };
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === "EEXIST";
        if (!isTaken || !this.#plan.out.includes("%n") || this.#number > MOST_NUMBERS) throw error;
      }
    }
  }
}
