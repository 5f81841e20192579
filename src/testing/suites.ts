import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { bytesSource } from "../decode/source.ts";
import { buildModel } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import { judged } from "./go.ts";
import { projectRoot } from "./project.ts";
import { runCommand } from "./record.ts";
import type { Outcome } from "./record.ts";

const CLI = join(projectRoot(), "dist", "cli.js");

/** A task as tests look at it: "" where it told no file or outcome. */
export interface SeenTest {
  readonly title: string;
  readonly file: string;
  readonly outcome: string;
  /** Name of the activation that began it. */
  readonly activation: string;
  /** Messages of category "seen" in it. */
  readonly seen: readonly string[];
}

/** A project in a folder of its own, in which packages are found as in this one. */
export class Suite {
  readonly folder = mkdtempSync(join(tmpdir(), "runtrace-suite-"));

  constructor(files: Readonly<Record<string, string>>) {
    after(() => rmSync(this.folder, { recursive: true, force: true }));
    symlinkSync(join(projectRoot(), "node_modules"), join(this.folder, "node_modules"), "dir");
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
  }

  /** Runs a command there; `recorded`: through the command line, with these words before it. */
  run(command: readonly string[], recorded: readonly string[] = []): Promise<Outcome> {
    const [first = "", ...args] =
      recorded.length === 0 ? command : [process.execPath, CLI, ...recorded, "--", ...command];
    return runCommand(first, args, {
      cwd: this.folder,
      env: { NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" },
    });
  }

  /** The models of the traces NAME, NAME.1, NAME.2, …; Go has accepted each. */
  traces(name: string): TraceModel[] {
    return tracesOf(join(this.folder, name));
  }
}

/** The models of the traces FILE, FILE.1, FILE.2, …; Go has accepted each. */
export function tracesOf(first: string): TraceModel[] {
  const models: TraceModel[] = [];
  for (let i = 0; ; i++) {
    const file = i === 0 ? first : `${first}.${i}`;
    if (!existsSync(file)) return models;
    judged(file);
    const model = buildModel(bytesSource(readFileSync(file)));
    assert.equal(model.error, null);
    models.push(model);
  }
}

/** The tests of traces, by title. */
export function testsIn(models: readonly TraceModel[]): SeenTest[] {
  const tests = models.flatMap(({ strings, tasks, logs, activations }) =>
    Array.from({ length: tasks.count }, (_, task): SeenTest => {
      const said = (category: string): string[] =>
        Array.from({ length: logs.count }, (_row, row) => row)
          .filter((row) => logs.task[row] === task && strings[logs.category[row]!] === category)
          .map((row) => strings[logs.message[row]!]!);
      return {
        title: strings[tasks.name[task]!]!,
        file: said("test.file").join(),
        outcome: said("test.outcome").join(),
        activation: strings[activations.name[tasks.activation[task]!]!] ?? "",
        seen: said("seen"),
      };
    }),
  );
  return tests.toSorted((a, b) => (a.title < b.title ? -1 : 1));
}

/** Regions of traces, by type: how many there are. */
export function regionsIn(models: readonly TraceModel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { strings, regions } of models) {
    for (let row = 0; row < regions.count; row++) {
      const name = strings[regions.name[row]!]!;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

/** Each test on an activation of its own, which has its title. */
export function assertOwnActivations(tests: readonly SeenTest[]): void {
  for (const { title, activation } of tests) assert.equal(activation, title);
}

/** Text of failures without Node's own frames, which say nothing of a program. */
export function withoutNode(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/\(?node:/.test(line))
    .join("\n");
}

/**
 * Test files in which hooks fail, by the words of jest and vitest, each behind the line `first`, and what is to be told of
 * their tests: title, file, outcome.
 */
export function hookedFiles(first = ""): Readonly<Record<string, string>> {
  const files = {
    "before.test.js": `test("never begins", () => {}); beforeEach(() => { throw new Error("before"); });`,
    "after.test.js": `test("passes", () => {}); afterEach(async () => { await null; throw new Error("after"); });`,
    "all.test.js": `test("stays passed", () => {}); afterAll(() => { throw new Error("all"); });`,
    "fails.test.js": `test("fails", () => { throw new Error("on purpose"); });`,
    "good.test.js": `test("is good", () => {}); afterEach(() => {});`,
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, `${first} ${text}`]));
}

export const HOOKED_TESTS = [
  ["fails", "fails.test.js", "failed"],
  ["is good", "good.test.js", "passed"],
  ["never begins", "before.test.js", "failed"],
  ["passes", "after.test.js", "failed"],
  ["stays passed", "all.test.js", "passed"],
] as const;
