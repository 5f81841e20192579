import { isMainThread, parentPort } from "node:worker_threads";
import { serveAlone } from "./pprof-http/auto.ts";
import { listenForAttach } from "./recorder/attach.ts";
import { nameRequestsByRoute } from "./integrations/frameworks.ts";
import { isLauncher, restoreEnvironment } from "./recorder/environment.ts";
import { prepare } from "./recorder/prepare.ts";
import { joinRecording } from "./recorder/workers.ts";

/**
 * Preloaded, this serves /debug/pprof/ beside the program and makes it ready to be recorded:
 * `node --import runtrace/pprof/auto app.js`. RUNTRACE_HTTP is the address (127.0.0.1:6060), or off.
 */
if (!isMainThread) {
  // The thread of Node's own module hooks has no parent to speak to, and is none of the program's loops.
  if (parentPort !== null && joinRecording()) nameRequestsByRoute();
} else if (!isLauncher(process.argv[1])) {
  restoreEnvironment();
  prepare({ include: [], exclude: [] });
  listenForAttach();
  nameRequestsByRoute();
  serveAlone(process.env["RUNTRACE_HTTP"]);
}
