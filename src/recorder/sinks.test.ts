import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { WritableStream } from "node:stream/web";
import { test } from "node:test";
import { StreamPump } from "./sinks.ts";

const CHUNKS = 20;

test("a stream has a handful of listeners, however much is written, and none afterwards", async () => {
  let most = 0;
  const sink = new Writable({
    write(_chunk, _encoding, done) {
      most = Math.max(most, sink.listenerCount("close"), sink.listenerCount("error"));
      setImmediate(done);
    },
  });
  const before = sink.listenerCount("close") + sink.listenerCount("error");
  const pump = new StreamPump(sink, () => {}, assert.ifError);
  for (let i = 0; i < CHUNKS; i++) pump.write(new Uint8Array(10));
  await pump.finish();
  assert.ok(most <= 2, `${most} listeners`);
  assert.equal(sink.listenerCount("close") + sink.listenerCount("error"), before);
});

test("a stream that takes nothing any more is given up, and everything that waits for it goes on", async () => {
  const never = (): Promise<void> => new Promise(() => {});
  const stalled: readonly (Writable | WritableStream<Uint8Array>)[] = [
    new Writable({ write: () => {} }),
    new WritableStream<Uint8Array>({ write: never }),
  ];
  for (const sink of stalled) {
    let taken = 0;
    const errors: Error[] = [];
    const pump = new StreamPump(
      sink,
      () => taken++,
      (error) => errors.push(error),
    );
    for (let i = 0; i < CHUNKS; i++) pump.write(new Uint8Array(10));
    await pump.finish(50);
    assert.equal(taken, CHUNKS);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ["cannot write the stream: it took nothing for 0.05 s"],
    );
    assert.equal(pump.failure, errors[0]);
  }
});

test("a slow stream is waited for as long as it takes something", async () => {
  let taken = 0;
  const sink = new Writable({ write: (_chunk, _encoding, done) => setTimeout(done, 20) });
  const pump = new StreamPump(sink, () => taken++, assert.ifError);
  for (let i = 0; i < CHUNKS; i++) pump.write(new Uint8Array(10));
  await pump.finish(200);
  assert.equal(taken, CHUNKS);
});

test("a stream that is destroyed in the middle of a write ends the wait", async () => {
  const errors: Error[] = [];
  const sink = new Writable({ write: () => setImmediate(() => sink.destroy()) });
  const pump = new StreamPump(
    sink,
    () => {},
    (error) => errors.push(error),
  );
  for (let i = 0; i < CHUNKS; i++) pump.write(new Uint8Array(10));
  await pump.finish();
  assert.equal(errors.length, 1);
  assert.match(errors[0]!.message, /cannot write the stream: it was closed/);
});
