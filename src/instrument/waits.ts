import type { Waits } from "../base/sites.ts";
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

const REACTIONS: ReadonlySet<string> = new Set(["then", "catch", "finally"]);

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
      const object = unwrap(callee.object);
      if (callee.property.type === "Identifier" && REACTIONS.has(callee.property.name)) {
        const waits = waitsOf(object);
        return waits === "all" || waits === "race" ? waits : "call";
      }
      if (object.type !== "Identifier" || object.name !== "Promise") return "call";
      return (callee.property.type === "Identifier" && COMBINATORS.get(callee.property.name)) || "call";
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
