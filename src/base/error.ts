/**
 * Every error that runtrace throws on purpose. `code` is stable and meant for programs, `message` for people:
 * "got X, want Y". `offset` is the byte offset in the trace file where there is one.
 */
export class TraceError extends Error {
  readonly code: string;
  /** There only where an offset is known: what prints the error prints its properties. */
  declare readonly offset: number | undefined;

  constructor(code: string, message: string, options: { offset?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TraceError";
    this.code = code;
    if (options.offset !== undefined) this.offset = options.offset;
  }
}
