import { isMainThread } from "node:worker_threads";
import { isLauncher, restoreEnvironment } from "./recorder/environment.ts";
import { recordProcess } from "./recorder/preload.ts";
import { joinRecording } from "./recorder/workers.ts";

/**
 * Preloaded, this records the whole process: `node --import runtrace/register app.js`. RUNTRACE_OUT names the file
 * (trace.out; %p is the pid). Package managers are not recorded: they pass it on to the program that they start.
 */
if (!isMainThread) {
  restoreEnvironment();
  joinRecording();
} else if (!isLauncher(process.argv[1])) {
  recordProcess();
}
