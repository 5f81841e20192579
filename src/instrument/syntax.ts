import { parse as parseWithAcorn } from "acorn";
import type {
  AnonymousFunctionDeclaration,
  AnyNode,
  ArrowFunctionExpression,
  FunctionDeclaration,
  FunctionExpression,
  Program,
} from "acorn";

export type { AnyNode, Program };
export type FunctionNode =
  | AnonymousFunctionDeclaration
  | ArrowFunctionExpression
  | FunctionDeclaration
  | FunctionExpression;

/** An expression in parentheses, which acorn keeps on request and its types do not know. */
interface Parenthesized {
  readonly type: "ParenthesizedExpression";
  readonly expression: AnyNode;
}

/** How a file's text is to be read: its top level decides on strictness, `await` and `return`. */
export type ModuleKind = "esm" | "cjs" | "script";

/** The children of every kind of node, in the order of the text. */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  ArrayExpression: ["elements"],
  ArrayPattern: ["elements"],
  ArrowFunctionExpression: ["params", "body"],
  AssignmentExpression: ["left", "right"],
  AssignmentPattern: ["left", "right"],
  AwaitExpression: ["argument"],
  BinaryExpression: ["left", "right"],
  BlockStatement: ["body"],
  BreakStatement: [],
  CallExpression: ["callee", "arguments"],
  CatchClause: ["param", "body"],
  ChainExpression: ["expression"],
  ClassBody: ["body"],
  ClassDeclaration: ["id", "superClass", "body"],
  ClassExpression: ["id", "superClass", "body"],
  ConditionalExpression: ["test", "consequent", "alternate"],
  ContinueStatement: [],
  DebuggerStatement: [],
  DoWhileStatement: ["body", "test"],
  EmptyStatement: [],
  ExportAllDeclaration: [],
  ExportDefaultDeclaration: ["declaration"],
  ExportNamedDeclaration: ["declaration"],
  ExpressionStatement: ["expression"],
  ForInStatement: ["left", "right", "body"],
  ForOfStatement: ["left", "right", "body"],
  ForStatement: ["init", "test", "update", "body"],
  FunctionDeclaration: ["id", "params", "body"],
  FunctionExpression: ["id", "params", "body"],
  Identifier: [],
  IfStatement: ["test", "consequent", "alternate"],
  ImportDeclaration: ["specifiers"],
  ImportDefaultSpecifier: ["local"],
  ImportExpression: ["source", "options"],
  ImportNamespaceSpecifier: ["local"],
  ImportSpecifier: ["local"],
  LabeledStatement: ["body"],
  Literal: [],
  LogicalExpression: ["left", "right"],
  MemberExpression: ["object", "property"],
  MetaProperty: [],
  MethodDefinition: ["key", "value"],
  NewExpression: ["callee", "arguments"],
  ObjectExpression: ["properties"],
  ObjectPattern: ["properties"],
  ParenthesizedExpression: ["expression"],
  PrivateIdentifier: [],
  Program: ["body"],
  Property: ["key", "value"],
  PropertyDefinition: ["key", "value"],
  RestElement: ["argument"],
  ReturnStatement: ["argument"],
  SequenceExpression: ["expressions"],
  SpreadElement: ["argument"],
  StaticBlock: ["body"],
  Super: [],
  SwitchCase: ["test", "consequent"],
  SwitchStatement: ["discriminant", "cases"],
  TaggedTemplateExpression: ["tag", "quasi"],
  TemplateLiteral: ["expressions"],
  ThisExpression: [],
  ThrowStatement: ["argument"],
  TryStatement: ["block", "handler", "finalizer"],
  UnaryExpression: ["argument"],
  UpdateExpression: ["argument"],
  VariableDeclaration: ["declarations"],
  VariableDeclarator: ["id", "init"],
  WhileStatement: ["test", "body"],
  WithStatement: ["object", "body"],
  YieldExpression: ["argument"],
};

/** Reads a file's text; throws a SyntaxError, or a RangeError where it is nested too deeply. */
export function parse(source: string, kind: ModuleKind): Program {
  return parseWithAcorn(source, {
    ecmaVersion: "latest",
    sourceType: kind === "esm" ? "module" : kind === "cjs" ? "commonjs" : "script",
    allowHashBang: true,
    preserveParens: true,
  });
}

/** Calls `visit` with each child of a node, in the order of the text. Throws a SyntaxError for an unknown node. */
export function eachChild(node: AnyNode, visit: (child: AnyNode) => void): void {
  const keys = CHILDREN[node.type];
  if (keys === undefined) throw new SyntaxError(`got a node ${node.type}, want one of ECMAScript`);
  const fields = node as unknown as Readonly<Record<string, AnyNode | (AnyNode | null)[] | null | undefined>>;
  // The name of a property is no expression; that of `{ x }` and `{ x = 1 }` is its value as well.
  const named = "computed" in node && !node.computed;
  for (const key of keys) {
    if (named && (key === "key" || key === "property")) continue;
    const child = fields[key];
    if (child == null) continue;
    if (!Array.isArray(child)) visit(child);
    else for (const item of child) if (item !== null) visit(item);
  }
}

/** The expression inside any number of parentheses. */
export function unwrap(node: AnyNode): AnyNode {
  let inner = node as AnyNode | Parenthesized;
  while (inner.type === "ParenthesizedExpression") inner = inner.expression;
  return inner;
}

/** The function that an expression is, be it in parentheses, or null. */
export function asFunction(node: AnyNode | undefined): FunctionNode | null {
  const inner = node === undefined ? null : unwrap(node);
  return inner?.type === "FunctionExpression" || inner?.type === "ArrowFunctionExpression" ? inner : null;
}

/**
 * Where a program's own code may begin: behind its directives and the imports at its head, for Node prints the line of an
 * import that fails, and whether that is right behind a directive.
 */
export function behindImports(body: readonly AnyNode[], start: number): { at: number; after: boolean } {
  const directives = behindDirectives(body, start);
  let first = body.findIndex((node) => node.start >= directives.at);
  while (first >= 0 && first < body.length && isImport(body[first]!)) first++;
  const node = first > 0 ? body[first] : undefined;
  return node !== undefined && isImport(body[first - 1]!) ? { at: node.start, after: false } : directives;
}

function isImport(node: AnyNode): boolean {
  if (node.type === "ExportNamedDeclaration") return node.source != null;
  return node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration";
}

/** Where a body's first statement behind its directives may begin, and whether there are directives. */
export function behindDirectives(body: readonly AnyNode[], start: number): { at: number; after: boolean } {
  let at = start;
  let after = false;
  for (const node of body) {
    if (node.type !== "ExpressionStatement" || node.directive === undefined) break;
    at = node.end;
    after = true;
  }
  return { at, after };
}
