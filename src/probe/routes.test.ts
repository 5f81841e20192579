import assert from "node:assert/strict";
import { test } from "node:test";
import { RouteNames, pathShape } from "./routes.ts";
import type { Named } from "./routes.ts";

const SHAPES: Readonly<Record<string, string>> = {
  "/": "/",
  "": "*",
  "*": "*",
  "/?q=1": "/",
  "/users/7?q=1#top": "/users/:id",
  "/users/ann/": "/users/ann/",
  "/v2/users": "/v2/users",
  "/http2/oauth2": "/http2/oauth2",
  "/2026-11-27/1.4.0": "/:id/:id",
  "/6f9619ff-8b86-d011-b42d-00cf4fc964ff": "/:id",
  "/507f1f77bcf86cd799439011/x": "/:id/x",
  "/deadbeef": "/deadbeef",
  "/0xdead10cc": "/:id",
  "/01ARZ3NDEKTSV4RRFFQ69G5FAV": "/:id",
  "/a-post-about-oauth2": "/a-post-about-oauth2",
  "/ann@example.org": "/:id",
  "/caf%C3%A9": "/:id",
  "/this-is-a-very-long-title-of-a-very-long-story": "/:id",
  "/a/b/c/d/e/f/g/h/i/j": "/a/b/c/d/e/f/g/h/*",
  "http://proxied.example/users/8": "/users/:id",
  "http://proxied.example": "/",
};

test("a path's look has no ids and no query", () => {
  const shapes = Object.fromEntries(Object.keys(SHAPES).map((path) => [path, pathShape(path)]));
  assert.deepEqual(shapes, SHAPES);
});

const named = (): Named => ({ method: "", shape: "", name: "", isRouted: false });

test("a path of the look of one that was routed has that one's name from the beginning", () => {
  const names = new RouteNames();
  const [first, second] = [named(), named()];
  assert.equal(names.begin(first, "GET", "/users/1"), "GET /users/:id");
  assert.equal(names.routed(first, "/users/:user"), "GET /users/:user");
  assert.equal(names.routed(first, "/users/:user"), "");
  assert.equal(names.begin(second, "GET", "/users/2"), "GET /users/:user");
  assert.equal(names.routed(second, "/users/:user"), "");
  assert.equal(names.routed(second, "/users/:other"), "GET /users/:other");
  assert.equal(names.begin(named(), "POST", "/users/2"), "POST /users/:id");
});

test("names made of paths are few, and what nobody knows takes none of them", () => {
  const names = new RouteNames();
  const request = named();
  for (let i = 0; i < 1_000; i++) {
    names.begin(request, "GET", `/scan-${"abcdefghij"[i % 10]}${String.fromCodePoint(0x400 + i)}`);
    assert.equal(names.answered(request, 404), "GET *");
  }
  const told = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    told.add(names.begin(request, "GET", `/page-${String.fromCodePoint(0x400 + i)}`));
    assert.equal(names.answered(request, 200), "");
  }
  assert.equal(told.size, 201);
  assert.ok(told.has("GET *"));
  // One that was answered once keeps its name when it is not found.
  const [known] = told;
  names.begin(request, "GET", known!.slice("GET ".length));
  assert.equal(names.answered(request, 404), "");
});

test("routes are no more than a thousand", () => {
  const names = new RouteNames();
  const told = new Set<string>();
  for (let i = 0; i < 3_000; i++) told.add(names.route("GET", `/route-${i}`));
  assert.equal(told.size, 1_001);
});
