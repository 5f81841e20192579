/** An armed flight recorder beside a minute of ordinary load: it writes nothing, its memory stays where it is. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand } from "#dist/testing/record.js";

const SECONDS = process.env["RUNTRACE_SOAK"] === "short" ? 20 : 60;

/** Some hundred requests a second against itself; prints its memory after a third of the time, and at the end. */
const PROGRAM = `
  import { createServer, get } from "node:http";
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const server = createServer(async (request, response) => { await sleep(2); response.end(JSON.stringify({ url: request.url })); });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const ask = () => new Promise((resolve) => get({ port, host: "127.0.0.1" }, (answer) => answer.resume().on("end", resolve)));
  const begin = performance.now();
  const memory = () => Math.round(process.memoryUsage.rss() / 1e6);
  let early = 0;
  let asked = 0;
  for (let passed = 0; passed < ${SECONDS * 1_000}; passed = performance.now() - begin) {
    await Promise.all([ask(), ask(), sleep(10)]);
    asked += 2;
    if (early === 0 && passed > ${(SECONDS * 1_000) / 3}) early = memory();
  }
  console.log(JSON.stringify({ asked, early, late: memory() }));
  process.exit();
`;

test("nothing is written while nothing happens, and memory does not grow", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-flight-"));
  try {
    const program = join(folder, "program.mjs");
    writeFileSync(program, PROGRAM);
    const { code, stdout, stderr } = await runCommand(
      process.execPath,
      ["--import", join(projectRoot(), "dist", "register.js"), program],
      {
        cwd: folder,
        // A machine that is busy with other tests holds a loop up for some hundred milliseconds.
        env: { RUNTRACE_FLIGHT: "lag:1s,task:5s,heap:+100MB,every:0s,out:incident-%n.out" },
      },
    );
    assert.deepEqual([code, stderr], [0, ""]);
    const { asked, early, late } = JSON.parse(stdout) as { asked: number; early: number; late: number };
    assert.ok(asked > SECONDS * 20, `${asked} requests`);
    assert.ok(late < early + 60, `${early} to ${late} MB`);
    assert.deepEqual(readdirSync(folder), ["program.mjs"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
