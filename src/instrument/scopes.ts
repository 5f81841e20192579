import { asFunction, eachChild, unwrap } from "./syntax.ts";
import type { AnyNode, FunctionNode, Program } from "./syntax.ts";
import type { Words } from "./words.ts";

/** What a function (or a file's top level) holds by itself, not counting functions in it. */
export interface Scope {
  /** It holds an await or a `for await`. */
  awaits: boolean;
  /** It holds a direct eval or a `with`, lies in a `with`, or disposes asynchronously: it is left alone. */
  unsafe: boolean;
  /** It uses `arguments`, be it in an arrow function. */
  usesArguments: boolean;
  /** Names of its simple parameters, null where one is a pattern, a rest or has a default. */
  params: string[] | null;
  /** Names declared by `var` and by functions of the body's top level; one that is declared both ways twice. */
  declared: string[];
  /** A function of the body's top level whose declaration would mean something else in a block. */
  clashes: boolean;
}

export interface Scopes {
  readonly of: ReadonlyMap<AnyNode, Scope>;
  /** The file gives the name Promise to something of its own. */
  readonly bindsPromise: boolean;
}

/**
 * Finds out what decides on whether and how a file's functions are transformed. Of functions that will not be, and hold
 * none of the words, nothing is known.
 */
export function findScopes(program: Program, words: Words): Scopes {
  const finder = new ScopeFinder(words);
  finder.program(program);
  return finder;
}

interface Opened {
  readonly scope: Scope;
  readonly isArrow: boolean;
  /** It may be transformed: everything about it matters. */
  readonly isWanted: boolean;
  /** Functions declared at the top level of its body. */
  readonly functions: readonly AnyNode[];
}

class ScopeFinder implements Scopes {
  readonly of = new Map<AnyNode, Scope>();
  bindsPromise = false;
  /** From the outermost function to the innermost; those that are no arrow functions have their own `arguments`. */
  readonly #open: Opened[] = [];
  #withs = 0;
  readonly #words: Words;
  readonly #visit = (node: AnyNode): void => this.#node(node);

  constructor(words: Words) {
    this.#words = words;
  }

  program(node: Program): void {
    this.#inside(node, { scope: emptyScope(), isArrow: false, isWanted: false, functions: [] });
  }

  #node(node: AnyNode): void {
    if (!this.#open.at(-1)!.isWanted && !this.#words.concern(node)) return;
    switch (node.type) {
      case "Identifier":
        if (node.name === "arguments") this.#usesArguments();
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        return this.#function(node, node.async);
      case "StaticBlock":
        return this.#inside(node, { scope: emptyScope(), isArrow: false, isWanted: false, functions: [] });
      case "ClassDeclaration":
      case "ClassExpression":
        if (node.id != null) this.#binds(node.id);
        break;
      case "AwaitExpression":
        this.#scope().awaits = true;
        break;
      case "ForOfStatement":
        if (node.await) this.#scope().awaits = true;
        break;
      case "CallExpression": {
        const callee = unwrap(node.callee);
        if (callee.type === "Identifier" && callee.name === "eval") this.#evaluates();
        break;
      }
      case "NewExpression": {
        const executor = asFunction(node.arguments[0]);
        if (executor === null) break;
        this.#node(node.callee);
        this.#function(executor, true);
        node.arguments.slice(1).forEach(this.#visit);
        return;
      }
      case "WithStatement":
        this.#scope().unsafe = true;
        this.#withs++;
        eachChild(node, this.#visit);
        this.#withs--;
        return;
      case "VariableDeclaration":
        if (node.kind === "await using") this.#scope().unsafe = true;
        for (const { id } of node.declarations) {
          const names = this.#binds(id);
          if (node.kind === "var") this.#scope().declared.push(...names);
        }
        break;
      case "AssignmentExpression":
        this.#binds(node.left);
        break;
      case "CatchClause":
        if (node.param != null) this.#binds(node.param);
        break;
      case "ImportDefaultSpecifier":
      case "ImportNamespaceSpecifier":
      case "ImportSpecifier":
        this.#binds(node.local);
        break;
      default:
    }
    eachChild(node, this.#visit);
  }

  #function(node: FunctionNode, isWanted: boolean): void {
    if (node.id != null) {
      this.#binds(node.id);
      const { scope, functions } = this.#open.at(-1)!;
      // In a block of sloppy code the name is also a variable of the whole function.
      if (node.type === "FunctionDeclaration" && !functions.includes(node)) scope.declared.push(node.id.name);
    }
    const names = node.params.flatMap((param) => this.#binds(param));
    const simple = node.params.every((param) => param.type === "Identifier");
    const scope = { ...emptyScope(), params: simple ? names : null, unsafe: this.#withs > 0 };
    const body = node.body.type === "BlockStatement" ? node.body.body : [];
    const functions = body.filter((statement) => statement.type === "FunctionDeclaration");
    const isArrow = node.type === "ArrowFunctionExpression";
    this.#inside(node, { scope, isArrow, isWanted, functions });
    const taken = new Set([...names, ...scope.declared]);
    for (const { id } of functions) {
      if (taken.has(id.name)) scope.clashes = true;
      taken.add(id.name);
      scope.declared.push(id.name);
    }
  }

  #inside(node: AnyNode, opened: Opened): void {
    this.of.set(node, opened.scope);
    this.#open.push(opened);
    eachChild(node, this.#visit);
    this.#open.pop();
  }

  #scope(): Scope {
    return this.#open.at(-1)!.scope;
  }

  #usesArguments(): void {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const { scope, isArrow } = this.#open[i]!;
      scope.usesArguments = true;
      if (!isArrow) return;
    }
  }

  #evaluates(): void {
    this.#usesArguments();
    this.#scope().unsafe = true;
  }

  #binds(pattern: AnyNode): string[] {
    const names: string[] = [];
    namesOf(pattern, names);
    if (names.includes("Promise")) this.bindsPromise = true;
    return names;
  }
}

function emptyScope(): Scope {
  return { awaits: false, unsafe: false, usesArguments: false, params: null, declared: [], clashes: false };
}

/** Appends the names that a pattern binds. */
function namesOf(pattern: AnyNode, names: string[]): void {
  switch (pattern.type) {
    case "Identifier":
      names.push(pattern.name);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        namesOf(property.type === "Property" ? property.value : property.argument, names);
      }
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element !== null) namesOf(element, names);
      break;
    case "AssignmentPattern":
      namesOf(pattern.left, names);
      break;
    case "RestElement":
      namesOf(pattern.argument, names);
      break;
    default:
  }
}

/** Names of resolve and reject where an expression is an executor whose parameters may be wrapped, else null. */
export function settlersOf(executor: AnyNode | undefined, scopes: Scopes): readonly string[] | null {
  const node = asFunction(executor);
  if (node === null || node.generator) return null;
  const scope = scopes.of.get(node)!;
  if (scope.params === null || scope.params.length === 0 || scope.unsafe) return null;
  if (scope.usesArguments && node.type === "FunctionExpression") return null;
  const names = [...new Set(scope.params.slice(0, 2))];
  return names.some((name) => scope.declared.includes(name)) ? null : names;
}
