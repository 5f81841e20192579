import type { Waits } from "../base/sites.ts";
import { isReaction } from "./calls.ts";
import { unwrap } from "./syntax.ts";
import type { AnyNode } from "./syntax.ts";

const COMBINATORS: ReadonlyMap<string, Waits> = new Map([
  ["all", "all"],
  ["allSettled", "all"],
  ["race", "race"],
  ["any", "race"],
  ["resolve", "other"],
  ["reject", "other"],
]);

/** Expressions whose value never is a promise, or was awaited already. */
const NO_PROMISES: ReadonlySet<string> = new Set([
  "ArrayExpression",
  "ArrowFunctionExpression",
  "AwaitExpression",
  "BinaryExpression",
  "ClassExpression",
  "FunctionExpression",
  "Literal",
  "ObjectExpression",
  "TemplateLiteral",
  "UnaryExpression",
  "UpdateExpression",
]);

/** Tells whether waiting for an expression's value may take longer than the jobs that are due. */
export function mayWait(expression: AnyNode): boolean {
  return !NO_PROMISES.has(unwrap(expression).type);
}

export function waitsOf(expression: AnyNode): Waits {
  const node = unwrap(expression);
  switch (node.type) {
    case "CallExpression": {
      const callee = unwrap(node.callee);
      if (callee.type !== "MemberExpression" || callee.computed) return "call";
      if (isReaction(callee.property)) {
        const waits = waitsOf(callee.object);
        return waits === "all" || waits === "race" ? waits : "call";
      }
      return combinatorOf(callee) ?? "call";
    }
    case "NewExpression": {
      const callee = unwrap(node.callee);
      return callee.type === "Identifier" && callee.name === "Promise" ? "promise" : "other";
    }
    case "TaggedTemplateExpression":
      return "call";
    case "ChainExpression":
      return waitsOf(node.expression);
    case "SequenceExpression":
      return waitsOf(node.expressions.at(-1)!);
    case "AssignmentExpression":
    case "LogicalExpression":
      return waitsOf(node.right);
    case "ConditionalExpression": {
      const waits = waitsOf(node.consequent);
      return waits === "other" ? waitsOf(node.alternate) : waits;
    }
    default:
      return "other";
  }
}

/** What that method of Promise gives waits for, null where it is none of these. */
function combinatorOf(callee: AnyNode): Waits | null {
  if (callee.type !== "MemberExpression" || callee.computed || callee.optional) return null;
  const object = unwrap(callee.object);
  if (object.type !== "Identifier" || object.name !== "Promise") return null;
  return callee.property.type === "Identifier" ? (COMBINATORS.get(callee.property.name) ?? null) : null;
}

/** "all" or "race" where an expression is a call of Promise.all, Promise.race or the like, and nothing else. */
export function jointOf(node: AnyNode & { type: "CallExpression" }): "all" | "race" | null {
  const waits = node.optional ? null : combinatorOf(unwrap(node.callee));
  return waits === "all" || waits === "race" ? waits : null;
}

/** The last name of what an expression calls, where it is a call and nothing else, or "". */
export function calleeOf(expression: AnyNode): string {
  const node = unwrap(expression);
  if (node.type === "ChainExpression") return calleeOf(node.expression);
  if (node.type !== "CallExpression") return "";
  const callee = unwrap(node.callee);
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression" || callee.computed) return "";
  const { property } = callee;
  if (property.type === "PrivateIdentifier") return `#${property.name}`;
  return property.type === "Identifier" ? property.name : "";
}
