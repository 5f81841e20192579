/**
 * A service that keeps its last seconds in memory. It writes them when an order was slow, and by itself when its event
 * loop is held up for 200 ms.
 */
import { FlightRecorder, withTask } from "runtrace";

const SLOW_MS = 100;
const flight = new FlightRecorder({
  minAgeMs: 5_000,
  triggers: { lagMs: 200, everyMs: 1_000, keep: 3, out: "lag-%n.out" },
});
flight.start();

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function handleOrder(order) {
  const begin = performance.now();
  await withTask("order", () => after(order === 7 ? 150 : 10));
  const took = performance.now() - begin;
  if (took > SLOW_MS) {
    const bytes = await flight.writeTo("slow-order.out");
    console.log(
      `order ${order} was slow: ${bytes > 0 ? "slow-order.out has the seconds before" : "nothing was written"}`,
    );
  }
}

function countBeansForTooLong() {
  const until = performance.now() + 400;
  let beans = 0;
  while (performance.now() < until) beans++;
  return beans;
}

for (let order = 1; order <= 10; order++) await handleOrder(order);
countBeansForTooLong();
await after(500);
flight.stop();
