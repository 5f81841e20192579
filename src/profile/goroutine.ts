import type { Stack } from "../order/types.ts";
import type { OpenRegion } from "./filter.ts";

/** What a profile remembers of one goroutine; all fields exist from the start. */
export class ProfiledGoroutine {
  readonly id: number;
  /** Its place in the profile's list. */
  readonly row: number;
  /** The entry function, "" where no stack has told it. */
  name = "";
  /** First time it ran, 0: it has not. */
  start = 0;

  /** The wait that is open, if one is: when it began, what the clock showed then, its stack and tag. */
  isWaiting = false;
  waitStart = 0;
  waitClock = 0;
  waitStack = 0;
  waitTag = 0;

  /** How long the filter has let it in, while `depth` is 0; since `enteredAt` it is let in. */
  clock = 0;
  enteredAt = 0;
  depth = 0;
  regions: OpenRegion[] = NONE_OPEN;
  tasks: readonly bigint[] = NO_TASKS;

  /** How many additions to the profile there were when its own were last forgotten. */
  forgotten = 0;
  /** Whether the filter has let in all that it had done before. */
  isLetIn = false;

  constructor(id: number, row: number, keepsRegions: boolean) {
    this.id = id;
    this.row = row;
    if (keepsRegions) this.regions = [];
  }

  /** Takes its name from the first stack that it has, where that was not before. */
  identify(stack: Stack | null): void {
    if (this.name !== "" || stack === null) return;
    this.name = stack.frames[stack.frames.length - 1]?.func ?? "";
  }
}

/** Shared by all goroutines where nobody asks for regions; never written. */
const NONE_OPEN: OpenRegion[] = [];
const NO_TASKS: readonly bigint[] = [];

/** Ids below this are looked up in an array. */
const SMALL = 1 << 22;

/** The last goroutine of each id. */
export class GoroutinesById {
  readonly #small: (ProfiledGoroutine | undefined)[] = [];
  readonly #large = new Map<number, ProfiledGoroutine>();

  get(id: number): ProfiledGoroutine | undefined {
    return id >= 0 && id < this.#small.length ? this.#small[id] : this.#large.get(id);
  }

  set(goroutine: ProfiledGoroutine): void {
    const { id } = goroutine;
    // Gaps are filled, so that the array stays one of V8's fast ones; ids far ahead of the others wait in the map.
    if (id < 0 || id >= SMALL || id > 4 * this.#small.length + 65_536) {
      this.#large.set(id, goroutine);
      return;
    }
    while (this.#small.length < id) this.#small.push(this.#large.get(this.#small.length));
    this.#small[id] = goroutine;
  }
}
