import assert from "node:assert/strict";
import { test } from "node:test";
import { readSourceMap } from "./source-map.ts";

test("places lead to their origins", () => {
  // Line 1: column 0 from a.ts 1:1, column 4 from b.ts 11:3, column 9 from nowhere; line 3: column 2 from a.ts 2:1.
  const map = readSourceMap(
    JSON.stringify({
      version: 3,
      sourceRoot: "src/",
      sources: ["a.ts", "b.ts"],
      mappings: "AAAA,ICUE,K;;EDTF",
    }),
  );
  assert.ok(map !== null);
  assert.deepEqual(map.sources, ["src/a.ts", "src/b.ts"]);
  const at = (line: number, column: number): string => {
    const origin = map.origin(line, column);
    return origin === null ? "" : `${origin.source} ${origin.line}:${origin.column}`;
  };
  assert.deepEqual(
    [at(0, 0), at(0, 3), at(0, 4), at(0, 8), at(0, 9), at(1, 0), at(2, 1), at(2, 5), at(7, 0)],
    ["0 0:0", "0 0:0", "1 10:2", "1 10:2", "", "", "", "0 1:0", ""],
  );
});

test("sections are maps of their own, shifted", () => {
  const section = (line: number, column: number, source: string): object => ({
    offset: { line, column },
    map: { version: 3, sources: [source], mappings: "AAAA;AACA" },
  });
  const map = readSourceMap(
    JSON.stringify({ version: 3, sections: [section(0, 0, "a"), section(2, 5, "b")] }),
  );
  assert.deepEqual(map?.sources, ["a", "b"]);
  assert.deepEqual(map?.origin(1, 3), { source: 0, line: 1, column: 0 });
  assert.equal(map?.origin(2, 4), null);
  assert.deepEqual(map?.origin(2, 5), { source: 1, line: 0, column: 0 });
  assert.deepEqual(map?.origin(3, 0), { source: 1, line: 1, column: 0 });
});

test("what is no source map is none", () => {
  for (const text of ["", "null", "{", JSON.stringify({ sources: ["a"], mappings: "é" })]) {
    assert.equal(readSourceMap(text), null);
  }
});
