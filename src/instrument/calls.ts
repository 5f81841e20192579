import { asFunction, unwrap } from "./syntax.ts";
import type { AnyNode } from "./syntax.ts";

/** Builtins that call none of the program's functions, or only at once and in the same place. */
const BUILTINS: ReadonlySet<string> = new Set(
  "Array Boolean Buffer Date JSON Map Math Number Object Promise RegExp Set String Symbol console require".split(
    " ",
  ),
);

/**
 * The method of the runtime that marks the argument of a call as what is called back from a job, or "". What is given to `then`
 * and the like is marked if nobody else knows it, or if it is a promise that is given it, which compares nothing.
 */
export function jobOf(
  callee: AnyNode,
  argument: AnyNode,
  index: number,
  bindsPromise: boolean,
): "reaction" | "job" | "" {
  if (argument.type === "SpreadElement") return "";
  const isMember = callee.type === "MemberExpression" && !callee.computed;
  if (isMember && isReaction(callee.property)) {
    return isFresh(argument) || (isNative(callee.object) && !bindsPromise) ? "reaction" : "";
  }
  return index === 0 && makesJob(callee) ? "job" : "";
}

/** Whether that is `process.nextTick` or `queueMicrotask`. */
function makesJob(callee: AnyNode): boolean {
  if (callee.type === "Identifier") return callee.name === "queueMicrotask";
  if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier")
    return false;
  const { name } = callee.property;
  const object = unwrap(callee.object);
  const owner = object.type === "Identifier" ? object.name : "";
  return name === "nextTick" ? owner === "process" : name === "queueMicrotask" && owner === "globalThis";
}

/** Whether that is the name of a method by which a promise is given a function. */
export function isReaction(name: AnyNode): boolean {
  return name.type === "Identifier" && /^(?:then|catch|finally)$/.test(name.name);
}

/** Whether an expression makes a function that nobody else knows. */
function isFresh(argument: AnyNode): boolean {
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

/** Whether an expression's text tells that it gives a promise of the language, unless another constructor has that name. */
function isNative(expression: AnyNode): boolean {
  const node = unwrap(expression);
  if (node.type === "NewExpression") return isPromise(unwrap(node.callee));
  const callee = node.type === "CallExpression" ? unwrap(node.callee) : null;
  if (callee?.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier")
    return false;
  const object = unwrap(callee.object);
  const isStatic =
    object.type === "Identifier" && object.name === "Promise" && callee.property.name !== "withResolvers";
  return isStatic || (isReaction(callee.property) && isNative(object));
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
