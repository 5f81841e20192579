import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { main } from "./main.ts";

async function script(shell: string): Promise<string> {
  let text = "";
  const stdout = { write: (piece: string | Uint8Array) => (text += String(piece)) };
  assert.equal(await main(["completion", shell], { stdout, stderr: stdout }), 0, text);
  return text;
}

const isThere = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

/** What a shell prints that runs a program. */
function answer(shell: string, option: string, program: string): string {
  const run = spawnSync(shell, [option, "-c", program], { encoding: "utf8" });
  assert.equal(run.stderr, "");
  return run.stdout.trim();
}

/** Lines typed so far, and what is suggested: none where files are. */
const CASES: readonly (readonly [line: string, want: readonly string[]])[] = [
  ["runtrace su", ["summary"]],
  ["runtrace dump --format ", ["parsed", "wire", "footprint", "json"]],
  ["runtrace dump --form", ["--format"]],
  ["runtrace pprof s", ["sync", "syscall", "sched"]],
  ["runtrace completion f", ["fish"]],
  ["runtrace --vers", ["--version"]],
];

test("bash completes commands, options and what they take", { skip: !isThere("bash") }, async () => {
  const functions = await script("bash");
  for (const [line, want] of CASES) {
    const words = line.split(" ");
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _runtrace; echo "\${COMPREPLY[@]}"`;
    assert.equal(answer("bash", "--norc", `${functions}\n${ask}\n`), want.join(" "), line);
  }
  const files = `COMP_WORDS=(runtrace summary ''); COMP_CWORD=2; _runtrace; echo "\${#COMPREPLY[@]}"`;
  assert.equal(answer("bash", "--norc", `${functions}\n${files}\n`), "0", "files are left to the shell");
  const joined = `COMP_WORDS=(runtrace dump --format = wi); COMP_CWORD=4; _runtrace; echo "\${COMPREPLY[@]}"`;
  assert.equal(answer("bash", "--norc", `${functions}\n${joined}\n`), "wire", "--format=wi");
});

test("fish completes commands, options and what they take", { skip: !isThere("fish") }, async () => {
  const functions = await script("fish");
  for (const [line, want] of CASES) {
    const got = answer("fish", "--private", `${functions}\ncomplete -C ${JSON.stringify(line)}\n`);
    const words = got.split("\n").map((suggestion) => suggestion.split("\t")[0]!);
    for (const word of want) assert.ok(words.includes(word), `${line}: got ${words.join(" ")}, want ${word}`);
  }
});

test("zsh reads its script", { skip: !isThere("zsh") }, async () => {
  const functions = await script("zsh");
  const load = "autoload -Uz compinit; compinit -u -D";
  const ask = "print -r -- ${_comps[runtrace]}";
  assert.equal(answer("zsh", "-f", `${load}\n${functions}\n${ask}\n`), "_runtrace");
});

test("another shell is wrong usage", async () => {
  let errors = "";
  const stderr = { write: (piece: string | Uint8Array) => (errors += String(piece)) };
  assert.equal(await main(["completion", "nosh"], { stdout: stderr, stderr }), 2);
  assert.match(errors, /nosh.*bash, zsh, fish/);
});
