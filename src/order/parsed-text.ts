import { encodeText } from "../decode/text.ts";
import { exactId, exactTime, exactValue } from "./exact.ts";
import { quote } from "./quote.ts";
import { TextBuffer } from "./text-buffer.ts";
import type { OrderedEvent, Stack } from "./types.ts";
import { localOffset, wallTime } from "./wall-time.ts";

const CACHED_TEXTS = 10_000;

/**
 * The text of ordered events, byte for byte that of `go tool trace -d=parsed`. `append` every event, `take` the bytes
 * whenever there are enough.
 */
export class ParsedText {
  readonly #out = new TextBuffer();
  readonly #zoneOffset: (seconds: bigint) => number;
  /** Bytes of quoted texts, and of stacks of the current generation. */
  readonly #quoted = new Map<string, Uint8Array>();
  readonly #stacks = new Map<Stack, Uint8Array>();

  /** `zoneOffset` gives the minutes that local time is ahead of UTC at a Unix time; by default those of this machine. */
  constructor(zoneOffset: (seconds: bigint) => number = localOffset) {
    this.#zoneOffset = zoneOffset;
  }

  /** Bytes that `take` would return. */
  get length(): number {
    return this.#out.length;
  }

  take(): Uint8Array {
    return this.#out.take();
  }

  append(event: OrderedEvent): void {
    const out = this.#out;
    out.ascii("M=");
    this.#id(event, event.thread);
    out.ascii(" P=");
    this.#id(event, event.proc);
    out.ascii(" G=");
    this.#id(event, event.goroutine);
    out.ascii(" ");
    out.ascii(event.kind);
    out.ascii(" Time=");
    if ((event.exactTime ?? null) === null) out.integer(event.time);
    else out.ascii(String(exactTime(event)));
    this.#details(event);
    out.ascii("\n");
    if (event.kind === "StateTransition" && event.transitionStack !== null) {
      out.ascii("TransitionStack=\n");
      this.#stack(event.transitionStack);
    }
    if (event.stack !== null) {
      out.ascii("Stack=\n");
      this.#stack(event.stack);
    }
  }

  #details(event: OrderedEvent): void {
    const out = this.#out;
    switch (event.kind) {
      case "Sync":
        this.#stacks.clear();
        this.#sync(event);
        break;
      case "Metric":
        this.#field(" Name=", event.name);
        out.ascii(" Value=");
        this.#value(exactValue(event));
        break;
      case "Label":
        this.#field(" Label=", event.name);
        out.ascii(" Resource=Goroutine(");
        this.#id(event, event.goroutine);
        out.ascii(")");
        break;
      case "StackSample":
        break;
      case "RangeBegin":
      case "RangeActive":
        this.#range(event);
        break;
      case "RangeEnd":
        this.#range(event);
        this.#attributes(event);
        break;
      case "TaskBegin":
      case "TaskEnd":
        out.ascii(` ID=${event.task} Parent=${event.parent}`);
        this.#field(" Type=", event.name);
        break;
      case "RegionBegin":
      case "RegionEnd":
        out.ascii(` Task=${event.task}`);
        this.#field(" Type=", event.name);
        break;
      case "Log":
        out.ascii(` Task=${event.task}`);
        this.#field(" Category=", event.name);
        this.#field(" Message=", event.message);
        break;
      case "StateTransition":
        this.#transition(event);
        break;
      case "Experimental":
        this.#experimental(event);
    }
  }

  #sync(event: OrderedEvent): void {
    const out = this.#out;
    out.ascii(" N=");
    out.integer(event.value);
    const snapshot = event.snapshot;
    if (snapshot === null) return;
    const wall = wallTime(snapshot.wallSec, snapshot.wallNsec, this.#zoneOffset(snapshot.wallSec));
    out.ascii(` Trace=${BigInt(snapshot.trace)} Mono=${snapshot.mono} Wall=${wall}`);
  }

  #transition(event: OrderedEvent): void {
    const out = this.#out;
    out.ascii(event.resource === "proc" ? " ProcID=" : " GoID=");
    this.#id(event, event.resourceId);
    out.ascii(" ");
    out.ascii(event.from);
    out.ascii("->");
    out.ascii(event.to);
    if (event.resource === "proc") out.ascii(' Reason=""');
    else this.#field(" Reason=", event.reason);
  }

  #range(event: OrderedEvent): void {
    const out = this.#out;
    this.#field(" Name=", event.name);
    if (event.scope === "none") {
      out.ascii(" Scope=None");
      return;
    }
    out.ascii(event.scope === "goroutine" ? " Scope=Goroutine(" : " Scope=Proc(");
    this.#id(event, event.scopeId);
    out.ascii(")");
  }

  #attributes(event: OrderedEvent): void {
    const out = this.#out;
    out.ascii(" Attributes=[");
    event.attributes.forEach((attribute, i) => {
      this.#field(i === 0 ? "" : " ", attribute.name);
      out.ascii("=");
      this.#value(attribute.value);
    });
    out.ascii("]");
  }

  #experimental(event: OrderedEvent): void {
    const out = this.#out;
    out.ascii(` Name=${event.name} Args=[`);
    event.attributes.forEach((attribute, i) => {
      out.ascii(`${i === 0 ? "" : ", "}${attribute.name}=`);
      this.#value(attribute.value);
    });
    out.ascii("]");
  }

  #value(value: bigint): void {
    this.#out.ascii(`Value{Uint64(${value})}`);
  }

  #id(event: OrderedEvent, id: number): void {
    if (id >= -1) this.#out.integer(id);
    else this.#out.ascii(String(exactId(event, id)));
  }

  #field(label: string, text: string): void {
    let quoted = this.#quoted.get(text);
    if (quoted === undefined) {
      if (this.#quoted.size >= CACHED_TEXTS) this.#quoted.clear();
      quoted = encodeText(quote(text));
      this.#quoted.set(text, quoted);
    }
    this.#out.ascii(label);
    this.#out.bytes(quoted);
  }

  #stack(stack: Stack): void {
    let text = this.#stacks.get(stack);
    if (text === undefined) {
      text = encodeText(stackText(stack));
      this.#stacks.set(stack, text);
    }
    this.#out.bytes(text);
  }
}

/** The frames of a stack, leaf first, with the empty line that ends them. */
function stackText(stack: Stack): string {
  let text = "";
  for (const frame of stack.frames) {
    text += `\t${frame.func} @ 0x${frame.pc.toString(16)}\n\t\t${frame.file}:${frame.exactLine ?? frame.line}\n`;
  }
  return `${text}\n`;
}
