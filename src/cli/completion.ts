/**
 * Scripts that make a shell complete commands, options and what they take, made from the command line itself. What is none
 * of these is a file, which shells complete well (libraries for this ask the program at every key, and know no files).
 */
import type { Argument, Command, Option } from "commander";

/** Shells that there are scripts for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script for a shell to read at its start, ending in a line end. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map((command) => ({
    names: [command.name(), ...command.aliases()],
    summary: command.summary(),
    options: optionsOf(command),
    first: choicesOf(command.registeredArguments[0]),
  }));
  const lines = SCRIPTS[shell](program.name(), commands, optionsOf(program));
  return `${lines.join("\n")}\n`;
}

interface CompletedOption {
  /** With their dashes. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

interface CompletedCommand {
  readonly names: readonly string[];
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** What the first argument may be, where it is no file. */
  readonly first: readonly string[];
}

type Script = (
  name: string,
  commands: readonly CompletedCommand[],
  general: readonly CompletedOption[],
) => string[];

const SCRIPTS: Readonly<Record<Shell, Script>> = { bash, zsh, fish };

function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option: Option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    }));
}

function choicesOf(argument: Argument | undefined): readonly string[] {
  return argument?.argChoices ?? [];
}

/** A word of a shell that is nothing but this text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function bash(
  name: string,
  commands: readonly CompletedCommand[],
  general: readonly CompletedOption[],
): string[] {
  const flags = (options: readonly CompletedOption[]): string =>
    options.flatMap((option) => option.flags).join(" ");
  const values = (options: readonly CompletedOption[]): string[] =>
    options
      .filter((option) => option.takesValue)
      .map((option) => `        ${option.flags.join("|")}) words=${quoted(option.choices.join(" "))} ;;`);
  return [
    `# ${name}: completion for bash`,
    `_${name}() {`,
    "  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= given= words= i",
    '  if [[ $cur == "=" ]]; then cur=; elif [[ $before == "=" ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    "    [[ ${COMP_WORDS[i]} == -* ]] && continue",
    "    if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else given=1; fi",
    "  done",
    "  case $command in",
    "    '')",
    `      words=${quoted(`${commands.flatMap((command) => command.names).join(" ")} help`)}`,
    `      [[ $cur == -* ]] && words=${quoted(flags(general))} ;;`,
    ...commands.flatMap((command) => [
      `    ${command.names.join("|")})`,
      "      case $before in",
      ...values(command.options),
      "        *)",
      `          if [[ $cur == -* ]]; then words=${quoted(flags(command.options))}`,
      `          elif [[ -z $given ]]; then words=${quoted(command.first.join(" "))}; fi ;;`,
      "      esac ;;",
    ]),
    `    help) words=${quoted(commands.flatMap((command) => command.names).join(" "))} ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    "}",
    `complete -o default -F _${name} ${name}`,
  ];
}

function zsh(
  name: string,
  commands: readonly CompletedCommand[],
  general: readonly CompletedOption[],
): string[] {
  // Brackets and colons end what they stand in.
  const plain = (text: string): string => text.replaceAll(/[[\]:]/g, (sign) => `\\${sign}`);
  const specs = (options: readonly CompletedOption[]): string[] =>
    options.flatMap(({ flags, description, takesValue, choices }) => {
      const action = choices.length > 0 ? `(${choices.join(" ")})` : "_files";
      const value = takesValue ? `:value:${action}` : "";
      return flags.map((flag) => quoted(`${flag}[${plain(description)}]${value}`));
    });
  return [
    `#compdef ${name}`,
    `_${name}() {`,
    "  local state",
    "  local -a commands=(",
    ...commands.flatMap((command) =>
      command.names.map((one) => `    ${quoted(`${one}:${plain(command.summary)}`)}`),
    ),
    "    'help:print help for a command'",
    "  )",
    `  _arguments -C ${specs(general).join(" ")} '1: :->command' '*:: :->rest'`,
    "  case $state in",
    "    command) _describe command commands ;;",
    "    rest)",
    "      case $words[1] in",
    ...commands.map(({ names, options, first }) => {
      const rest = first.length > 0 ? [quoted(`1:what:(${first.join(" ")})`)] : [];
      return `        ${names.join("|")}) _arguments ${[...specs(options), ...rest, "'*:file:_files'"].join(" ")} ;;`;
    }),
    "        help) _describe command commands ;;",
    "      esac ;;",
    "  esac",
    "}",
    `if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ];
}

function fish(
  name: string,
  commands: readonly CompletedCommand[],
  general: readonly CompletedOption[],
): string[] {
  const text = (words: string): string => quoted(words).replaceAll(String.raw`'\''`, String.raw`\'`);
  const option = (condition: string, { flags, description, takesValue, choices }: CompletedOption): string =>
    [
      `complete -c ${name} -n ${text(condition)}`,
      ...flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)),
      choices.length > 0 ? `-x -a ${text(choices.join(" "))}` : takesValue ? "-r" : "",
      `-d ${text(description)}`,
    ]
      .filter((part) => part !== "")
      .join(" ");
  const none = "__fish_use_subcommand";
  return [
    `# ${name}: completion for fish`,
    ...general.map((one) => option(none, one)),
    `complete -c ${name} -n ${none} -f -a help -d 'print help for a command'`,
    ...commands.flatMap(({ names, summary, options, first }) => {
      const seen = `__fish_seen_subcommand_from ${names.join(" ")}`;
      return [
        ...names.map((one) => `complete -c ${name} -n ${none} -f -a ${one} -d ${text(summary)}`),
        ...(first.length > 0 ? [`complete -c ${name} -n ${text(seen)} -a ${text(first.join(" "))}`] : []),
        ...options.map((one) => option(seen, one)),
      ];
    }),
  ];
}
