import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { globToRegExp, selector } from "./select.ts";

const CWD = "/home/me/app+1";

/** What globs take and leave, from the folder above. */
const TABLE: readonly (readonly [glob: string, takes: readonly string[], leaves: readonly string[]])[] = [
  ["src", [`${CWD}/src`, `${CWD}/src/a.js`, "/x/src/y/z.js"], [`${CWD}/srcs/a.js`, `${CWD}/lib/src.js`]],
  ["src/", [`${CWD}/src/a.js`], [`${CWD}/lib/a.js`]],
  ["*.test.js", [`${CWD}/a.test.js`, `${CWD}/b/c.test.js`], [`${CWD}/a.js`, `${CWD}/a.testxjs`]],
  ["./src/*.js", [`${CWD}/src/a.js`], [`${CWD}/src/b/a.js`, `/src/a.js`]],
  ["src/**/*.js", [`${CWD}/src/a.js`, `${CWD}/src/b/c/a.js`], [`${CWD}/a.js`, `${CWD}/src/a.ts`]],
  ["**/node_modules/**", [`${CWD}/node_modules/a/b.js`], [`${CWD}/a/b.js`]],
  ["node_modules/@a/b", [`${CWD}/node_modules/@a/b/c.js`], [`${CWD}/node_modules/@a/bc/c.js`]],
  ["/opt/**", ["/opt/a.js"], [`${CWD}/opt/a.js`]],
  ["src/{a,b?}.js", [`${CWD}/src/a.js`, `${CWD}/src/b1.js`], [`${CWD}/src/b.js`, `${CWD}/src/c.js`]],
  ["src/[a-c].js", [`${CWD}/src/b.js`], [`${CWD}/src/d.js`]],
  ["src/[!a-c].js", [`${CWD}/src/d.js`], [`${CWD}/src/b.js`]],
  ["src/(a)+$.js", [`${CWD}/src/(a)+$.js`], [`${CWD}/src/a.js`]],
  ["src/[z-a].js", ["/src/[z-a].js"], [`${CWD}/src/b.js`]],
];

for (const [glob, takes, leaves] of TABLE) {
  test(`glob ${glob}`, () => {
    const pattern = globToRegExp(glob, CWD);
    for (const file of takes) assert.match(file, pattern);
    for (const file of leaves) assert.doesNotMatch(file, pattern);
  });
}

test("files are taken by include without exclude, ours never", () => {
  const all = selector({ include: [], exclude: [] });
  const some = selector({ include: ["a", "b"], exclude: ["*.min.js"] });
  const own = join(import.meta.dirname, "..");
  assert.equal(all("/x/y.js"), true);
  assert.equal(all(join(own, "probe", "probe.js")), false);
  assert.equal(all(join(own, "index.js")), false);
  assert.equal(all(join(own, "demo", "coffee-shop.js")), true);
  assert.equal(all(join("/x", "node_modules", "runtrace", "dist", "index.js")), false);
  assert.deepEqual(
    ["/a/x.js", "/b/x.js", "/c/x.js", "/a/x.min.js"].map((file) => some(file)),
    [true, true, false, false],
  );
  assert.equal(selector({ include: ["probe"], exclude: [] })(join(own, "probe", "probe.js")), false);
});
