import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixture } from "../testing/fixtures.ts";
import { parseScenario, runScenario } from "./scenario.test.util.ts";

const folder = fixture("resolve");
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

/** Without the marks of `advance`, in order of time. */
function unmarked(text: string): string {
  const lines = text.split("\n");
  const events = lines.filter((line) => /^\d/.test(line));
  const sorted = events.toSorted((a, b) => Number.parseFloat(a) - Number.parseFloat(b));
  return [...sorted, ...lines.filter((line) => line.startsWith("misuse"))].join("\n");
}

test("there are scenarios", () => {
  assert.ok(names.length > 0);
});

for (const name of names) {
  const { facts, events } = parseScenario(readFileSync(join(folder, name), "utf8"));
  test(`${name.slice(0, -4)}`, () => {
    assert.equal(runScenario(facts, "as written").text, events);
  });
  test(`${name.slice(0, -4)}, advanced at other times`, () => {
    for (const schedule of ["never", { every: 3e6 }, { every: 50e6 }] as const) {
      assert.equal(unmarked(runScenario(facts, schedule).text), unmarked(events), JSON.stringify(schedule));
    }
  });
}
