import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a run of `go tool trace` answered: its exit status as a verdict, and its text. */
export interface GoVerdict {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const OLDEST_MINOR = 25;

const environment = { ...process.env, TZ: "UTC", GOTOOLCHAIN: "local" };

let found: { readonly go: string; readonly trace: string } | null | undefined;

function find(): { readonly go: string; readonly trace: string } | null {
  const run = (...args: string[]): string =>
    execFileSync("go", args, {
      encoding: "utf8",
      env: environment,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const minor = /^go1\.(\d+)/.exec(run("env", "GOVERSION"))?.[1];
    if (minor === undefined || Number(minor) < OLDEST_MINOR) return null;
    return { go: `${run("env", "GOROOT")}/bin/go`, trace: run("tool", "-n", "trace") };
  } catch {
    return null;
  }
}

/**
 * Path of the `go` command that judges traces, or null where there is none on PATH or it is older than Go 1.25 (it
 * would not know the default version): the test skips then. The first call builds Go's trace tool, some seconds once.
 */
export function goTool(): string | null {
  if (found === undefined) found = find();
  return found === null ? null : found.go;
}

/**
 * Runs Go's trace tool with `args` (`["-d=wire", file]`) in UTC; ok where it exits with 0. It starts the tool's
 * executable itself, which takes some 10 ms instead of 80. `output`: the file for stdout that is no text. Throws where `goTool()` is null.
 */
export function goToolTrace(args: readonly string[], output?: string): GoVerdict {
  if (goTool() === null || !found) throw new Error("got no go command, want Go 1.25 or later on PATH");
  const result = spawnSync(found.trace, args, { encoding: "buffer", env: environment, maxBuffer: 1 << 30 });
  if (result.error !== undefined) throw result.error;
  if (output !== undefined) writeFileSync(output, result.stdout);
  const stdout = output === undefined ? result.stdout.toString() : "";
  return { ok: result.status === 0, stdout, stderr: result.stderr.toString() };
}

/** `go tool trace -d=parsed FILE`: every event as Go's reader delivers it, the first error on stderr. */
export function parsed(file: string): GoVerdict {
  return goToolTrace(["-d=parsed", file]);
}

/** `go tool trace -d=wire FILE`: the undecoded records as text. */
export function wire(file: string): GoVerdict {
  return goToolTrace(["-d=wire", file]);
}

/**
 * The text of all events of a trace that its judge accepts: Go's tool, or our own `dump` where there is no Go. Throws
 * what the judge says of a trace that it refuses.
 */
export function judged(file: string): string {
  if (goTool() === null) {
    const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
    const options = { encoding: "utf8", env: environment, maxBuffer: 1 << 30 } as const;
    return execFileSync(process.execPath, [cli, "dump", "--format", "parsed", file], options);
  }
  const { ok, stdout, stderr } = parsed(file);
  if (!ok) throw new Error(`${file}: ${stderr}`);
  return stdout;
}

/** The same for a trace whose text is too long to be held: throws what the judge says of one that it refuses. */
export function accepted(file: string): void {
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const [command, args] =
    goTool() === null || !found
      ? [process.execPath, [cli, "dump", "--format", "parsed", file]]
      : [found.trace, ["-d=parsed", file]];
  execFileSync(command, args, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
}
