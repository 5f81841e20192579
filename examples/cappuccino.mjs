/** Three cappuccinos: each a task with three concurrent regions and a log. Run it recorded, or it just makes coffee. */
import { log, withRegion, withTask } from "runtrace";

const after = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));

async function steamMilk() {
  return await after(20, "milk");
}

async function extractCoffee() {
  return await after(30, "coffee");
}

async function mixMilkCoffee(...parts) {
  return await after(5, parts.join(" and "));
}

export function makeCappuccino(order) {
  return withTask("makeCappuccino", async () => {
    log("orderID", String(order));
    const parts = await Promise.all([
      withRegion("steamMilk", steamMilk),
      withRegion("extractCoffee", extractCoffee),
    ]);
    return await withRegion("mixMilkCoffee", () => mixMilkCoffee(...parts));
  });
}

for (const order of [1, 2, 3]) console.log(`cappuccino ${order}: ${await makeCappuccino(order)}`);
