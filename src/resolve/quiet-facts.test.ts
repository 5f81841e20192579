import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Awaited, Fact, ResourceKind, WaitsFor } from "../base/facts.ts";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";
import type { FactRecords, FactVisitor } from "../base/ring.ts";
import { Resolver } from "./resolver.ts";
import { EventLog } from "./scenario.test.util.ts";

type RawFact = readonly [kind: number, time: number, a: number, b: number, c: number];

const SITES = 6;

/** The facts of async functions that do what the choices say, with the jobs that follow, turn by turn. */
function factsOf(choices: readonly number[]): RawFact[] {
  const facts: RawFact[] = [];
  let time = 1_000;
  let id = 0;
  let at = 0;
  const jobs: number[] = [];
  const awaiters = new Map<number, number[]>();
  const ended = new Set<number>();
  const choose = (count: number): number => (choices[at++] ?? 0) % count;
  const tell = (kind: number, a: number, b = 0, c = 0): void => {
    const pause = choose(40);
    time += pause === 0 ? 30e6 : pause;
    facts.push([kind, time, a, b, c]);
  };
  const site = (): number => 1 + choose(SITES);
  const call = (depth: number): number => {
    const frame = ++id;
    tell(Fact.FrameCall, frame, (choose(50) === 0 ? 1 : 0) + 2 * site(), site());
    run(frame, depth + 1);
    return frame;
  };
  const block = (frame: number, awaited: number): void => {
    tell(Fact.FrameBlock, frame, awaited, site());
    if (awaited <= 0 || ended.has(awaited)) jobs.push(frame);
    else awaiters.set(awaited, [...(awaiters.get(awaited) ?? []), frame]);
  };
  const run = (frame: number, depth: number): void => {
    for (;;) {
      const what = at >= choices.length ? 0 : choose(24);
      if (what < 7 || depth > 6) {
        if (what === 6) tell(Fact.FrameTail, frame, 1 + choose(id), site());
        tell(Fact.FrameEnd, frame);
        ended.add(frame);
        for (const other of awaiters.get(frame) ?? []) jobs.push(other);
        return;
      }
      if (what < 15) return block(frame, call(depth));
      if (what < 20) return block(frame, what === 19 ? Awaited.Unknown : Awaited.Settled);
      if (what === 20) call(depth);
      else if (what === 21) return block(frame, 1 + choose(id));
      else if (what === 22) tell(Fact.Init, ++id, 0, ResourceKind.Timeout);
      else tell(Fact.Settled, ++id, Awaited.Settled);
    }
  };
  for (let i = 1; i <= SITES; i++) {
    const waits = i === SITES ? WaitsFor.All : i === SITES - 1 ? WaitsFor.Race : WaitsFor.Other;
    facts.push([Fact.Site, time, i * 2 ** 26 + i, i, i + waits * 2 ** 28]);
  }
  while (at < choices.length) {
    const resource = ++id;
    tell(Fact.Before, resource, 0, ResourceKind.Net);
    call(0);
    tell(Fact.After, resource);
    for (let frame = jobs.shift(); frame !== undefined; frame = jobs.shift()) {
      tell(Fact.FrameResume, frame);
      run(frame, 0);
    }
    if (choose(3) === 0) tell(Fact.Idle, 50_000);
  }
  return facts;
}

/** Events of the facts, which take the way through a ring that is drained as it is asked for; and how many were skipped. */
function throughRing(facts: readonly RawFact[], drains: readonly number[], skips: boolean): [string, number] {
  const log = new EventLog();
  const resolver = new Resolver(log.out);
  resolver.addLoop(0, { name: "main.js", time: 0 });
  const reader = resolver.visitor(0);
  let skipped = 0;
  const visitor: FactVisitor = {
    fact: (...fact) => reader.fact(...fact),
    text: (...text) => reader.text(...text),
  };
  if (skips) {
    visitor.skip = (records: FactRecords, at: number, most: number, until: number) => {
      const count = reader.skip!(records, at, most, until);
      skipped += count;
      return count;
    };
  }
  const memory = createRing(1 << 20);
  const writer = new RingWriter(memory, () => 0n);
  const ring = new RingReader(memory);
  const writeFacts = (from: number, to: number): void => {
    for (const [kind, time, a, b, c] of facts.slice(from, to)) writer.put(kind, BigInt(time), a, b, c);
  };
  let done = 0;
  for (const count of drains) {
    writeFacts(done, done + count);
    done = Math.min(facts.length, done + count);
    const now = facts[done - 1]?.[1] ?? 0;
    ring.drain(now - 1, visitor);
    resolver.advance(now - 1);
  }
  writeFacts(done, facts.length);
  ring.drain(Infinity, visitor);
  resolver.finish((facts.at(-1)?.[1] ?? 0) + 1_000);
  return [log.text, skipped];
}

test("facts that are skipped give the events that they give one by one", (t) => {
  let skipped = 0;
  let all = 0;
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000), { minLength: 1, maxLength: 900, size: "max" }),
      fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 5 }),
      (choices, drains) => {
        const facts = factsOf(choices);
        const [oneByOne] = throughRing(facts, drains, false);
        const [events, count] = throughRing(facts, drains, true);
        assert.equal(events, oneByOne);
        skipped += count;
        all += facts.length;
      },
    ),
    { numRuns: 400 },
  );
  t.diagnostic(`${skipped} of ${all} facts skipped`);
  assert.ok(skipped > all / 50, "hardly any facts are skipped: the property has become empty");
});
