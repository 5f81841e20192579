import { Option } from "commander";
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { DEFAULT_FLAGS, parseFlags, parseWindow } from "./mmu-options.ts";
import type { MmuFlags } from "./mmu-options.ts";

interface Options {
  readonly flags: MmuFlags;
  readonly window?: number;
  readonly json?: boolean;
  readonly compat?: boolean;
}

/** Adds `runtrace mmu`; `exit` is told the exit code. */
export function addMmu(
  program: Command,
  io: Io,
  isVerbose: (command: Command) => boolean,
  exit: (code: number) => void,
): void {
  program
    .command("mmu")
    .summary("print minimum mutator utilization")
    .description(
      "Print the least share of its event loops (Go: procs) that garbage collection leaves to the program in any " +
        "window of a given length, and the worst windows.",
    )
    .usage("[options] FILE")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .addOption(
      new Option("--flags <list>", "what to count, see below")
        .argParser(parseFlags)
        .default(parseFlags(DEFAULT_FLAGS), DEFAULT_FLAGS),
    )
    .option("--window <duration>", "length of the worst windows, such as 500us (default: 10ms)", parseWindow)
    .option("--json", "print JSON (docs/mmu.md)")
    .option("--compat", "print Go's numbers where Go is wrong")
    .option("--verbose", "print stack traces of errors")
    .addHelpText(
      "after",
      `
Flags, separated by commas:
  system      the share of all event loops, one curve (the default)
  perProc     each event loop by itself, the worst of them
  stw         stop-the-world pauses; a collection where there is one event loop
  background  Go's background mark workers
  assist      mark assists; a collection where there are several event loops
  sweep       Go's sweeping
  mut         also percentiles: p99 leaves out the worst 1 % of the windows

Examples:
  runtrace mmu trace.out
  runtrace mmu --flags perProc,stw,assist,mut --window 1ms trace.out
  runtrace mmu --json --compat trace.out > mmu.json
`,
    )
    .action(async (file: string, options: Options, command: Command) => {
      const { mmu } = await import("./mmu.ts");
      exit(
        await mmu(
          file,
          {
            flags: options.flags,
            window: options.window ?? null,
            json: options.json === true,
            compat: options.compat === true,
            verbose: isVerbose(command),
          },
          io,
        ),
      );
    });
}
