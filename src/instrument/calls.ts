import { asFunction, unwrap } from "./syntax.ts";
import type { AnyNode } from "./syntax.ts";

/** Builtins that call none of the program's functions, or only at once and in the same place. */
const BUILTINS: ReadonlySet<string> = new Set(
  "Array Boolean Buffer Date JSON Map Math Number Object Promise RegExp Set String Symbol console require".split(
    " ",
  ),
);

/** The method of the runtime that marks what a function calls back from a job, or "". */
export function jobOf(callee: AnyNode): "reaction" | "job" | "" {
  if (callee.type === "Identifier") return callee.name === "queueMicrotask" ? "job" : "";
  if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier")
    return "";
  const { name } = callee.property;
  if (isReaction(callee.property)) return "reaction";
  const object = unwrap(callee.object);
  const owner = object.type === "Identifier" ? object.name : "";
  if (name === "nextTick") return owner === "process" ? "job" : "";
  return name === "queueMicrotask" && owner === "globalThis" ? "job" : "";
}

/** Whether that is the name of a method by which a promise is given a function. */
export function isReaction(name: AnyNode): boolean {
  return name.type === "Identifier" && /^(?:then|catch|finally)$/.test(name.name);
}

/** Whether an expression makes a function that nobody else knows. */
export function isFresh(argument: AnyNode): boolean {
  if (asFunction(argument) !== null) return true;
  const node = unwrap(argument);
  const callee = node.type === "CallExpression" ? unwrap(node.callee) : null;
  return (
    callee?.type === "MemberExpression" &&
    !callee.computed &&
    callee.property.type === "Identifier" &&
    callee.property.name === "bind"
  );
}

/** Whether a call of that may begin async functions as far as its text tells. */
export function mayBegin(callee: AnyNode): boolean {
  let at = callee;
  while (at.type === "MemberExpression") at = unwrap(at.object);
  if (at.type === "Identifier") return !BUILTINS.has(at.name) && !at.name.endsWith("Error");
  return at.type !== "Super" && at.type !== "SequenceExpression" && at.type !== "ConditionalExpression";
}

/** Whether that is the constructor of promises, as compilers of async functions write it (`P || (P = Promise)`), too. */
export function isPromise(callee: AnyNode): boolean {
  if (callee.type === "Identifier") return callee.name === "Promise";
  if (callee.type !== "LogicalExpression") return false;
  const otherwise = unwrap(callee.right);
  return otherwise.type === "AssignmentExpression" && isPromise(unwrap(otherwise.right));
}
