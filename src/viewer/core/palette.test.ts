import assert from "node:assert/strict";
import { test } from "node:test";
import { syntheticModel } from "../testdata/synthetic.ts";
import { matching, thingsNamed } from "./palette.ts";

test("actions are found by letters in their order, the closest first", () => {
  const actions = ["Show the whole trace", "Stacks", "Sort lanes by time running", "Trace"].map((name) => ({
    name,
    hint: "",
    run: () => {},
  }));
  const names = (text: string): string[] => matching(actions, text, 9).map(({ name }) => name);
  assert.deepEqual(
    names(""),
    actions.map(({ name }) => name),
  );
  assert.deepEqual(names("trace"), ["Trace", "Show the whole trace"]);
  assert.deepEqual(names("stk"), ["Stacks"]);
  assert.deepEqual(names("xyz"), []);
  assert.equal(matching(actions, "", 2).length, 2);
});

test("tasks and activations are found by name and id", () => {
  const model = syntheticModel({ procs: 2, activations: 20, spansEach: 5 });
  const name = model.strings[model.activations.name[3]!]!;
  const { activations } = thingsNamed(model, `${name} #${model.activations.id[3]}`, 5);
  assert.equal(activations[0], 3);
  assert.deepEqual(thingsNamed(model, "", 5), { tasks: [], activations: [] });
});
