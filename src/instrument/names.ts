import { unwrap } from "./syntax.ts";
import type { AnyNode } from "./syntax.ts";

/** Longest text of a computed key that is taken into a name. */
const LONGEST_KEY = 40;

/** Name of what is assigned to an expression, as V8 infers it, or "" where there is none. */
export function targetName(target: AnyNode, source: string): string {
  const node = unwrap(target);
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression") return "";
  const object = unwrap(node.object);
  const key = keyName(node.property, node.computed, source);
  if (object.type === "ThisExpression") return key;
  const of = targetName(object, source);
  return key === "prototype" ? of : memberName(of, key);
}

/** Name of a property's key: an identifier's, a string's or number's own, or a short computed one in brackets. */
export function keyName(key: AnyNode, computed: boolean, source: string): string {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  if (key.type === "Identifier" && !computed) return key.name;
  if (key.type === "Literal" && (typeof key.value === "string" || typeof key.value === "number")) {
    return String(key.value);
  }
  const text = source.slice(key.start, key.end);
  return text.length <= LONGEST_KEY && !/[\r\n]/.test(text) ? `[${text}]` : "[computed]";
}

/** Name of a member of a class or an object: `of` is the owner's name, or "". */
export function memberName(of: string, key: string): string {
  return of === "" || key.startsWith("[") ? `${of}${key}` : `${of}.${key}`;
}
