import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { TableFilter } from "../analysis/trace-tables.ts";
import { parseDuration } from "./duration.ts";
import type { Io } from "./io.ts";

/** Options of all four commands. */
interface Flags extends TableFilter {
  readonly json?: boolean;
  readonly compat?: boolean;
  readonly limit: number;
  readonly by?: "category" | "message";
}

const DEFAULT_LIMIT = 30;

/** Adds `goroutines` (also `activations`), `tasks`, `regions` and `logs`; `exit` is told the exit code. */
export function addTables(program: Command, io: Io, exit: (code: number) => void): void {
  const show =
    (kind: "goroutines" | "tasks" | "regions" | "logs") =>
    async (file: string, name: string | undefined, flags: Flags, command: Command): Promise<void> => {
      const { tables } = await import("./tables.ts");
      const { json, compat, limit, by, ...filter } = flags;
      const options = {
        kind,
        filter: name === undefined ? filter : { ...filter, goroutine: name },
        json: json === true,
        compat: compat === true,
        limit,
        by: by ?? null,
        verbose: command.optsWithGlobals<{ verbose?: boolean }>().verbose === true,
      };
      exit(await tables(file, options, io));
    };
  const withoutName =
    (kind: "tasks" | "regions" | "logs") =>
    (file: string, flags: Flags, command: Command): Promise<void> =>
      show(kind)(file, undefined, flags, command);

  filtered(program.command("goroutines").alias("activations"), "goroutines")
    .summary("print goroutines (activations) and where their time went")
    .description(
      "Print goroutines (activations) by entry function and where their time went; with NAME, each of " +
        "that function, with waits by reason.",
    )
    .usage("[options] FILE [NAME]")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .argument("[name]", "entry function or id")
    .addOption(byLog())
    .addHelpText(
      "after",
      examples(
        "runtrace goroutines trace.out",
        "runtrace activations trace.out 'GET /users'",
        "runtrace goroutines --task checkout --from 1.5s trace.out",
        "runtrace goroutines --by message --log orderID trace.out",
      ),
    )
    .action(show("goroutines"));

  filtered(program.command("tasks"), "tasks")
    .summary("print tasks and their latencies")
    .description(
      "Print tasks by type with their latencies; with --task, each of them as a tree, with its regions and logs.",
    )
    .usage("[options] FILE")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .addOption(byLog())
    .addHelpText(
      "after",
      examples(
        "runtrace tasks trace.out",
        "runtrace tasks --task 'GET /users' --limit 5 trace.out",
        "runtrace tasks --by category trace.out",
      ),
    )
    .action(withoutName("tasks"));

  filtered(program.command("regions"), "regions")
    .summary("print regions and where their time went")
    .description(
      "Print regions by type with their latencies; with --region, each of them and where its time went.",
    )
    .usage("[options] FILE")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .addHelpText(
      "after",
      examples("runtrace regions trace.out", "runtrace regions --region loadUser --task 7 trace.out"),
    )
    .action(withoutName("regions"));

  filtered(program.command("logs"), "logs")
    .summary("print logs")
    .description("Print logs in order of time, or grouped by category or message.")
    .usage("[options] FILE")
    .argument("<file>", "trace file, gzip or not; - is stdin")
    .addOption(new Option("--by <what>", "group logs").choices(["category", "message"]))
    .addHelpText(
      "after",
      examples(
        "runtrace logs --log milk trace.out",
        "runtrace logs --log 'milk=steam' --by message trace.out",
      ),
    )
    .action(withoutName("logs"));
}

function byLog(): Option {
  return new Option("--by <what>", "group by the logs written in them").choices(["category", "message"]);
}

function filtered(command: Command, what: string): Command {
  return command
    .option("--goroutine <name>", "only of this entry function, or of the goroutine (activation) of this id")
    .option("--task <name>", "only of tasks of this type, or of the task of this id")
    .option("--region <type>", "only of regions of this type")
    .option("--log <category>", "only with logs of this category, or CATEGORY=TEXT: with this text, too")
    .option("--from <time>", "only from this time on, since the trace's start: 1.5s, 20ms", parseDuration)
    .option("--to <time>", "only up to this time", parseDuration)
    .option("--limit <n>", "most rows of a table, 0 for all", parseLimit, DEFAULT_LIMIT)
    .option("--json", `print all ${what} as JSON (docs/tables.md)`)
    .option("--compat", "print Go's numbers where Go is wrong")
    .option("--verbose", "print stack traces of errors");
}

function parseLimit(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`got ${JSON.stringify(text)}, want a number.`);
  return Number(text);
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}
