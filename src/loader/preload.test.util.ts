/**
 * Preloaded by tests: installs the loader as the recorder does, with a runtime that records nothing, or that checks the
 * order of what it is told. LOADER_TEST is a `Setting` in JSON.
 */
import { appendFileSync } from "node:fs";
import { NotingRuntime, QuietRuntime } from "../instrument/runtime.ts";
import type { Runtime } from "../instrument/runtime.ts";
import { frameChecker } from "../instrument/traps.test.util.ts";
import { installLoader, installRuntime } from "./loader.ts";
import type { LoaderOptions } from "./loader.ts";

export interface Setting extends Partial<LoaderOptions> {
  readonly mode: "quiet" | "noting";
  /** A file that gets a line for each transformed file that is run: its name and the text of its sites. */
  readonly log?: string;
}

/** Null where the file is imported for its types. */
const setting = JSON.parse(process.env["LOADER_TEST"] ?? "null") as Setting | null;

/** The runtime, which also writes down what is run. */
function logging<T extends Runtime>(runtime: T, log: string): T {
  const module = runtime.module.bind(runtime);
  runtime.module = (sites, file) => {
    appendFileSync(log, `${file}\t${sites}\n`);
    return module(sites, file);
  };
  return runtime;
}

if (setting !== null) {
  const { mode, log, include = [], exclude = [], cache = false } = setting;
  const runtime = mode === "noting" ? new NotingRuntime(frameChecker().note) : new QuietRuntime();
  installRuntime(log === undefined ? runtime : logging<Runtime>(runtime, log));
  installLoader({ include, exclude, cache });
}
