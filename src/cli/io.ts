/** Where a command writes. Text for machines and results go to stdout, everything else to stderr. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** The part of a Node Writable that commands use. */
export interface Output {
  write(text: string | Uint8Array): unknown;
}

/** Exit codes of every command. */
export const Exit = {
  Done: 0,
  Failed: 1,
  /** Wrong usage of the command line. */
  Usage: 2,
  /** A trace that is broken, damaged or unreadable. */
  BrokenTrace: 3,
} as const;

/** Something that ends a command with a message on stderr and an exit code. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}
