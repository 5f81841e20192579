/** Records a part of a program: what is in between is in the file, and nothing else. */
import { start, stop, withTask } from "runtrace";

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

await withTask("not recorded", () => after(10));

start("trace.out", { cpu: 100 });
await withTask("recorded", () => after(30));
await stop();

console.log("wrote trace.out");
