import { isMainThread, parentPort } from "node:worker_threads";
import { nameRequestsByRoute } from "./integrations/frameworks.ts";
import { watchRunners, watchRunnersHere } from "./integrations/runners.ts";
import { isLauncher, restoreEnvironment } from "./recorder/environment.ts";
import { recordProcess } from "./recorder/preload.ts";
import { joinRecording } from "./recorder/workers.ts";

/**
 * Preloaded, this records the whole process: `node --import runtrace/register app.js`. RUNTRACE_OUT names the file
 * (trace.out; %p is the pid). Package managers are not recorded: they pass it on to the program that they start.
 */
if (!isMainThread) {
  restoreEnvironment();
  // The thread of Node's own module hooks has no parent to speak to, and is none of the program's loops.
  if (parentPort !== null) {
    if (joinRecording()) nameRequestsByRoute();
    watchRunnersHere();
  }
} else if (!isLauncher(process.argv[1])) {
  const asked = recordProcess();
  nameRequestsByRoute();
  watchRunners(asked?.failures);
}
