import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Progress } from "./progress.ts";

/** A stream that says it is a terminal, and what it was given. */
function terminal(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, cursorTo: noop, moveCursor: noop });
  let text = "";
  stream.on("data", (piece: Buffer) => (text += piece.toString()));
  return { stream, text: () => text };
}

function noop(): void {}

test("a bar is drawn once reading has taken a second, and taken away at its end", async () => {
  const { stream, text } = terminal(true);
  let time = 0;
  const progress = await Progress.of("big.trace", 100, stream, () => time);
  assert.ok(progress !== null);
  progress.add(10);
  assert.equal(text(), "");
  time = 1500;
  progress.add(30);
  assert.match(text(), /big\.trace \[#+\.+\] 40 %/);
  const before = text().length;
  progress.end();
  assert.ok(text().length > before, "the line is cleared");
  progress.end();
});

test("what is quick shows nothing", async () => {
  const { stream, text } = terminal(true);
  const progress = await Progress.of("small.trace", 100, stream, () => 0);
  progress?.add(100);
  progress?.end();
  assert.equal(text(), "");
});

test("no terminal and no known size: no bar", async () => {
  assert.equal(await Progress.of("trace", 100, terminal(false).stream), null);
  assert.equal(await Progress.of("trace", 0, terminal(true).stream), null);
});
