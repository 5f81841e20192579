#!/usr/bin/env node
/** The program `runtrace`: the command line on this process's arguments and streams. */
import { main } from "./main.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`runtrace dump … | head`) closes the pipe: that is no failure.
    if (error.code === "EPIPE") process.exit();
    if (stream === process.stdout)
      process.stderr.write(`runtrace: cannot write to stdout: ${error.message}\n`);
    process.exit(1);
  });
}
process.exitCode = await main(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
