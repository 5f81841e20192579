import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { isatty } from "node:tty";
import { pathToFileURL } from "node:url";
import { RUN_VARIABLE, isRestricted, withPreload } from "../recorder/environment.ts";
import type { RunMessage } from "../recorder/environment.ts";
import { CommandError, Exit } from "./io.ts";
import type { RunOptions } from "./run-options.ts";
import { filesOf, keepFailures } from "./trace-files.ts";
import type { TraceFile } from "./trace-files.ts";

/**
 * `runtrace run` and `runtrace test`: starts the program as it is, with the recorder preloaded, and gets out of its way. It has the
 * terminal, its own streams and signals; we end as it ends.
 */
const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGINT"];

/** Resolves to the program's exit code; dies by the signal that the program died of. Throws CommandError before it starts. */
export async function run(program: readonly string[], options: RunOptions): Promise<number> {
  const [command, ...args] = commandOf(program, process.cwd());
  const out = path.resolve(options.output);
  checkOutput(out);
  const claims = fs.mkdtempSync(path.join(os.tmpdir(), "runtrace-"));
  const { version, cpu, buffer, signalFlush, http, traceparent } = options;
  const { include, exclude, children, tests, onFailure } = options;
  const message: RunMessage = {
    out,
    claims,
    children,
    tests,
    options: {
      version,
      cpu,
      buffer,
      signalFlush,
      ...(http !== undefined && { http }),
      ...(traceparent !== undefined && { traceparent }),
    },
    loader: { include, exclude },
  };
  const begin = performance.now();
  const isForbidden = isRestricted(args, process.env.NODE_OPTIONS);
  try {
    const env = {
      ...process.env,
      NODE_OPTIONS: withPreload(process.env.NODE_OPTIONS),
      [RUN_VARIABLE]: JSON.stringify(message),
    };
    const { code, signal } = await runChild(command!, args, isForbidden ? process.env : env);
    if (isForbidden) {
      process.stderr.write("runtrace: nothing was recorded: Node's permission model forbids it\n");
    } else if (fs.readdirSync(claims).length === 0) {
      process.stderr.write(`runtrace: nothing was recorded: ${program[0]} started no Node.js program\n`);
    } else {
      const files = filesOf(claims);
      const kept = onFailure ? keepFailures(files, code !== 0) : files;
      const line = closingLine(kept, options, performance.now() - begin);
      if (isatty(2)) process.stderr.write(line);
    }
    if (signal === null) return code ?? Exit.Failed;
    fs.rmSync(claims, { recursive: true, force: true });
    return await dieBy(signal);
  } finally {
    fs.rmSync(claims, { recursive: true, force: true });
  }
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function runChild(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ending> {
  const child = spawn(command, args, { stdio: "inherit", env });
  // A terminal sends its own Ctrl-C to the program as well: twice would mean "at once" to some.
  const ownTerminal = [0, 1, 2].some((fd) => isatty(fd));
  const forward = (signal: NodeJS.Signals): void => {
    if (!(ownTerminal && (signal === "SIGINT" || signal === "SIGQUIT"))) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return new Promise<Ending>((resolve, reject) => {
    child.on("error", (error) =>
      reject(new CommandError(Exit.Failed, `cannot start ${command}: ${error.message}`, error)),
    );
    child.on("exit", (code, signal) => resolve({ code, signal }));
  }).finally(() => {
    for (const signal of FORWARDED) process.off(signal, forward);
  });
}

/** Ends this process by `signal`; resolves to the shell's code for it where the signal does not kill. */
async function dieBy(signal: NodeJS.Signals): Promise<number> {
  process.kill(process.pid, signal);
  await new Promise((resolve) => setTimeout(resolve, 200));
  return 128 + os.constants.signals[signal];
}

/**
 * The command line for PROGRAM: a file, or a folder with a package, is a script for Node (unless it says that it is for something else), `node` is
 * what PATH has, everything else is a command of node_modules/.bin, here or above, or of PATH. Throws CommandError.
 */
export function commandOf(program: readonly string[], cwd: string): string[] {
  const [name = "", ...args] = program;
  const file = path.resolve(cwd, name);
  if (isFile(file)) {
    if (isForeign(file)) return [file, ...args];
    return [process.execPath, ...typeScriptOptions(file), name, ...args];
  }
  if (name.includes("/") || name === "." || name === "..") {
    if (isModule(file)) return [process.execPath, name, ...args];
    throw new CommandError(Exit.Failed, `${name}: no such program`);
  }
  for (let folder = cwd; ; folder = path.dirname(folder)) {
    const bin = path.join(folder, "node_modules", ".bin", name);
    if (isExecutable(bin)) return [bin, ...args];
    if (folder === path.dirname(folder)) break;
  }
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    if (isExecutable(path.join(folder, name))) return [name, ...args];
  }
  if (isModule(file)) return [process.execPath, name, ...args];
  throw new CommandError(Exit.Failed, `${name}: no such script or command`);
}

/** Whether a script's first line names another interpreter than Node, or the file is no script at all. */
function isForeign(file: string): boolean {
  if (/\.(?:[cm]?[jt]s|[jt]sx|wasm)$/.test(file) || !isExecutable(file)) return false;
  const head = Buffer.alloc(256);
  const fd = fs.openSync(file, "r");
  const length = fs.readSync(fd, head, 0, head.length, 0);
  fs.closeSync(fd);
  const [line = ""] = head.toString("latin1", 0, length).split("\n");
  if (line.startsWith("#!")) return !/\bnode\b/.test(line);
  return line.includes("\0") || line.startsWith("\x7fELF");
}

/** Node options that let this Node run a TypeScript file, where it cannot by itself and the program has tsx. */
function typeScriptOptions(file: string): string[] {
  if (!/\.(?:[cm]?ts|[jt]sx)$/.test(file)) return [];
  const features = process.features as { typescript?: string | false };
  if (features.typescript && !file.endsWith("x")) return [];
  try {
    return ["--import", pathToFileURL(createRequire(file).resolve("tsx")).href];
  } catch {
    return [];
  }
}

/** Throws CommandError where `file` cannot be written; leaves what it holds alone. */
function checkOutput(file: string): void {
  const dated = file.replaceAll("%p", String(process.pid));
  try {
    const exists = fs.existsSync(dated);
    if (exists && !fs.statSync(dated).isDirectory()) fs.accessSync(dated, fs.constants.W_OK);
    else fs.closeSync(fs.openSync(dated, "a"));
    if (!exists) fs.rmSync(dated);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(Exit.Failed, `cannot write ${file}: ${reason}`, error);
  }
}

/** Whether Node finds a script under a name that is no file: app.js or app/index.js for "app". */
function isModule(file: string): boolean {
  return [`${file}.js`, path.join(file, "index.js"), path.join(file, "package.json")].some(isFile);
}

function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return isFile(file);
  } catch {
    return false;
  }
}

function closingLine(files: readonly TraceFile[], { output, onFailure }: RunOptions, ms: number): string {
  const [first, ...others] = files.map(({ file }) => (file === path.resolve(output) ? output : shown(file)));
  if (first === undefined) {
    return onFailure
      ? "runtrace: no test failed: no trace is kept\n"
      : "runtrace: nothing was recorded: the program started no Node.js process\n";
  }
  const bytes = files.reduce(
    (sum, { file }) => sum + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const all = others.length > 1 ? `${first}, ${others[0]} … ${others.at(-1)}` : [first, ...others].join(", ");
  const verb = onFailure ? "kept" : "wrote";
  return `runtrace: ${verb} ${all}, ${(bytes / 1e6).toFixed(1)} MB, ${(ms / 1e3).toFixed(1)} s; open it with \`runtrace view ${first}\`\n`;
}

/** A file's name from the current folder, where it lies in that. */
function shown(file: string): string {
  const name = path.relative(process.cwd(), file);
  return name.startsWith("..") || path.isAbsolute(name) ? file : name;
}
