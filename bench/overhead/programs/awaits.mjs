/** Scenario b: nothing but awaits, of async functions and of settled values. One line on stdin asks for one slice. */
import { slices } from "./slices.mjs";

const settled = Promise.resolve(1);

async function leaf(i) {
  return i & 1;
}

async function nested(i) {
  return (await leaf(i)) + (await i);
}

await slices(async (size) => {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    sum += await nested(i);
    sum += await settled;
  }
  return sum;
});
