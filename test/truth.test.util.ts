/** The text of `dump --format parsed`, read back into a few lines a program's author can write by hand. */

interface Activation {
  name: string;
  creator: number;
  born: string;
  state: string;
  since: number;
  reason: string;
  stack: string;
  lines: string[];
}

export interface Truth {
  readonly text: string;
  /** Events that block or create, and those of them without a stack. */
  readonly events: number;
  readonly bare: number;
  /** Names of activations that left a state which they were not in, or before they had entered it. */
  readonly broken: readonly string[];
}

const HEAD = /^M=\S+ P=\S+ G=(-?\d+) (\w+) Time=(\d+) ?(.*)$/;
const MOVE = /^GoID=(\d+) (\w+)->(\w+) Reason="(.*)"$/;
/** Waits that are no longer are not told: they may be the machine's. */
const SHORT_MS = 9;

/**
 * One block an activation, in order of creation: `NAME < CREATOR at STACK`, and indented what it did: waits of more than 9 ms
 * (`REASON MS in STACK, woken by NAME`), regions, tasks, logs. A stack is `func:line < func:line`, without the
 * entry of the main script; SERVER is an address of this machine.
 */
export function tell(parsed: string): Truth {
  const all = new Map<number, Activation>();
  const tasks = new Map<string, string>();
  let events = 0;
  let bare = 0;
  const broken: string[] = [];
  for (const { g, kind, time, rest, stack, transition } of eventsOf(parsed)) {
    if (kind === "StateTransition") {
      const move = MOVE.exec(rest);
      if (move === null) continue;
      const [, id = "", from = "", to = "", reason = ""] = move;
      const key = Number(id);
      if (from === "NotExist") {
        // A root has no maker.
        if (g !== -1) {
          events++;
          if (stack.length === 0) bare++;
        }
        all.set(key, {
          name: (transition.at(-1) ?? "?").replace(/:\d+$/, ""),
          creator: g,
          born: stack.join(" < "),
          state: to,
          since: time,
          reason: "",
          stack: "",
          lines: [],
        });
        continue;
      }
      const activation = all.get(key);
      if (activation === undefined || from === to) continue;
      const ms = (time - activation.since) / 1e6;
      if (from !== activation.state || ms < 0) broken.push(activation.name);
      if (to === "Waiting" && reason !== "preempted" && reason !== "system goroutine wait") {
        events++;
        if (stack.length === 0) bare++;
      }
      // At no place in the program files are being loaded.
      const isLoading = activation.reason === "unspecified" && !activation.stack.includes(" < ");
      if (from === "Waiting" && ms >= SHORT_MS && activation.reason !== "preempted" && !isLoading) {
        const waker = g === -1 || g === key ? "" : `, woken by ${all.get(g)?.name ?? "?"}`;
        activation.lines.push(`${activation.reason} ${Math.round(ms)} in ${activation.stack}${waker}`);
      }
      activation.state = to;
      activation.since = time;
      activation.reason = reason;
      activation.stack = stack.join(" < ");
      continue;
    }
    const on = all.get(g);
    const text = (name: string): string =>
      JSON.parse(new RegExp(`${name}=("(?:[^"\\\\]|\\\\.)*")`).exec(rest)?.[1] ?? '""') as string;
    if (kind === "TaskBegin") tasks.set(/ID=(\d+)/.exec(rest)?.[1] ?? "", text("Type"));
    if (on === undefined) continue;
    const task = tasks.get(/Task=(\d+)/.exec(rest)?.[1] ?? "") ?? "";
    const of = task === "" ? "" : ` of ${task}`;
    if (kind === "RegionBegin") on.lines.push(`region ${text("Type")}${of}`);
    else if (kind === "RegionEnd") on.lines.push(`end of region ${text("Type")}`);
    else if (kind === "TaskBegin") on.lines.push(`task ${text("Type")}`);
    else if (kind === "TaskEnd") on.lines.push(`end of task ${text("Type")}`);
    else if (kind === "Log" && text("Category") !== "runtrace")
      on.lines.push(`log ${text("Category")} ${text("Message")}${of}`);
  }
  const blocks: string[] = [];
  for (const activation of all.values()) {
    const { name, creator, born, lines } = activation;
    if (name === "runtime.eventLoop") continue;
    const by = creator === -1 ? "" : ` < ${all.get(creator)?.name ?? "?"}${born === "" ? "" : ` at ${born}`}`;
    blocks.push([`${name}${by}`, ...lines.map((line) => `  ${line}`)].join("\n"));
  }
  // Ports are the machine's.
  const text = blocks.join("\n").replaceAll(/\b127\.0\.0\.1:\d+/g, "SERVER");
  return { text, events, bare, broken };
}

interface Event {
  readonly g: number;
  readonly kind: string;
  readonly time: number;
  readonly rest: string;
  readonly stack: string[];
  readonly transition: string[];
}

function eventsOf(parsed: string): Event[] {
  const events: Event[] = [];
  let into: string[] | null = null;
  let func = "";
  for (const line of parsed.split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [, g = "", kind = "", time = "", rest = ""] = head;
      events.push({ g: Number(g), kind, time: Number(time), rest, stack: [], transition: [] });
      into = null;
    } else if (line === "Stack=") into = events.at(-1)!.stack;
    else if (line === "TransitionStack=") into = events.at(-1)!.transition;
    else if (into !== null && line.startsWith("\t\t")) {
      const [, file = "", at = ""] = /([^/]*):(\d+)$/.exec(line) ?? [];
      into.push(
        file === "node" || file === "node:1" || (func === "main" && line.endsWith(":1"))
          ? func
          : `${func}:${at}`,
      );
    } else if (into !== null && line.startsWith("\t")) func = line.slice(1).replace(/ @ .*/, "");
  }
  return events;
}
