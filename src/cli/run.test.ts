import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { judged } from "../testing/go.ts";
import { projectRoot } from "../testing/project.ts";
import { commandOf } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const BIN = new URL("./bin.js", import.meta.url).pathname;

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `runtrace run ARGS…` in the scratch folder; `kill` after the program's first output. */
function runtrace(args: readonly string[], kill?: NodeJS.Signals): Promise<Ending> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, "run", ...args], { cwd: folder, env });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (kill !== undefined) child.kill(kill);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.end("input");
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

function put(name: string, text: string, mode = 0o644): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

function judge(file: string): void {
  assert.match(readFileSync(file, "latin1"), /^go 1\.25 trace/);
  judged(file);
}

test("PROGRAM is a script, a command of node_modules/.bin here or above, or one of PATH", () => {
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  const deep = join(folder, "deep", "er");
  const bin = put("node_modules/.bin/tool", "#!/usr/bin/env node\n", 0o755);
  put("app.js", "");
  put("server", "console.log(1)");
  const shell = put("go.sh", "#!/bin/sh\necho hi\n", 0o755);
  const script = put("cmd", "#!/usr/bin/env node\n", 0o755);
  mkdirSync(join(folder, "package"));
  writeFileSync(join(folder, "package", "index.js"), "");
  const node = process.execPath;
  const cases: readonly (readonly [readonly string[], string, readonly string[]])[] = [
    [["app.js", "-x"], folder, [node, "app.js", "-x"]],
    [["app"], folder, [node, "app"]],
    [["./app"], folder, [node, "./app"]],
    [["./package"], folder, [node, "./package"]],
    [["package"], folder, [node, "package"]],
    [[".", "-x"], join(folder, "package"), [node, ".", "-x"]],
    [[".."], join(folder, "package", "lib"), [node, ".."]],
    [["server"], folder, [node, "server"]],
    [["cmd"], folder, [node, "cmd"]],
    [[script], "/", [node, script]],
    [["./go.sh", "1"], folder, [shell, "1"]],
    [["tool", "a b"], deep, [bin, "a b"]],
    [["node", "--no-warnings", "x.js"], deep, ["node", "--no-warnings", "x.js"]],
  ];
  for (const [program, cwd, want] of cases) assert.deepEqual(commandOf(program, cwd), want);
  for (const missing of ["nowhere", "./nowhere", "deep", "."]) {
    assert.throws(() => commandOf([missing], folder), { name: "CommandError", message: /no such/ });
  }
});

test("TypeScript runs by Node itself, or by the program's own tsx", async () => {
  const there = join(folder, "typed");
  mkdirSync(there);
  writeFileSync(join(there, "package.json"), '{"type":"module"}');
  symlinkSync(join(projectRoot(), "node_modules"), join(there, "node_modules"));
  writeFileSync(join(there, "a.ts"), "const x: number = 3;\nconsole.log(x, process.env.NODE_OPTIONS);\n");
  for (const command of [["typed/a.ts"], ["typed/node_modules/.bin/tsx", "typed/a.ts"]]) {
    const out = join(folder, "typed.out");
    const { code, stdout, stderr } = await runtrace(["-o", out, ...command]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "3 undefined\n" }, stderr);
    judge(out);
    assert.equal(existsSync(`${out}.1`), false);
    rmSync(out);
  }
});

test("run ends as its program ends, and says nothing of its own", async () => {
  const script = put(
    "end.cjs",
    `process.stdin.on("data", (d) => { console.log(String(d), process.argv.slice(2));
    console.error("err"); process.exitCode = 6; });`,
  );
  const ending = await runtrace(["-o", "end.out", "--", script, "-o", "--", "x"]);
  assert.deepEqual(ending, { code: 6, signal: null, stdout: "input [ '-o', '--', 'x' ]\n", stderr: "err\n" });
  judge(join(folder, "end.out"));
});

test("a signal to run reaches the program; run dies by what the program died of", async () => {
  const waits = put("waits.cjs", `console.log("up"); setInterval(() => {}, 10);`);
  const handles = put(
    "handles.cjs",
    `process.on("SIGTERM", () => { console.error("term"); process.exit(8); });
    console.log("up"); setInterval(() => {}, 10);`,
  );
  assert.equal((await runtrace(["-o", "s1.out", waits], "SIGTERM")).signal, "SIGTERM");
  assert.equal((await runtrace(["-o", "s2.out", waits], "SIGINT")).signal, "SIGINT");
  const { code, stderr } = await runtrace(["-o", "s3.out", handles], "SIGTERM");
  assert.deepEqual({ code, stderr }, { code: 8, stderr: "term\n" });
  for (const name of ["s1.out", "s2.out", "s3.out"]) judge(join(folder, name));
});

test("a program that does not exist, and a file that cannot be written, end before anything starts", async () => {
  const script = put("never.cjs", `console.log("ran");`);
  for (const [args, message] of [
    [["nowhere"], /^runtrace: nowhere: no such script or command\n$/],
    [["-o", "no/folder/x.out", script], /^runtrace: cannot write .*ENOENT.*\n$/],
    [["-o", ".", script], /^runtrace: cannot write .*EISDIR.*\n$/],
  ] as const) {
    const { code, stdout, stderr } = await runtrace(args);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, message);
  }
});

test("of several processes the first writes FILE, the next FILE.1, and %p is the pid", async () => {
  mkdirSync(join(folder, "node_modules", "npm", "bin"), { recursive: true });
  const one = put("one.cjs", `console.log(process.pid);`);
  put(
    "node_modules/npm/bin/npm-cli.js",
    `const { spawnSync } = require("child_process");
     for (const n of [1, 2]) spawnSync(process.execPath, [${JSON.stringify(one)}], { stdio: "inherit" });`,
  );
  const several = await runtrace(["-o", "several.out", "node_modules/npm/bin/npm-cli.js"]);
  assert.equal(several.code, 0, several.stderr);
  for (const name of ["several.out", "several.out.1"]) judge(join(folder, name));
  assert.equal(existsSync(join(folder, "several.out.2")), false);
  const { stdout } = await runtrace(["-o", "p-%p.out", one]);
  judge(join(folder, `p-${stdout.trim()}.out`));
});

test("with --children every Node child writes a file of its own, and sees what it would see without", async () => {
  put(
    "leaf.mjs",
    'console.log("leaf", process.argv[2], process.env.NODE_OPTIONS, Object.keys(process.env).filter((k) => k.startsWith("RUNTRACE")).length);\n',
  );
  put(
    "tree.mjs",
    `import { execFile, execFileSync, execSync, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
const node = process.execPath;
const env = { PATH: process.env.PATH, NODE_OPTIONS: "--no-warnings" };
console.log("root", process.env.NODE_OPTIONS);
process.stdout.write(execFileSync(node, ["leaf.mjs", "1"]));
process.stdout.write(spawnSync(node, ["leaf.mjs", "2"], { env }).stdout);
process.stdout.write(execSync(\`"\${node}" leaf.mjs 3\`));
process.stdout.write((await promisify(execFile)(node, ["leaf.mjs", "4"], { env })).stdout);
const inherits = Object.create({ cwd: process.cwd(), env: Object.create(env) });
process.stdout.write(execFileSync(node, ["leaf.mjs", "8"], inherits));
process.stdout.write(spawnSync(node, ["leaf.mjs", "9"], { env: false }).stdout);
const permission = Number(process.versions.node.split(".")[0]) < 23 ? "--experimental-permission" : "--permission";
const restricted = ["--no-warnings", permission, "--allow-fs-read=*", "leaf.mjs"];
process.stdout.write(execFileSync(node, [...restricted, "10"]));
process.stdout.write((await promisify(execFile)(node, [...restricted, "11"])).stdout);
await once(spawn(node, ["leaf.mjs", "5"], { stdio: "inherit" }), "exit");
await once(fork("leaf.mjs", ["6"]), "exit");
await once(new Worker(\`require("node:child_process").execFileSync(process.execPath, ["leaf.mjs", "7"], { stdio: "inherit" })\`, { eval: true }), "exit");
`,
  );
  const without = await new Promise<string>((resolve) => {
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    let text = "";
    const child = spawn(process.execPath, ["tree.mjs"], { cwd: folder, env });
    child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
    child.on("close", () => resolve(text));
  });
  const alone = await runtrace(["-o", "alone.out", "--cpu", "off", "--", "tree.mjs"]);
  assert.equal(alone.stdout, without, alone.stderr);
  assert.equal(existsSync(join(folder, "alone.out.1")), false);
  const { code, stdout, stderr } = await runtrace([
    "-o",
    "tree.out",
    "--cpu",
    "off",
    "--children",
    "--",
    "tree.mjs",
  ]);
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: without, stderr: "" });
  for (let i = 0; i <= 9; i++) judge(join(folder, i === 0 ? "tree.out" : `tree.out.${i}`));
  assert.equal(existsSync(join(folder, "tree.out.10")), false);
  assert.match(judged(join(folder, "tree.out.9")), /leaf\.mjs/);
});

test("a child that begins when the run is over leaves its file alone, and is not harmed", async () => {
  put(
    "late.mjs",
    'import { writeFileSync } from "node:fs"; console.error("late"); writeFileSync("late.txt", "done");\n',
  );
  const shell = put(
    "parent.sh",
    `#!/bin/sh\n"${process.execPath}" -e 0\n(sleep 1; "${process.execPath}" late.mjs 2>late.err) >/dev/null 2>&1 &\n`,
    0o755,
  );
  const { code } = await runtrace(["-o", "over.out", "--cpu", "off", "--", shell]);
  assert.equal(code, 0);
  const whole = readFileSync(join(folder, "over.out"));
  const deadline = performance.now() + 20_000;
  while (!existsSync(join(folder, "late.txt")) && performance.now() < deadline)
    await new Promise((r) => setTimeout(r, 50));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(readFileSync(join(folder, "late.err"), "utf8"), "late\n");
  assert.deepEqual(readFileSync(join(folder, "over.out")), whole);
  judge(join(folder, "over.out"));
});

test("a program under Node's permission model runs as it is, and the run says that nothing was recorded", async () => {
  put("small.mjs", 'console.log("ran"); process.exitCode = 3;\n');
  const permission =
    Number(process.versions.node.split(".")[0]) < 23 ? "--experimental-permission" : "--permission";
  const { code, stdout, stderr } = await runtrace([
    "--",
    "node",
    "--no-warnings",
    permission,
    "--allow-fs-read=*",
    "small.mjs",
  ]);
  assert.deepEqual([code, stdout], [3, "ran\n"]);
  assert.equal(stderr, "runtrace: nothing was recorded: Node's permission model forbids it\n");
});
