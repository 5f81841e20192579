import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { Fact } from "../base/facts.ts";
import { Sites } from "./sites.ts";

type Look = (make: () => number) => number;

/** Sites that are told of, by id: `function@line` of the file. */
function recorder(): { sites: Sites; told: Map<number, string>; functions: Map<number, number> } {
  const strings: string[] = [""];
  const told = new Map<number, string>();
  const functions = new Map<number, number>();
  const sites = new Sites({
    string: (text) => strings.push(text) - 1,
    put: (kind, _time, a, b, line) => {
      assert.equal(kind, Fact.Site);
      told.set(a % 2 ** 26, `${strings[b % 2 ** 26]}@${line}`);
      functions.set(a % 2 ** 26, Math.floor(a / 2 ** 26));
    },
  });
  return { sites, told, functions };
}

const load = (text: string): Look => runInThisContext(text, { filename: "/app/module.js" }) as Look;

test("a file that is loaded again with another text has sites and functions of its own", () => {
  const { sites, told, functions } = recorder();
  const look = (): number => sites.caller(look);
  // Same file, same positions, same lengths.
  const first = load("(function alpha(make) { return make(); })");
  const second = load("(function gamma(make) { return make(); })");
  const ids = [first, second, first, second].map((call) => call(look));
  assert.deepEqual(
    ids.map((id) => told.get(id)),
    ["alpha@1", "gamma@1", "alpha@1", "gamma@1"],
  );
  assert.deepEqual([ids[2], ids[3]], [ids[0], ids[1]], "each is told of once");
  assert.notEqual(functions.get(ids[0]!), functions.get(ids[1]!));
});

test("a file that is loaded again with the same text has the sites it had", () => {
  const { sites, told } = recorder();
  const look = (): number => sites.caller(look);
  const text = "(function alpha(make) {\n return make(); })";
  assert.equal(load(text)(look), load(text)(look));
  assert.deepEqual([...told.values()], ["alpha@2"]);
});
