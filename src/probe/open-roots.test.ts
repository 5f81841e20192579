import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenRoots } from "./open-roots.ts";
import { idOf } from "./stamp.ts";

test("each is found until it is removed, once, and its place is used again", () => {
  const roots = new OpenRoots<object>();
  const objects = Array.from({ length: 100 }, () => ({}));
  objects.forEach((object, i) => roots.add(object, i + 1));
  for (let i = 0; i < 100; i += 2) assert.equal(roots.remove(objects[i]!), i + 1);
  for (let i = 0; i < 100; i += 2) assert.equal(roots.remove(objects[i]!), 0);
  assert.equal(roots.remove({}), 0);
  const more = { a: 1 };
  roots.add(more, 1_000);
  const found: object[] = [];
  roots.forEach((object) => {
    found.push(object);
    if (object === more) assert.equal(roots.remove(object), 1_000);
  });
  assert.equal(found.length, 51);
  assert.equal(roots.remove(more), 0);
  assert.ok(idOf(objects[1]!) < 0, "to an await it would be the promise of that id");
});

test("one recording does not take another's for its own", () => {
  const [former, recent] = [new OpenRoots<object>(), new OpenRoots<object>()];
  const object = {};
  former.add(object, 1);
  assert.equal(recent.remove(object), 0);
  recent.add({}, 2);
  recent.add(object, 3);
  assert.equal(former.remove(object), 0);
  assert.equal(recent.remove(object), 3);
});
