/** Which files are transformed, and where the results are kept. */
export interface LoaderOptions {
  /** Globs of files that are transformed; none means all. */
  readonly include: readonly string[];
  /** Globs of files that are not, whatever `include` says. */
  readonly exclude: readonly string[];
  /** A folder that keeps transformed code, or false. */
  readonly cache: string | false;
}

/** Global name under which transformed code reaches the runtime. */
export const RUNTIME = "__runtrace";
