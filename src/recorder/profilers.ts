import { url } from "node:inspector";

/** Options with which Node itself talks to V8's inspector; a second voice would show in what it prints. */
const PROFILING = /^--(cpu-prof|heap-prof|inspect|experimental-test-coverage)/;

/** What else profiles or debugs this process from its start, or "" where nothing does: then CPU samples are ours. */
export function otherProfiler(): string {
  const words = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  const option = words.find((word) => PROFILING.test(word));
  if (option !== undefined) return `the program is run with ${option}`;
  if (process.env["NODE_V8_COVERAGE"]) return "the program is run with NODE_V8_COVERAGE";
  return url() === undefined ? "" : "the program has its inspector open";
}
