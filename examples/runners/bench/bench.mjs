import { Bench } from "tinybench";

const bench = new Bench({ time: 20, warmup: false });
bench.add("sorts", () => [3, 1, 2].toSorted());
bench.add("waits", async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
});
await bench.run();
