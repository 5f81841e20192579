/** Versions, limits and states of the trace format: the numbers that both writer and reader must honour. */

/** Minor versions of the headers that carry format v2 ("go 1.22 trace" is 22). */
export const V2_VERSIONS = [22, 23, 25, 26] as const;

/** Largest payload of a batch, in bytes. */
export const MAX_BATCH_SIZE = 65_536;
/** Longest string of a string table, in bytes. */
export const MAX_STRING_SIZE = 1_024;
/** Most frames of a stack. */
export const MAX_STACK_FRAMES = 128;
/** Length of the file header: "go 1.NN trace" and three NUL bytes. */
export const HEADER_SIZE = 16;

/** Status of a goroutine as GoStatus carries it. */
export const GoStatus = { Runnable: 1, Running: 2, Syscall: 3, Waiting: 4 } as const;

/** Status of a proc as ProcStatus carries it. */
export const ProcStatus = { Running: 1, Idle: 2, Syscall: 3, SyscallAbandoned: 4 } as const;

/** One stack frame, leaf first in a stack. `line` counts from 1; 0 where unknown. */
export interface Frame {
  readonly func: string;
  readonly file: string;
  readonly line: number;
}
