/**
 * Go's own spelling of its tool, rewritten to ours: `[flags] [binary] trace.out`, where a flag is `-http=ADDR`,
 * `-d=MODE` or `-pprof=TYPE` (one dash or two, the value after "=" or as the next argument).
 */

/**
 * The arguments of our command for arguments in Go's spelling, or null where they are not. A command's name wins
 * over a file of that name; without flags the arguments are Go's only where they name files, so that a misspelt
 * command stays one. The binary is accepted and passed over, as in Go.
 */
export function fromGoSpelling(
  args: readonly string[],
  commands: ReadonlySet<string>,
  isFile: (path: string) => boolean,
): string[] | null {
  const flags = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const flag = /^--?(http|d|pprof)(?:=(.*))?$/s.exec(args[at]!);
    if (flag === null) break;
    flags.set(flag[1]!, flag[2] ?? args[++at] ?? "");
  }
  let files = args.slice(at);
  if (flags.size === 0 && (files.length === 0 || commands.has(files[0]!) || !files.every(isFile)))
    return null;
  if (files.length === 2) files = files.slice(1);

  const mode = flags.get("d");
  if (mode !== undefined) return ["dump", "--format", mode, ...files];
  const profile = flags.get("pprof");
  if (profile !== undefined) return ["pprof", profile, ...files];
  const address = flags.get("http");
  return address === undefined ? ["view", ...files] : ["view", "--http", address, ...files];
}
