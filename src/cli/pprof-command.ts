import type { Command } from "commander";
import { Argument } from "commander";
import { parseDuration } from "./duration.ts";
import type { Io } from "./io.ts";

interface Flags {
  readonly output?: string;
  readonly compat?: boolean;
  readonly goroutine?: string;
  readonly region?: string;
  readonly task?: string;
  readonly from?: number;
  readonly to?: number;
}

/** The types of profiles, here and not imported: this file is loaded for every command. */
const TYPES = ["net", "sync", "syscall", "sched", "cpu"] as const;

/** Adds the command `pprof`; `exit` is told its exit code. */
export function addPprof(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command("pprof")
    .summary("write a profile for go tool pprof")
    .description(
      "Write a gzipped pprof profile: where activations wait for the network (net), for each other (sync) and in " +
        "system calls (syscall), who makes them ready while the event loop is busy (sched), or where they run (cpu).",
    )
    .usage("[options] TYPE FILE")
    .addArgument(new Argument("<type>", "which profile").choices(TYPES))
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .option("-o, --output <file>", "file to write instead of stdout")
    .option("--goroutine <name>", "only goroutines (activations) of this entry function, or of this id")
    .option("--region <type>", "only inside of regions of this type")
    .option("--task <name>", "only inside of tasks of this name, or of this id")
    .option("--from <time>", "only from this time on, since the trace's start: 1.5s, 20ms", parseDuration)
    .option("--to <time>", "only up to this time", parseDuration)
    .option("--compat", "give Go's numbers, which leave out the waits before a goroutine first runs and more")
    .option("--verbose", "print stack traces of errors")
    .addHelpText(
      "after",
      "\nLabels of samples: goroutine (entry function), reason (of the wait), cut (by the\n" +
        "trace's start or end). To look at it: go tool pprof -top, -tags, -http=: FILE.\n" +
        "\nExamples:\n" +
        "  runtrace pprof sync trace.out > sync.pb.gz\n" +
        "  runtrace pprof sched -o sched.pb.gz --from 1.5s --to 2s trace.out\n" +
        "  runtrace pprof net --region loadUser --task checkout trace.out > net.pb.gz\n",
    )
    .action(async (type: (typeof TYPES)[number], file: string, flags: Flags, command: Command) => {
      const { pprof } = await import("./pprof.ts");
      const { output, compat, goroutine, region, task, from, to } = flags;
      const filter = {
        ...(goroutine === undefined ? {} : { goroutine }),
        ...(region === undefined ? {} : { region }),
        ...(task === undefined ? {} : { task }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      };
      const verbose = command.optsWithGlobals<{ verbose?: boolean }>().verbose === true;
      const options = { output: output ?? null, compat: compat === true, filter, verbose };
      exit(await pprof(type, file, options, io));
    });
}
