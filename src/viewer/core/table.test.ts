import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSorting, sorted, toCsv, toJson } from "./table.ts";

test("rows are sorted both ways, equal ones as they were, unknown ones last", () => {
  const numbers = [3, Number.NaN, 1, 3];
  assert.deepEqual([...sorted(4, (i) => numbers[i]!, false)], [2, 0, 3, 1]);
  assert.deepEqual([...sorted(4, (i) => numbers[i]!, true)], [0, 3, 2, 1]);
  const texts = ["b", "a", "b", ""];
  assert.deepEqual([...sorted(4, (i) => texts[i]!, false)], [3, 1, 0, 2]);
  assert.deepEqual([...sorted(4, (i) => texts[i]!, true)], [0, 2, 1, 3]);
});

test("a head sorts numbers from the largest, text from a, and turns around", () => {
  assert.deepEqual(nextSorting(null, 2, true), { column: 2, descending: true });
  assert.deepEqual(nextSorting({ column: 2, descending: true }, 2, true), { column: 2, descending: false });
  assert.deepEqual(nextSorting({ column: 2, descending: true }, 0, false), { column: 0, descending: false });
});

test("tables are written as CSV and JSON", () => {
  const rows = [
    ['say "hi", you', 5],
    ["=1+1", Number.NaN],
  ];
  assert.equal(toCsv(["name", "took, ns"], rows), 'name,"took, ns"\r\n"say ""hi"", you",5\r\n\'=1+1,\r\n');
  assert.deepEqual(JSON.parse(toJson(["name", "took"], rows)), [
    { name: 'say "hi", you', took: 5 },
    { name: "=1+1", took: null },
  ]);
  assert.equal(toJson(["name"], []), "[\n\n]\n");
});
