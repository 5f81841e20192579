import { EVENTS } from "../wire/events.ts";

/** A batch of a trace file, its records as lines of text in the form of `go tool trace -d=wire`. */
export interface TextBatch {
  readonly gen: number;
  readonly m: string;
  readonly time: number;
  readonly size: number;
  readonly lines: readonly string[];
}

/** Decodes a trace file by the rules of the specification alone, in BigInt and without regard to speed. */
export function decodeText(file: Uint8Array): { header: string; batches: TextBatch[] } {
  let at = 16;
  const uvarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = file[at++];
      if (byte === undefined) throw new Error("file ends in a varint");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const fields = (...names: string[]): string => names.map((name) => ` ${name}=${uvarint()}`).join("");
  const batches: TextBatch[] = [];
  while (at < file.length) {
    if (file[at++] !== 1) throw new Error(`no batch at ${at - 1}`);
    const gen = Number(uvarint());
    const m = String(uvarint());
    const time = Number(uvarint());
    const size = Number(uvarint());
    const end = at + size;
    const lines: string[] = [];
    while (at < end) {
      const type = file[at++];
      const spec = EVENTS.find((known) => known.type === type);
      if (spec === undefined) throw new Error(`unknown event ${type} at ${at - 1}`);
      lines.push(spec.name + (spec.timed ? fields("dt") : "") + fields(...spec.args));
      if (spec.name === "Stack") {
        const frames = Number(/nframes=(\d+)/.exec(lines.at(-1)!)![1]);
        for (let i = 0; i < frames; i++) lines.push(`\t${fields("pc", "func", "file", "line").slice(1)}`);
      } else if (spec.name === "String") {
        const length = Number(uvarint());
        const text = new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(at, at + length));
        lines.push(`\tdata=${JSON.stringify(text)}`);
        at += length;
      }
    }
    if (at !== end) throw new Error(`a record runs over the end of its batch at ${end}`);
    batches.push({ gen, m, time, size, lines });
  }
  return { header: new TextDecoder().decode(file.subarray(0, 16)), batches };
}

/** The batches that hold events, as `M: event` lines with absolute times instead of deltas. */
export function eventLines(file: Uint8Array): string[] {
  return decodeText(file).batches.flatMap(({ m, time, lines }) => {
    let now = time;
    return lines.flatMap((line) => {
      const found = /^(\w+) dt=(\d+)(.*)$/.exec(line);
      if (found === null || found[1] === "ClockSnapshot") return [];
      now += Number(found[2]);
      return [`${m === "18446744073709551615" ? "-" : m} ${now} ${found[1]}${found[3]}`];
    });
  });
}
