import assert from "node:assert/strict";
import { test } from "node:test";
import { writeSites } from "../base/sites.ts";
import { Modules } from "./modules.ts";

const one = writeSites([{ kind: "call", func: "f", of: 0, file: "", line: 1, column: 1 }]);
const two = writeSites([{ kind: "call", func: "g", of: 0, file: "", line: 2, column: 1 }]);

test("a file that is loaded again keeps its sites, and costs nothing", () => {
  const modules = new Modules();
  const first = modules.add(one, "/a.js");
  assert.equal(modules.add(one, "/a.js"), first);
  assert.equal(modules.add(one, "/a.js"), first);
  const changed = modules.add(two, "/a.js");
  const other = modules.add(one, "/b.js");
  assert.equal(new Set([first, changed, other]).size, 3);
  assert.equal(modules.add(one, "/a.js"), first);
  assert.equal(modules.add(two, "/a.js"), changed);
});
