import assert from "node:assert/strict";
import { test } from "node:test";
import { fromGoSpelling } from "./go-spelling.ts";

const COMMANDS = new Set(["run", "view", "dump", "summary", "help"]);
const FILES = new Set(["trace.out", "prog", "summary", "-"]);

const CASES: readonly (readonly [args: string, want: string | null])[] = [
  ["trace.out", "view trace.out"],
  ["prog trace.out", "view trace.out"],
  ["-", "view -"],
  ["-d=parsed trace.out", "dump --format parsed trace.out"],
  ["-d wire trace.out", "dump --format wire trace.out"],
  ["--d=footprint prog trace.out", "dump --format footprint trace.out"],
  ["-http=localhost:8000 trace.out", "view --http localhost:8000 trace.out"],
  ["-http=:8000 -d=parsed trace.out", "dump --format parsed trace.out"],
  ["-d=parsed missing.out", "dump --format parsed missing.out"],
  ["-d=parsed", "dump --format parsed"],
  ["-pprof=net trace.out", "pprof net trace.out"],
  ["-pprof sched prog trace.out", "pprof sched trace.out"],
  ["-http=:8000 -pprof=sync trace.out", "pprof sync trace.out"],
  // Which of both Go looks at first.
  ["-pprof=sync -d=parsed trace.out", "dump --format parsed trace.out"],
  ["-http=:8000", "view --http :8000"],
  // A command's name wins over a file of that name, and a misspelt command is not a file.
  ["summary trace.out", null],
  ["summary", null],
  ["sumary trace.out", null],
  ["missing.out", null],
  ["--help", null],
  ["--version", null],
  ["", null],
];

for (const [args, want] of CASES) {
  test(`"${args}" is ${want === null ? "not Go's spelling" : `"${want}"`}`, () => {
    const got = fromGoSpelling(args === "" ? [] : args.split(" "), COMMANDS, (path) => FILES.has(path));
    assert.deepEqual(got, want === null ? null : want.split(" "));
  });
}
