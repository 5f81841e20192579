/**
 * Broken traces, for a minute: the corpus, cut, flipped, spliced, with numbers that are too large. Whatever is read ends in
 * a TraceError with a place in the file, or is a trace; within time and memory that its size allows.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { TraceError } from "#dist/base/error.js";
import { bytesSource } from "#dist/decode/source.js";
import { readOrdered } from "#dist/order/reader.js";
import { fixture } from "#dist/testing/fixtures.js";
import { projectRoot } from "#dist/testing/project.js";

const FUZZ_MS = process.env.RUNTRACE_SOAK === "short" ? 20_000 : 60_000;
/** A thousandth of it is what a trace of this size takes. */
const SLOW_MS = 20_000;
/** What reading a file may add to the memory of the process, beside 4 times its size. */
const MEMORY = 64 * 2 ** 20;

const root = fixture("corpus");
const bases = readdirSync(root)
  .filter((name) => existsSync(join(root, name, "meta.json")))
  .map((name) => {
    const plain = join(root, name, "trace.out");
    return existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
  });

/** Small and quick: the same seed gives the same inputs. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function broken(random: (below: number) => number): Buffer {
  let bytes = Buffer.from(bases[random(bases.length)]!);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        if (at < bytes.length) bytes[at]! ^= 1 << random(8);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(200))]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random(10), 255), bytes.subarray(at)]);
        break;
      case 4: {
        const other = bases[random(bases.length)]!;
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))]);
        break;
      }
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length + 1))]);
    }
  }
  return bytes;
}

test("broken traces end in a TraceError", (t) => {
  const until = performance.now() + FUZZ_MS;
  const seed = Date.now() >>> 0;
  let inputs = 0;
  const codes = new Map<string, number>();
  for (; performance.now() < until; inputs++) {
    const bytes = broken(randomFrom(seed + inputs));
    const begin = performance.now();
    try {
      let last = -2;
      readOrdered(bytesSource(bytes), ({ time }) => {
        assert.ok(time > last || time > Number.MAX_SAFE_INTEGER);
        last = time;
      });
      codes.set("fine", (codes.get("fine") ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof TraceError)) {
        const kept = join(projectRoot(), "dist", "fuzz");
        mkdirSync(kept, { recursive: true });
        writeFileSync(join(kept, `${seed + inputs}.trace`), bytes);
        throw new Error(`seed ${seed + inputs}, kept in dist/fuzz`, { cause: error });
      }
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      if (error.offset !== undefined) assert.ok(error.offset <= bytes.length, `seed ${seed + inputs}`);
    }
    const took = performance.now() - begin;
    assert.ok(took < SLOW_MS, `seed ${seed + inputs} took ${took} ms`);
  }
  t.diagnostic(`${inputs} inputs from seed ${seed}: ${[...codes].map((pair) => pair.join(" ")).join(", ")}`);
  assert.ok(inputs > 200 && codes.size > 5, `${inputs} inputs, ${[...codes.keys()].join()}`);
});

test("sizes and counts that are too large take no memory", () => {
  const uvarint = (value: bigint): number[] => {
    const out: number[] = [];
    let rest = value;
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    return [...out, Number(rest)];
  };
  const largest = uvarint(2n ** 64n - 1n);
  const large = uvarint(2n ** 31n);
  for (const version of [11, 19, 21, 22, 23, 25, 26]) {
    for (let type = 0; type < 256; type++) {
      for (const number of [largest, large]) {
        const head = Buffer.from(`go 1.${version} trace\0\0\0`);
        const batch = version < 22 ? [65, 0, 1] : [];
        const bytes = Buffer.from([
          ...head,
          ...batch,
          type,
          ...number,
          ...number,
          ...number,
          ...number,
          ...number,
        ]);
        globalThis.gc?.();
        const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
        try {
          readOrdered(bytesSource(bytes), () => {});
        } catch (error) {
          assert.ok(error instanceof TraceError, `version ${version}, type ${type}: ${String(error)}`);
        }
        const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
        assert.ok(after - before < MEMORY, `version ${version}, type ${type}: ${after - before} bytes more`);
      }
    }
  }
});
