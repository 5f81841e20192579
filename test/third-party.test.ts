/** Programs that we did not write behave the same recorded, and Go accepts their traces, in both versions. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { judged } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand, withRecording } from "#dist/testing/record.js";
import type { Outcome } from "#dist/testing/record.js";

const FOLDER = join(projectRoot(), "test", "fixtures", "third-party");
const bin = (name: string): string => join(projectRoot(), "node_modules", ".bin", name);

interface Case {
  readonly name: string;
  readonly command: readonly string[];
  readonly code: number;
  /** Text that differs from run to run anyway. */
  readonly varies?: RegExp;
}

const CASES: readonly Case[] = [
  { name: "a Fastify application", command: ["node", "fastify-app.mjs"], code: 0 },
  { name: "prettier", command: [bin("prettier"), "ugly.js"], code: 0 },
  { name: "eslint", command: [bin("eslint"), "lint-me.js"], code: 1 },
  { name: "mocha", command: [bin("mocha"), "suite.mocha.cjs"], code: 1, varies: / \(\d+ms\)/g },
  { name: "rollup", command: [bin("rollup"), "ugly.js", "--format", "es"], code: 0, varies: /in \d+m?s/g },
  { name: "TypeScript through tsx", command: [bin("tsx"), "typed.mts"], code: 0 },
  { name: "a TypeScript file by itself", command: ["typed.mts"], code: 0 },
];

function comparable(outcome: Outcome, varies: RegExp | undefined): Outcome {
  const clean = (text: string): string => (varies === undefined ? text : text.replaceAll(varies, ""));
  const { code, signal, stdout, stderr } = outcome;
  return { code, signal, stdout: clean(stdout), stderr: clean(stderr) };
}

for (const [index, { name, command, code, varies }] of CASES.entries()) {
  test(`${name} does not notice`, async () => {
    const plainCommand = command[0] === "typed.mts" ? [bin("tsx"), ...command] : command;
    const plain = await runCommand(plainCommand[0]!, plainCommand.slice(1), { cwd: FOLDER });
    assert.equal(plain.code, code, plain.stderr);
    const version = index % 2 === 0 ? "1.25" : "1.23";
    await withRecording(
      command,
      (recording) => {
        assert.deepEqual(comparable(recording, varies), comparable(plain, varies));
        assert.equal(readFileSync(recording.file).subarray(0, 13).toString(), `go ${version} trace`);
        assert.ok(recording.model.activations.count > 1);
        judged(recording.file);
      },
      ["--trace-version", version],
      FOLDER,
    );
  });
}
