/** The coffee shop's grinder: a Worker that answers each message after some work. */
import { parentPort } from "node:worker_threads";

function grind(grams: number): number {
  let dust = 0;
  for (let i = 0; i < grams * 20_000; i++) dust += Math.sqrt(i) % 1;
  return dust > 0 ? grams : 0;
}

parentPort?.on("message", (grams: number) => {
  parentPort?.postMessage(grind(grams));
});
