/**
 * The load-time transform: text of a program in, the same program out, which tells a runtime what its async functions
 * do. Nothing of the text is changed or removed; code is inserted around and behind it, every insertion on the line
 * where it belongs. What is inserted where is in one method a construct, below.
 *
 * * Every file: `var $m=rt.module("…","…");` behind its directives and first imports, with its sites (base/sites.ts) and
 *   its name. The answer is the number of its first site; the others follow. Until then (a function may run before the body
 *   of its module, where imports go in a circle) numbers of sites are NaN, which means unknown. The name is not in the text
 *   that the transform makes: nothing there depends on anything but the file's content.
 * * Async function: `const $f=rt.call($m+1);try{ … }finally{rt.end($f)}` around the body, behind the directives
 *   (`rt.call($m+1,1)` where defaults of parameters may have made promises). A body of
 *   an arrow function that is an expression becomes a block that returns it. Moving the body into a block is seen only
 *   where a function declared in it has the name of a parameter, of a variable or of another function: such a function
 *   is left alone. So is one with a direct eval, in or with a `with`, or with `await using`.
 * * `await x`: `rt?.resume($f,await rt.block($f,$m+2,x))`. A rejected await skips `resume`, so each catch clause and
 *   finally block behind a suspension begins with `rt.caught($f)`.
 * * `yield x` in an async generator: the same with `next` and `produce`; `yield* x`: with `next` and `iterate`.
 * * `return x`: `return rt.tail($f,$m+3,x)`, unless x cannot be a promise.
 * * `for await (const x of y) …`: `try{rt.iterate($f,$m+4);for await (const x of y) {rt.caught($f);try{ … }finally{
 *   rt.iterate($f,$m+4,null)}}}finally{rt.caught($f)}`, outside of labels; `of rt?.iterate($f,$m+4,y)??undefined` instead
 *   where y itself suspends, and `,y` in both where it is a name.
 * * A call in such a function that is not all that is awaited or returned: `(rt.at=$m+6,f(x))`,
 *   and `rt.at=$m+6,f(x)` where it begins a statement; an awaited call sets `rt.at` to the site of the await. Not where
 *   V8 would print the call into an error (what it returns is called, iterated or taken apart), nor for builtins that call nothing.
 * * `x.then(() => …)`: `x.then(rt.reaction(() => …))`, for functions that are written or bound there, which nobody else
 *   can compare with, and for all where x is a promise by its text (`Promise.resolve(y).then(f)`), which compares nothing; the
 *   same for catch and finally, and with `job` for `process.nextTick(f)` and `queueMicrotask(f)`.
 * * `Promise.all(x)` and the like: `rt.joint(0,Promise.all(rt.members(x)))`, 1 for `race` and `any`; `Promise.all(rt.members(x,0))`
 *   where V8 would print the call into an error; nothing where the file has a Promise of its own.
 * * `new Promise((resolve, reject) => …)`: `resolve=rt.settler($m+5,resolve);` and so on at the executor's beginning, and
 *   `rt.executed()` at its end, unless the executor could tell (`arguments`) or the file has a Promise of its own.
 * * A module that awaits: a frame of its own, from its first statement to its end.
 *
 * The form decides on what V8 writes into errors: of a call it prints the callee, of an optional call, as of an await,
 * "(intermediate value)". So `(await x).f()` fails with the same message as before. What is iterated by `for … of` may
 * be no optional call itself, or the message would have the runtime's name: hence `??undefined` behind it.
 *
 * The runtime is reached through a global name, because functions may run before the body of their module.
 */

import { writeSites } from "../base/sites.ts";
import type { Site, SiteKind } from "../base/sites.ts";
import { isPromise, isReaction, jobOf, mayBegin } from "./calls.ts";
import { Insertions, isMarked, literal } from "./marks.ts";
import { keyName, memberName, targetName } from "./names.ts";
import { findScopes, settlersOf } from "./scopes.ts";
import type { Scope, Scopes } from "./scopes.ts";
import { asFunction, behindDirectives, behindImports, eachChild, parse, unwrap } from "./syntax.ts";
import type { AnyNode, FunctionNode, ModuleKind, Program } from "./syntax.ts";
import { COMPOUND, computes, holdsSuspension, showsAwait } from "./parts.ts";
import { calleeOf, jointOf, mayWait, waitsOf } from "./waits.ts";
import { Words, mayConcern, unescaped } from "./words.ts";

export { named, originalColumn, strip } from "./marks.ts";
export type { ModuleKind } from "./syntax.ts";

export interface Transformed {
  readonly code: string;
  /** Where in the code the name of the file goes (`named`). */
  readonly nameAt: number;
  readonly sites: readonly Site[];
}

/** A place in the text that a file was compiled from. */
export interface Original {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface TransformOptions {
  readonly module: ModuleKind;
  /** Global name of the `Runtime`. */
  readonly runtime: string;
  /** The place in the original text, where there is one, of a line and column, both counted from 1. */
  readonly original?: (line: number, column: number) => Original | null;
  /** The text that is to be transformed, where `source` is the same with its types blanked out. */
  readonly typed?: string;
}

/** Name of what belongs to no function. */
const MODULE = "(module)";

/**
 * Null where there is nothing to do, where the text cannot be parsed, or where it contains the runtime's name or the
 * marks of insertions: the file is then loaded as it is.
 */
export function transform(source: string, options: TransformOptions): Transformed | null {
  if (!mayConcern(source) || unescaped(source).includes(options.runtime) || isMarked(source)) return null;
  try {
    const program = parse(source, options.module);
    const words = new Words(source);
    return new Transformer(source, findScopes(program, words), words, options).run(program);
  } catch (error) {
    // A RangeError is a text that is nested more deeply than the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

/** The function (or module) whose own code is being visited. */
interface Context {
  readonly name: string;
  /** Index of its frame's site, -1 where it has no frame. */
  readonly frame: number;
  /** Number of its suspensions so far. */
  suspensions: number;
}

class Transformer {
  readonly #source: string;
  readonly #scopes: Scopes;
  readonly #words: Words;
  readonly #runtime: string;
  readonly #original: TransformOptions["original"];
  /** Name of the variable that holds the number of the file's first site. */
  readonly #base: string;
  /** Name of every frame's constant: a function uses only its own. */
  readonly #frame: string;
  readonly #insertions: Insertions;
  readonly #sites: Site[] = [];
  readonly #lines: readonly number[];
  #context: Context = { name: MODULE, frame: -1, suspensions: 0 };
  /** Name for a function, class or object that is the next node visited, and only for it. */
  #hint = "";
  /** Where the member begins whose function is the next node visited, -1 where it is no method. */
  #member = -1;
  /** Calls that get no site of their own. */
  readonly #unmarked = new Set<AnyNode>();
  /** Those of them that V8 prints into an error if what they return is not what it must be. */
  readonly #printed = new Set<AnyNode>();
  /** Where the statement that was met last begins, if it is an expression. */
  #statement = -1;
  readonly #visitor = (node: AnyNode): void => this.#visit(node);
  readonly #leaver = (node: AnyNode): void => this.#leavePrinted(node);

  constructor(source: string, scopes: Scopes, words: Words, options: TransformOptions) {
    this.#source = source;
    this.#scopes = scopes;
    this.#words = words;
    this.#runtime = options.runtime;
    this.#original = options.original;
    const spelled = unescaped(source);
    this.#frame = unusedName(spelled, "$f");
    this.#base = unusedName(spelled, "$m");
    this.#insertions = new Insertions(options.typed ?? source);
    this.#lines = lineStarts(source);
  }

  run(program: Program): Transformed | null {
    const scope = this.#scopes.of.get(program)!;
    const first = program.body[0];
    if (first === undefined) return null;
    const { at, after } = behindImports(program.body, first.start);
    if (scope.awaits && !scope.unsafe) {
      const frame = this.#site({ kind: "module", func: MODULE, of: this.#sites.length }, first.start);
      this.#insert(at, `const ${this.#frame}=${this.#runtime}.call(${this.#id(frame)});`);
      this.#context = { name: MODULE, frame, suspensions: 0 };
      eachChild(program, this.#visitor);
      this.#insert(program.body.at(-1)!.end, `;${this.#runtime}.end(${this.#frame})`);
    } else {
      eachChild(program, this.#visitor);
    }
    if (this.#insertions.isEmpty) return null;
    const sites = this.#sites.map((site) => this.#mapped(site));
    const call = `${after ? ";" : ""}var ${this.#base}=${this.#runtime}.module(${literal(writeSites(sites))},`;
    const { text, from } = this.#insertions.finish(at, `${call});`);
    return { code: text, nameAt: from + call.length, sites };
  }

  #visit(node: AnyNode): void {
    const hint = this.#hint;
    const start = this.#member < 0 ? node.start : this.#member;
    this.#hint = "";
    this.#member = -1;
    const hasFrame = this.#context.frame >= 0;
    if (!hasFrame && !this.#words.concern(node)) return;
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        return this.#function(node, hint, start);
      case "ClassDeclaration":
      case "ClassExpression":
        return this.#class(node, hint);
      case "ObjectExpression":
        return this.#object(node, hint);
      case "AwaitExpression":
        if (hasFrame) return this.#await(node);
        break;
      case "YieldExpression":
        if (hasFrame) return this.#yield(node);
        break;
      case "ReturnStatement":
        if (hasFrame && node.argument != null) this.#leave(node.argument);
        if (hasFrame && node.argument != null && mayWait(node.argument)) {
          return this.#tail(node.argument, "", "");
        }
        break;
      case "LabeledStatement": {
        let body: AnyNode = node.body;
        while (body.type === "LabeledStatement") body = body.body;
        if (hasFrame && body.type === "ForOfStatement" && body.await) return this.#forAwait(node, body);
        break;
      }
      case "ForOfStatement":
        if (hasFrame && node.await) return this.#forAwait(node, node);
        if (hasFrame && showsAwait(node.right)) return this.#forOfAwaited(node);
        this.#leavePrinted(node.right);
        break;
      case "ExpressionStatement":
        this.#statement = node.start;
        break;
      case "SpreadElement":
        this.#leavePrinted(node.argument);
        break;
      case "MemberExpression":
        if (!node.computed && isReaction(node.property)) this.#leave(node.object);
        else this.#leavePrinted(node.object);
        break;
      case "TaggedTemplateExpression":
        this.#leavePrinted(node.tag);
        break;
      case "TryStatement":
        if (hasFrame) return this.#try(node);
        break;
      case "NewExpression": {
        this.#leavePrinted(node.callee);
        const code = this.#settlers(node);
        if (code === "") {
          if (hasFrame && this.#call(node)) return;
          break;
        }
        const executor = asFunction(node.arguments[0])!;
        this.#function(executor, "", executor.start, code);
        node.arguments.slice(1).forEach(this.#visitor);
        return;
      }
      case "CallExpression": {
        // esbuild's way to keep the name of a function through its own changes.
        const [named, name] = node.arguments;
        const isName = node.callee.type === "Identifier" && node.callee.name === "__name";
        if (isName && name?.type === "Literal" && typeof name.value === "string") {
          return this.#named(named!, name.value);
        }
        this.#leavePrinted(node.callee);
        if (this.#joint(node)) return;
        if (!hasFrame || !this.#call(node)) this.#arguments(node);
        return;
      }
      case "VariableDeclarator":
        this.#visit(node.id);
        if (node.init != null && node.id.type !== "Identifier") this.#leavePrinted(node.init);
        if (node.init != null) this.#named(node.init, targetName(node.id, this.#source));
        return;
      case "AssignmentPattern":
      case "AssignmentExpression":
        this.#visit(node.left);
        if (node.left.type.endsWith("Pattern")) this.#leavePrinted(node.right);
        return this.#named(node.right, targetName(node.left, this.#source));
      case "ExportDefaultDeclaration":
        return this.#named(node.declaration, "default");
      default:
        if ((node.type as string) === "ParenthesizedExpression") this.#hint = hint;
    }
    eachChild(node, this.#visitor);
  }

  /** `settlers`: of an executor, what wraps its parameters. */
  #function(node: FunctionNode, hint: string, start: number, settlers = ""): void {
    const outer = this.#context;
    const line = this.#lineOf(start) + 1;
    const name =
      node.id?.name ?? (hint || memberName(outer.name === MODULE ? "" : outer.name, `(anonymous:${line})`));
    const inner = { name, frame: -1, suspensions: 0 };
    this.#context = inner;
    for (const param of node.params) this.#visit(param);
    let code = settlers;
    let after = "";
    if (settlers !== "" && !node.async && node.body.type === "BlockStatement") {
      code += "try{";
      after = `}finally{${this.#runtime}.executed()}`;
    }
    if (node.async && isSafe(this.#scopes.of.get(node)!)) {
      const frame = this.#site(
        { kind: node.generator ? "generator" : "call", func: name, of: this.#sites.length },
        start,
      );
      this.#context = { ...inner, frame };
      code += `const ${this.#frame}=${this.#runtime}.call(${this.#id(frame)}${node.params.some(computes) ? ",1" : ""});try{`;
      after = `}finally{${this.#runtime}.end(${this.#frame})}`;
    }
    if (node.body.type === "BlockStatement") this.#block(node.body, code, after);
    else if (after !== "") this.#returned(node.body, code, after);
    else if (code !== "") this.#sequence(node.body, code);
    else this.#visit(node.body);
    this.#context = outer;
  }

  #block(body: AnyNode & { type: "BlockStatement" }, before: string, after: string): void {
    const directives = behindDirectives(body.body, body.start + 1);
    if (before !== "") this.#insert(directives.at, (directives.after ? ";" : "") + before);
    eachChild(body, this.#visitor);
    if (after !== "") this.#insert(body.end - 1, after);
  }

  /** The expression that is an async arrow function's body: it becomes a block. */
  #returned(body: AnyNode, before: string, after: string): void {
    this.#leave(body);
    if (mayWait(body)) return this.#tail(body, `{${before}return `, `${after}}`);
    this.#insert(body.start, `{${before}return `);
    this.#visit(body);
    this.#insert(body.end, `${after}}`);
  }

  /** The expression that is an executor's body: what wraps its parameters goes before it, behind a comma. */
  #sequence(body: AnyNode, before: string): void {
    this.#insert(body.start, `(${before.replaceAll(";", ",")}${this.#runtime}.executed(`);
    this.#visit(body);
    this.#insert(body.end, "))");
  }

  /** What an expression calls gets no site. */
  #leave(value: AnyNode): void {
    const node = unwrap(value);
    this.#unmarked.add(node);
    if (node.type === "ChainExpression") this.#leave(node.expression);
  }

  /** The same for an expression that V8 may print into an error, and the parts of it. */
  #leavePrinted(value: AnyNode): void {
    const node = unwrap(value);
    this.#unmarked.add(node);
    this.#printed.add(node);
    if (COMPOUND.has(node.type)) eachChild(node, this.#leaver);
  }

  /** A call of Promise.all and the like. False where it is none, or nothing may be inserted. */
  #joint(node: AnyNode & { type: "CallExpression" }): boolean {
    const [list] = node.arguments;
    const waits = jointOf(node);
    if (waits === null || list === undefined || list.type === "SpreadElement") return false;
    if (this.#scopes.bindsPromise) return false;
    const isPrinted = this.#printed.has(node);
    const first = waits === "race" ? 1 : 0;
    if (!isPrinted) this.#insert(node.start, `${this.#runtime}.joint(${first},`);
    this.#insert(list.start, `${this.#runtime}.members(`);
    this.#visit(list);
    this.#insert(list.end, isPrinted ? `,${first})` : ")");
    node.arguments.slice(1).forEach(this.#visitor);
    if (!isPrinted) this.#insert(node.end, ")");
    return true;
  }

  /** A call that may begin async functions. False where it is none: its parts are still to be visited. */
  #call(node: AnyNode & { type: "CallExpression" | "NewExpression" }): boolean {
    const callee = unwrap(node.callee);
    if (this.#unmarked.has(node) || !mayBegin(callee)) return false;
    const { name, frame } = this.#context;
    const at = callee.type === "MemberExpression" ? callee.property.start : node.start;
    const site = this.#id(this.#site({ kind: "at", func: name, of: frame }, at));
    // A parenthesis at the beginning of a statement might go on with the one before.
    const isFirst = node.start === this.#statement;
    this.#insert(node.start, `${isFirst ? "" : "("}${this.#runtime}.at=${site},`);
    if (node.type === "CallExpression") this.#arguments(node);
    else eachChild(node, this.#visitor);
    if (!isFirst) this.#insert(node.end, ")");
    return true;
  }

  /** The parts of a call, with what is called back from a job marked. */
  #arguments(node: AnyNode & { type: "CallExpression" }): void {
    this.#visit(node.callee);
    const callee = unwrap(node.callee);
    let isSecond = false;
    node.arguments.forEach((argument, index) => {
      const method = jobOf(callee, argument, index, this.#scopes.bindsPromise);
      if (method === "") return this.#visit(argument);
      this.#insert(argument.start, `${this.#runtime}.${method}(`);
      this.#visit(argument);
      this.#insert(argument.end, isSecond ? ",1)" : ")");
      isSecond = true;
    });
  }

  #await(node: AnyNode & { type: "AwaitExpression" }): void {
    const site = this.#suspension("await", node.start, node.argument);
    this.#leave(node.argument);
    const at = calleeOf(node.argument) === "" ? "" : `${this.#runtime}.at=`;
    this.#insert(node.start, `${this.#runtime}?.resume(${this.#frame},`);
    this.#insert(node.start + "await".length, `${this.#runtime}.block(${this.#frame},${at}${site},`);
    this.#visit(node.argument);
    this.#insert(node.end, "))");
  }

  #yield(node: AnyNode & { type: "YieldExpression" }): void {
    const site = this.#suspension("yield", node.start);
    this.#insert(node.start, `${this.#runtime}?.next(${this.#frame},`);
    let at = node.start + "yield".length;
    if (node.delegate) at = behindStar(this.#source, at);
    if (node.delegate) this.#leavePrinted(node.argument!);
    const method = node.delegate ? "iterate" : "produce";
    const value = node.argument == null ? "" : ",";
    this.#insert(at, `${this.#runtime}.${method}(${this.#frame},${site}${value}`);
    if (node.argument != null) this.#visit(node.argument);
    this.#insert(node.end, "))");
  }

  #tail(value: AnyNode, before: string, after: string): void {
    const site = this.#site(
      { kind: "tail", func: this.#context.name, of: this.#context.frame, ...waitOf(value) },
      value.start,
    );
    // `return a, b` is the one place where commas may stand without parentheses.
    const [open, close] = value.type === "SequenceExpression" ? ["(", "))"] : ["", ")"];
    this.#insert(value.start, `${before}${this.#runtime}.tail(${this.#frame},${this.#id(site)},${open}`);
    this.#visit(value);
    this.#insert(value.end, `${close}${after}`);
  }

  /** V8 would print the runtime's name as what cannot be iterated. */
  #forOfAwaited(loop: AnyNode & { type: "ForOfStatement" }): void {
    const isBare = loop.right.type === "AwaitExpression";
    this.#visit(loop.left);
    this.#leavePrinted(loop.right);
    if (!isBare) this.#insert(loop.right.start, "(");
    this.#visit(loop.right);
    this.#insert(loop.right.end, isBare ? "??undefined" : ")??undefined");
    this.#visit(loop.body);
  }

  /** `outer` is the loop itself or the outermost of its labels. */
  #forAwait(outer: AnyNode, loop: AnyNode & { type: "ForOfStatement" }): void {
    const site = this.#suspension("forAwait", loop.start);
    // What a name stands for may be asked twice. What is still to be evaluated is not given.
    const subject = loop.right.type === "Identifier" ? `,${loop.right.name}` : "";
    const again = subject || ",null";
    const iterate = `.iterate(${this.#frame},${site}`;
    const caught = `${this.#runtime}.caught(${this.#frame})`;
    const suspends = holdsSuspension(loop.right);
    this.#insert(outer.start, suspends ? "try{" : `try{${this.#runtime}${iterate}${subject});`);
    this.#visit(loop.left);
    this.#leavePrinted(loop.right);
    if (suspends) this.#insert(loop.right.start, `${this.#runtime}?${iterate},`);
    this.#visit(loop.right);
    if (suspends) this.#insert(loop.right.end, ")??undefined");
    this.#insert(loop.body.start, `{${caught};try{`);
    this.#visit(loop.body);
    this.#insert(loop.body.end, `}finally{${this.#runtime}${iterate}${again})}}`);
    this.#insert(outer.end, `}finally{${caught}}`);
  }

  #try(node: AnyNode & { type: "TryStatement" }): void {
    const context = this.#context;
    const before = context.suspensions;
    const caught = `${this.#runtime}.caught(${this.#frame});`;
    this.#visit(node.block);
    if (node.handler != null) {
      const { param, body } = node.handler;
      const suspends = context.suspensions > before;
      if (param != null) this.#visit(param);
      if (suspends) this.#insert(body.start + 1, caught);
      eachChild(body, this.#visitor);
    }
    if (node.finalizer != null) {
      if (context.suspensions > before) this.#insert(node.finalizer.start + 1, caught);
      eachChild(node.finalizer, this.#visitor);
    }
  }

  /** Code that wraps resolve and reject in the executor of a `new Promise`, or "". */
  #settlers(node: AnyNode & { type: "NewExpression" }): string {
    const callee = unwrap(node.callee);
    if (!isPromise(callee) || this.#scopes.bindsPromise) return "";
    const names = settlersOf(node.arguments[0], this.#scopes);
    if (names === null) return "";
    const site = this.#site(
      { kind: "executor", func: this.#context.name, of: this.#context.frame },
      node.start,
    );
    const isAsync = asFunction(node.arguments[0])!.async ? ",1" : "";
    return names
      .map((name) => `${name}=${this.#runtime}.settler(${this.#id(site)},${name}${isAsync});`)
      .join("");
  }

  #class(node: AnyNode & { type: "ClassDeclaration" | "ClassExpression" }, hint: string): void {
    const name = node.id?.name ?? hint;
    const outer = this.#context;
    if (node.superClass != null) this.#visit(node.superClass);
    for (const member of node.body.body) {
      if (member.type !== "StaticBlock") {
        if (member.computed) this.#visit(member.key);
        if (member.value == null) continue;
        const key = memberName(name, keyName(member.key, member.computed, this.#source));
        if (member.type === "MethodDefinition") {
          this.#named(member.value, key, member.start);
          continue;
        }
        this.#context = { name, frame: -1, suspensions: 0 };
        this.#named(member.value, key);
      } else {
        this.#context = { name, frame: -1, suspensions: 0 };
        eachChild(member, this.#visitor);
      }
      this.#context = outer;
    }
  }

  #object(node: AnyNode & { type: "ObjectExpression" }, hint: string): void {
    for (const property of node.properties) {
      if (property.type === "SpreadElement") {
        this.#visit(property);
        continue;
      }
      if (property.computed) this.#visit(property.key);
      const key = memberName(hint, keyName(property.key, property.computed, this.#source));
      this.#named(property.value, key, property.method ? property.start : -1);
    }
  }

  #named(node: AnyNode, hint: string, member = -1): void {
    this.#hint = hint;
    this.#member = member;
    this.#visit(node);
  }

  #insert(at: number, code: string): void {
    this.#insertions.add(at, code);
  }

  /** Adds a site where the current frame suspends, waiting for a value; returns the code of its number. */
  #suspension(kind: SiteKind, at: number, value?: AnyNode): string {
    const { name, frame } = this.#context;
    this.#context.suspensions++;
    const site = { kind, func: name, of: frame };
    return this.#id(this.#site(value === undefined ? site : { ...site, ...waitOf(value) }, at));
  }

  /** Adds a site; returns its index. */
  #site(site: Omit<Site, "file" | "line" | "column">, at: number): number {
    const line = this.#lineOf(at);
    this.#sites.push({ ...site, file: "", line: line + 1, column: at - this.#lines[line]! + 1 });
    return this.#sites.length - 1;
  }

  #mapped(site: Site): Site {
    const original = this.#original?.(site.line, site.column) ?? null;
    return original === null ? site : { ...site, ...original };
  }

  #id(index: number): string {
    return `${this.#base}+${index}`;
  }

  /** Line of a position, counted from 0. */
  #lineOf(at: number): number {
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lines[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function isSafe(scope: Scope): boolean {
  return !scope.unsafe && !scope.clashes;
}

/** What an await or a tail waits for. */
function waitOf(value: AnyNode): Pick<Site, "waits" | "callee"> {
  const waits = waitsOf(value);
  const callee = calleeOf(value);
  return callee === "" ? { waits } : { waits, callee };
}

function unusedName(source: string, wanted: string): string {
  let name = wanted;
  for (let i = 1; source.includes(name); i++) name = `${wanted}${i}`;
  return name;
}

/** Positions where lines begin, as V8 counts them. */
function lineStarts(source: string): number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n?|[\n\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** Position behind the star of a `yield*`, which comments may precede. */
function behindStar(source: string, from: number): number {
  const star = /(?:\s|\/\*[^]*?\*\/)*\*/y;
  star.lastIndex = from;
  star.test(source);
  return star.lastIndex;
}
