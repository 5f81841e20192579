import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { Insertions, isMarked, originalColumn, strip } from "./marks.ts";

/** Characters of which slashes, stars and line ends matter. */
const text = fc.string({
  unit: fc.constantFrom("a", "/", "*", " ", "\n", "\u0001", '"', "é"),
  maxLength: 60,
});
const insertions = fc.array(fc.tuple(fc.nat(60), fc.constantFrom("rt.f(1,", "))", ";")), { maxLength: 8 });

type Insertion = readonly [at: number, code: string];

/** The insertions that fit a text, in order. */
function fitting(source: string, list: readonly Insertion[]): Insertion[] {
  return list.filter(([at]) => at <= source.length).sort(([a], [b]) => a - b);
}

function inserted(source: string, list: readonly Insertion[]): string {
  const into = new Insertions(source);
  for (const [at, code] of list) into.add(at, code);
  return into.finish(0, "var m;").text;
}

test("what is inserted is stripped, whatever the text around it", () => {
  fc.assert(
    fc.property(text, insertions, (source, list) => {
      fc.pre(!isMarked(source));
      const fit = fitting(source, list);
      const code = inserted(source, fit);
      assert.equal(strip(source), source);
      assert.equal(strip(code), source);
      for (const [, inside] of fit) assert.ok(code.includes(inside));
    }),
  );
});

test("columns map to those of the original line", () => {
  fc.assert(
    fc.property(text, insertions, (source, list) => {
      fc.pre(!isMarked(source) && !source.includes("\n"));
      const fit = fitting(source, list);
      const code = inserted(source, fit);
      const places = [...new Set(fit.map(([at]) => at))];
      for (let at = 0; at < source.length; at++) {
        // As long as the text up to the character itself with all that was inserted before it.
        const before = places.filter((place) => place <= at);
        const cut = inserted(
          source.slice(0, at),
          fit.filter(([place]) => place <= at),
        );
        assert.equal(code[cut.length], source[at]);
        assert.equal(originalColumn(code, cut.length + 1), at + 1);
        if (before.at(-1) === at) assert.equal(originalColumn(code, cut.length), at + 1);
      }
    }),
  );
});

test("a slash before an insertion does not begin a line comment", () => {
  for (const source of ["8/x", "8/ x", "/*c*/x"]) {
    const code = inserted(source, [
      [source.indexOf("x"), "+"],
      [source.length, ";"],
    ]);
    assert.equal(runInThisContext(code.replace("x", "2")), runInThisContext(source.replace("x", "2")), code);
  }
});

test("the text of a function may end inside an insertion", () => {
  const code = inserted("async x => x, 1", [
    [11, "{return "],
    [12, "}"],
  ]);
  assert.equal(strip(code.slice(0, code.indexOf("}") + 1)), "async x => x");
});

test("insertions go forward only", () => {
  const into = new Insertions("abc");
  into.add(2, "x");
  assert.throws(() => into.add(1, "y"), /got an insertion at 1/);
});
