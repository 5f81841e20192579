/**
 * The command line: commands, options, help and exit codes. A command's code is loaded only when it runs, so that
 * `run` starts without the reader.
 */
import { statSync } from "node:fs";
import { Argument, Command, CommanderError, Option } from "commander";
import { fromGoSpelling } from "./go-spelling.ts";
import { Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { SHELLS, completionScript } from "./completion.ts";
import type { Shell } from "./completion.ts";
import { addMmu } from "./mmu-command.ts";
import { addPprof } from "./pprof-command.ts";
import { reportError } from "./report.ts";
import { parseBytes, parsePid, parseRate, parseSeconds } from "./run-options.ts";
import { addTables } from "./tables-command.ts";
import { packageVersion } from "./version.ts";

interface RunFlags {
  readonly output: string;
  readonly cpu: number | "off";
  readonly buffer: number;
  readonly traceVersion: "1.25" | "1.23";
  readonly signalFlush: boolean;
  readonly http: boolean;
  readonly traceparent: boolean;
  readonly children: boolean;
  readonly onFailure?: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Runs the command line with the arguments after the program's name and returns the exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = Exit.Done;
  let verbose = false;
  const program = commandLine(io, (code) => {
    exitCode = code;
  });
  program.hook("preAction", (_, command) => {
    verbose = isVerbose(command);
  });
  const commands = new Set([
    "help",
    ...program.commands.flatMap((command) => [command.name(), ...command.aliases()]),
  ]);
  const ours = fromGoSpelling(args, commands, isFile) ?? args;
  if (ours.length === 0) {
    program.outputHelp({ error: true });
    return Exit.Usage;
  }
  try {
    await program.parseAsync(ours, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.Done : Exit.Usage;
    return reportError(null, error, verbose, io);
  }
  return exitCode;
}

function commandLine(io: Io, exit: (code: number) => void): Command {
  const program = new Command("runtrace")
    .description("Execution traces for Node.js, in Go's own format.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .option("--verbose", "print stack traces of errors")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`runtrace: ${oneLine(text)}\n`),
    })
    .addHelpText(
      "after",
      examples(
        "runtrace run app.js                 record app.js into trace.out",
        "runtrace summary trace.out          what happened, as text",
        "runtrace view trace.out             what happened, in the browser",
      ) + "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 broken, damaged or unreadable trace.\n",
    );

  const runs =
    (tests: boolean) =>
    async (script: string, args: string[], flags: RunFlags, command: Command): Promise<void> => {
      const { run } = await import("./run.ts");
      exit(
        await run([script, ...args], {
          output: flags.output,
          version: flags.traceVersion,
          cpu: flags.cpu,
          buffer: flags.buffer,
          signalFlush: flags.signalFlush,
          ...(flags.http ? {} : { http: false }),
          ...(flags.traceparent ? { traceparent: true } : {}),
          children: tests || flags.children,
          tests,
          onFailure: flags.onFailure === true,
          include: flags.include,
          exclude: flags.exclude,
          verbose: isVerbose(command),
        }),
      );
    };

  recording(program.command("run"))
    .summary("run a program and record it")
    .description(
      "Run a program and record it. PROGRAM is a script, `node [node options] script`, or a command " +
        "from node_modules/.bin or PATH. Everything after PROGRAM belongs to it. Exits as the program does.",
    )
    .usage("[options] [--] PROGRAM [ARGS…]")
    .argument("<program>", "script or command")
    .argument("[args...]", "arguments of the program")
    .option("--children", "record Node children, too, into FILE.1, FILE.2, …", false)
    .addHelpText(
      "after",
      examples(
        "runtrace run server.js --port 8080",
        "runtrace run -o build.trace -- node --max-old-space-size=4096 build.js",
        "runtrace run --cpu off --buffer 64MiB app.js",
      ),
    )
    .action(runs(false));

  recording(program.command("test"))
    .summary("run tests and record them, each test a task")
    .description(
      "Run a test command and record it with all its children: FILE, FILE.1, FILE.2, … Each test of node:test, " +
        "mocha, vitest and jest is a task, named by its title. Exits as the command does.",
    )
    .usage("[options] [--] COMMAND [ARGS…]")
    .argument("<command>", "test command")
    .argument("[args...]", "arguments of the command")
    .option("--on-failure", "keep only traces of processes in which a test failed", false)
    .addHelpText(
      "after",
      examples(
        "runtrace test -- node --test",
        "runtrace test -o unit.trace -- npx vitest run test/unit",
        "runtrace test --on-failure -- npx jest",
      ),
    )
    .action(runs(true));

  recordingOptions(program.command("attach"))
    .summary("record a running, prepared process")
    .description(
      "Record a running process that is prepared for it: started with RUNTRACE_MODE=dormant and `node --import " +
        "runtrace/register`, or with `node --import runtrace/pprof/auto`. The process writes the file itself.",
    )
    .usage("[options] PID")
    .argument("<pid>", "the process", parsePid)
    .option("--seconds <n>", "end after so many seconds (default: by Ctrl-C)", parseSeconds)
    .addHelpText(
      "after",
      examples("runtrace attach 4711 --seconds 5", "runtrace attach -o slow.trace --cpu off 4711"),
    )
    .action(async (pid: number, flags: RunFlags & { seconds?: number }) => {
      const { attach } = await import("./attach.ts");
      const { cpu, buffer, traceVersion: version } = flags;
      const ms = flags.seconds === undefined ? undefined : flags.seconds * 1e3;
      exit(await attach(pid, { output: flags.output, ms, recording: { cpu, buffer, version } }));
    });

  program
    .command("view")
    .summary("show traces in the browser")
    .description("Serve the viewer for one or more traces until Ctrl-C. The first line of stdout is its URL.")
    .usage("[options] FILE…")
    .argument("<file...>", "trace files, gzip or not; - is stdin")
    .option("--http <address>", "address to listen on, HOST:PORT")
    .option("--no-open", "do not open a browser")
    .option("--source <folder>", "show source from files below this folder (default: the current one)")
    .option("--no-source", "show no source")
    .option("--verbose", "print stack traces of errors")
    .addHelpText(
      "after",
      examples("runtrace view trace.out", "runtrace view --http localhost:8000 --no-open trace.out"),
    )
    .action(async (files: string[], flags: { http?: string; open: boolean; source?: string | boolean }) => {
      const { view } = await import("./view.ts");
      const http = flags.http === undefined ? {} : { http: flags.http };
      const source =
        flags.source === false ? {} : { source: typeof flags.source === "string" ? flags.source : null };
      exit(await view(files, { ...http, ...source, open: flags.open }, { ...io, stdin: process.stdin }));
    });

  program
    .command("summary")
    .summary("print what happened in a trace")
    .description(
      "Print event loops, activations, tasks, regions, waits, scheduler latency, GC and CPU samples.",
    )
    .usage("[options] FILE…")
    .argument("<file...>", "trace files, gzip or not; - is stdin")
    .option("--json", "print JSON: goroutines, tasks and regions with where their time went")
    .option("--compat", "print Go's numbers where Go is wrong")
    .option("--verbose", "print stack traces of errors")
    .addHelpText(
      "after",
      examples("runtrace summary trace.out", "runtrace summary --json trace.out > summary.json"),
    )
    .action(async (files: string[], flags: { json?: boolean; compat?: boolean }, command: Command) => {
      const { summary } = await import("./summary.ts");
      const options = {
        json: flags.json === true,
        compat: flags.compat === true,
        verbose: isVerbose(command),
      };
      exit(await summary(files, options, io));
    });

  program
    .command("check")
    .summary("say whether traces are whole")
    .description(
      "Read, order and validate traces, strictly. A line a file: ok and the number of events, Go's error, or " +
        "damage that Go passes over in silence (a lost end, drops).",
    )
    .usage("[options] FILE…")
    .argument("<file...>", "trace files, gzip or not; - is stdin")
    .option("--verbose", "print stack traces of errors")
    .addHelpText("after", examples("runtrace check trace.out", "runtrace check *.trace"))
    .action(async (files: string[], _flags: object, command: Command) => {
      const { check } = await import("./check.ts");
      exit(await check(files, { verbose: isVerbose(command) }, io));
    });

  program
    .command("dump")
    .summary("print the events of a trace")
    .description("Print the events of a trace as text, as `go tool trace -d=…` does.")
    .usage("[options] FILE")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .addOption(
      new Option("--format <format>", "what to print")
        .choices(["parsed", "wire", "footprint", "json"])
        .default("parsed"),
    )
    .option("--verbose", "print stack traces of errors")
    .addHelpText("after", examples("runtrace dump trace.out", "runtrace dump --format footprint trace.out"))
    .action(async (file: string, flags: { format: "parsed" | "wire" | "footprint" | "json" }) => {
      const { dump } = await import("./dump.ts");
      exit(await dump(file, { format: flags.format }, io));
    });

  addMmu(program, io, isVerbose, exit);
  addPprof(program, io, exit);
  addTables(program, io, exit);

  program
    .command("completion")
    .summary("print a script that completes commands in a shell")
    .description("Print a script that makes a shell complete runtrace's commands, options and files.")
    .addArgument(new Argument("<shell>", "shell").choices(SHELLS))
    .addHelpText(
      "after",
      examples(
        "runtrace completion fish > ~/.config/fish/completions/runtrace.fish",
        'eval "$(runtrace completion bash)"    in ~/.bashrc',
        'eval "$(runtrace completion zsh)"     in ~/.zshrc, after compinit',
      ),
    )
    .action((shell: Shell) => {
      io.stdout.write(completionScript(program, shell));
    });

  return program;
}

/** The options of a command that records. */
function recording(command: Command): Command {
  return recordingOptions(command)
    .option("--include <glob>", "transform only these files (may come again)", collect, [])
    .option("--exclude <glob>", "leave these files as they are (may come again)", collect, [])
    .option("--no-signal-flush", "install no handler for SIGINT and SIGTERM")
    .option("--no-http", "make no tasks of incoming HTTP requests, and no regions of outgoing ones")
    .option("--traceparent", "send a W3C traceparent with outgoing HTTP requests", false)
    .passThroughOptions();
}

/** Options of every recording, whoever begins it. */
function recordingOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "trace file to write; %p in it is the pid", "trace.out")
    .option("--cpu <hz>", "CPU samples a second, or off", parseRate, 100)
    .addOption(
      new Option("--buffer <bytes>", "buffer of one event loop, such as 64MiB")
        .argParser(parseBytes)
        .default(16 * 2 ** 20, "16MiB"),
    )
    .addOption(
      new Option("--trace-version <version>", "version of the format; 1.23 for gotraceui and Go before 1.25")
        .choices(["1.25", "1.23"])
        .default("1.25"),
    )
    .option("--verbose", "print stack traces of errors");
}

/** `--verbose` may stand before or after the command's name. */
function isVerbose(command: Command): boolean {
  return command.optsWithGlobals<{ verbose?: boolean }>().verbose === true;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function isFile(path: string): boolean {
  return path === "-" || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function oneLine(text: string): string {
  return text
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ");
}
