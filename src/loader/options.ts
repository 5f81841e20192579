/** Which files are transformed, and where the results are kept. */
export interface LoaderOptions {
  /** Globs of files that are transformed; none means all. */
  readonly include: readonly string[];
  /** Globs of files that are not, whatever `include` says. */
  readonly exclude: readonly string[];
  /** A folder that keeps transformed code, or false. */
  readonly cache: string | false;
  /** Shared memory to which is added what transforming costs. */
  readonly spent?: Int32Array;
}

/** Its words: files that were transformed, or had been and came from the cache, and the time of all looking, in us. */
export const Spent = { Files: 0, Us: 1 } as const;

/** Global name under which transformed code reaches the runtime. */
export const RUNTIME = "__runtrace";
