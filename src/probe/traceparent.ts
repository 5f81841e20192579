import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

/** W3C's traceparent: version, trace id, parent id, flags; a later version may have more behind. */
const FORM =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-[\x21-\x7e]{0,100})?$/;

const MAX_STATE = 512;

/** The value of a traceparent header where it is one by W3C's rules, else "". */
export function traceparentOf(header: unknown): string {
  if (typeof header !== "string") return "";
  const match = FORM.exec(header.trim());
  // The first version has nothing behind.
  return match === null || (match[1] === "00" && match[0].length !== 55) ? "" : match[0];
}

/** What an outgoing request carries. */
export interface Carried {
  readonly traceparent: string;
  /** What the incoming request had beside, or "". */
  readonly tracestate: string;
}

interface Context {
  readonly traceId: string;
  readonly flags: string;
  readonly tracestate: string;
}

/**
 * Carries the trace of an incoming request on to the outgoing ones that are made for it. What has come without one, or is
 * made for no request, begins a trace.
 */
export class Propagation {
  readonly #contexts = new AsyncLocalStorage<Context>();

  /** The code that runs, and all that it starts, works for a request with this traceparent ("" is none). */
  enter(traceparent: string, tracestate: unknown): void {
    if (traceparent === "") {
      this.#contexts.enterWith(begun());
      return;
    }
    const [, traceId = "", , flags = "00"] = traceparent.split("-");
    const state = typeof tracestate === "string" && tracestate.length <= MAX_STATE ? tracestate : "";
    this.#contexts.enterWith({ traceId, flags: flags.slice(0, 2), tracestate: state });
  }

  /** For a request that goes out now: the trace of the running code, and a parent id of its own. */
  next(): Carried {
    const { traceId, flags, tracestate } = this.#contexts.getStore() ?? begun();
    return { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-${flags}`, tracestate };
  }

  stop(): void {
    this.#contexts.disable();
  }
}

function begun(): Context {
  return { traceId: randomBytes(16).toString("hex"), flags: "01", tracestate: "" };
}
