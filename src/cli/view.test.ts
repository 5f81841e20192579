import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { view, type ViewIO } from "./view.ts";

/** Collects what the command writes. */
function capture(): { io: ViewIO; out: () => string; err: () => string; firstLine: Promise<string> } {
  let out = "";
  let err = "";
  let told = (_line: string): void => {};
  const firstLine = new Promise<string>((resolve) => (told = resolve));
  const io: ViewIO = {
    stdin: Readable.from(["from stdin"]),
    stdout: {
      write: (text) => {
        out += text;
        if (out.includes("\n")) told(out.slice(0, out.indexOf("\n")));
      },
    },
    stderr: { write: (text) => (err += text) },
  };
  return { io, out: () => out, err: () => err, firstLine };
}

/** Whether this checkout's viewer lies where the compiled server looks for it. */
const built = existsSync(fileURLToPath(new URL("../viewer/index.html", import.meta.url)));

test("what cannot be served is one line and exit code 1; a wrong address 2", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "runtrace-view-"));
  const busy = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => busy.once("listening", resolve));
  try {
    const file = path.join(folder, "a.out");
    await writeFile(file, "x");
    const address = busy.address();
    assert.ok(address !== null && typeof address === "object");
    const cases: readonly (readonly [string, string | undefined, number])[] = [
      [path.join(folder, "missing.out"), undefined, 1],
      [folder, undefined, 1],
      [file, `127.0.0.1:${address.port}`, 1],
      [file, "not an:address", 2],
    ];
    for (const [name, http, code] of cases) {
      const { io, out, err } = capture();
      assert.equal(
        await view([name], http === undefined ? { open: false } : { http, open: false }, io),
        code,
      );
      assert.match(err(), /^runtrace: [^\n]+\n$/);
      assert.equal(out(), "");
    }
  } finally {
    busy.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("prints the URL alone on the first line, serves stdin as a file, ends on SIGTERM with 0", async (t) => {
  if (!built) {
    t.skip("the viewer is not built here");
    return;
  }
  const { io, out, err, firstLine } = capture();
  const ended = view(["-"], { open: false }, io);
  const url = await firstLine;
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  const response = await fetch(new URL("trace.out", url));
  assert.equal(await response.text(), "from stdin");
  process.emit("SIGTERM");
  assert.equal(await ended, 0);
  assert.equal(out(), `${url}\n`);
  assert.equal(err(), "");
  await assert.rejects(fetch(url), "the server is closed");
});
