import { imitate } from "../probe/replace.ts";
import { newTask, withTask } from "../recorder/api.ts";

/**
 * node:test as it is, but for this: each test is a task, named by its full title ("suite > test"), from the beginning of
 * its function to its end. What the test starts belongs to the task.
 */
type AnyFunction = (this: unknown, ...args: never[]) => unknown;
type Body = (this: unknown, ...args: unknown[]) => unknown;

/** What node:test exports: `test`, with everything else as its properties. */
export type TestModule = AnyFunction & Readonly<Record<string, unknown>>;

/** Functions that take tests, and their own variants that do. */
const TAKE_TESTS = ["test", "it", "only", "todo"];
const VARIANTS = ["only", "todo"];

let made: { readonly of: TestModule; readonly is: TestModule } | undefined;

/** The same module again whenever it is asked for: `import` and `require` give one. */
export function withTasks(module: TestModule): TestModule {
  if (made?.of === module) return made.is;
  const wrapped = takingTests(module);
  for (const name of TAKE_TESTS) {
    const own = module[name];
    if (typeof own !== "function") continue;
    Object.defineProperty(wrapped, name, {
      ...Object.getOwnPropertyDescriptor(module, name),
      value: own === module ? wrapped : takingTests(own as TestModule),
    });
  }
  made = { of: module, is: wrapped };
  return wrapped;
}

function takingTests(original: TestModule): TestModule {
  const wrapper: Body = function (this: unknown, ...args) {
    const at = args.findLastIndex((value) => typeof value === "function");
    if (at >= 0) args[at] = asTask(args[at] as AnyFunction, args[0]);
    return Reflect.apply(original, this, args);
  };
  const wrapped = imitate(original as AnyFunction, wrapper) as TestModule;
  for (const name of VARIANTS) {
    const variant = original[name];
    if (typeof variant === "function" && original !== variant)
      Object.defineProperty(wrapped, name, { value: takingTests(variant as TestModule), configurable: true });
  }
  return wrapped;
}

/** A test's function; its length stays, for it tells node:test whether there is a callback. */
function asTask(test: AnyFunction, name: unknown): AnyFunction {
  const wrapper: Body = function (this: unknown, ...args) {
    const [context, done] = args;
    withSubtests(context);
    const title = titleOf(context, typeof name === "string" ? name : test.name);
    if (typeof done !== "function") return withTask(title, () => Reflect.apply(test, this, args));
    const task = newTask(title);
    args[1] = (...results: unknown[]) => {
      task.end();
      return Reflect.apply(done as Body, undefined, results);
    };
    return task.run(() => Reflect.apply(test, this, args));
  };
  return imitate(test, wrapper);
}

function titleOf(context: unknown, name: string): string {
  const { fullName } = (context ?? {}) as { readonly fullName?: unknown };
  return typeof fullName === "string" ? fullName : name;
}

/** The tests that a test makes through its context are tasks, too. */
function withSubtests(context: unknown): void {
  const own = context as { test?: unknown } | undefined;
  if (typeof own?.test !== "function" || Object.hasOwn(own, "test")) return;
  const { test } = own;
  Object.defineProperty(own, "test", {
    value: takingTests(test as TestModule),
    configurable: true,
    writable: true,
  });
}
