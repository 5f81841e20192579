/** What parts an expression has that matter: what V8 would print of it, suspensions, calls. */

import { eachChild, unwrap } from "./syntax.ts";
import type { AnyNode } from "./syntax.ts";

/**
 * Expressions that V8 prints part by part. Of array and object literals only a misspelt member would be printed, and
 * their parts are often calls that matter.
 */
export const COMPOUND: ReadonlySet<string> = new Set([
  "AssignmentExpression",
  "BinaryExpression",
  "ChainExpression",
  "ConditionalExpression",
  "LogicalExpression",
  "MemberExpression",
  "SequenceExpression",
  "TemplateLiteral",
  "UnaryExpression",
]);

/** Tells whether V8 may take an await in an expression for what gives its value. */
export function showsAwait(expression: AnyNode): boolean {
  const node = unwrap(expression);
  switch (node.type) {
    case "AwaitExpression":
      return true;
    case "LogicalExpression":
      return showsAwait(node.left) || showsAwait(node.right);
    case "ConditionalExpression":
      return [node.test, node.consequent, node.alternate].some(showsAwait);
    case "SequenceExpression":
      return showsAwait(node.expressions.at(-1)!);
    case "AssignmentExpression":
      return showsAwait(node.right);
    default:
      return false;
  }
}

/** Tells whether an expression holds an await or a yield of its own. */
export function holdsSuspension(node: AnyNode): boolean {
  if (node.type === "AwaitExpression" || node.type === "YieldExpression") return true;
  // Only computed keys and the superclass of a class belong to the function around it: it may say yes for too much.
  if (/Function/.test(node.type)) return false;
  let holds = false;
  eachChild(node, (child) => (holds ||= holdsSuspension(child)));
  return holds;
}

/** Constructors of the language and of Node that make no promise where they are given nothing. */
const PLAIN: ReadonlySet<string> = new Set(["AbortController", "Date", "Map", "Set", "WeakMap", "WeakSet"]);

/** Tells whether a parameter calls code of the program before the body begins, which may make promises. */
export function computes(node: AnyNode): boolean {
  if (node.type === "NewExpression" && node.callee.type === "Identifier" && PLAIN.has(node.callee.name))
    return node.arguments.length > 0;
  if (/^(?:Call|New|TaggedTemplate|Import)Expression$/.test(node.type)) return true;
  if (/Function/.test(node.type)) return false;
  let found = false;
  eachChild(node, (child) => (found ||= computes(child)));
  return found;
}
