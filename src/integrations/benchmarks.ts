import { prototypesOf, watchModules } from "../loader/subjects.ts";
import { wrap } from "../probe/wrap.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { isRecording, withTask } from "../recorder/api.ts";

/**
 * Benchmarks of tinybench (which vitest's `bench` uses, too) and mitata: each is a task, named as the program named it,
 * from the beginning of its measuring to the end. Both have a class whose instances run one benchmark each.
 */
export function watchBenchmarks(): void {
  watchModules("tinybench", (exported) => {
    for (const prototype of prototypesOf(exported)) {
      // The class of whole suites has a method to add to them.
      if (!("run" in prototype) || "add" in prototype) continue;
      for (const method of ["run", "runSync"]) asTask(prototype, method, "name");
    }
  });
  watchModules("mitata", (exported) => {
    for (const prototype of prototypesOf(exported)) {
      if ("run" in prototype && "range" in prototype) mitataBenchmarks(prototype);
    }
  });
}

const seen = new WeakMap<object, Set<string>>();

/** A benchmark of mitata, as far as it concerns us. */
interface MitataBenchmark {
  readonly _name: unknown;
  /** The values of each argument. */
  readonly _args?: unknown;
}

/** What a benchmark of mitata gives: a run for each combination of its arguments. */
interface MitataResult {
  readonly args: unknown;
  readonly runs: readonly { readonly name: unknown }[];
}

/**
 * A benchmark with arguments runs once for each combination of them, all in one call: it is called for each, as a task
 * of its own, and what it gives is put together as it would be.
 */
function mitataBenchmarks(prototype: object): void {
  replaceOnce(prototype, "run", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const benchmark = this as MitataBenchmark;
      const run = (one: MitataBenchmark): unknown =>
        withTask(titleOf(one), () => Reflect.apply(original, one, args));
      const combinations = combinationsOf(benchmark._args);
      return combinations.length < 2 || !isRecording()
        ? run(benchmark)
        : runEach(benchmark, combinations, run);
    };
  });
}

async function runEach(
  benchmark: MitataBenchmark,
  combinations: readonly Readonly<Record<string, unknown>>[],
  run: (one: MitataBenchmark) => unknown,
): Promise<MitataResult> {
  let whole: MitataResult | undefined;
  for (const combination of combinations) {
    const _args = Object.fromEntries(Object.entries(combination).map(([name, value]) => [name, [value]]));
    const one = Object.create(benchmark, { _args: { value: _args } }) as MitataBenchmark;
    const part = (await run(one)) as MitataResult;
    whole = { ...part, runs: [...(whole?.runs ?? []), ...part.runs], args: benchmark._args };
  }
  return whole!;
}

/** Every choice of one value for each argument, in mitata's order: the first argument changes fastest. */
function combinationsOf(args: unknown): Record<string, unknown>[] {
  let combinations: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(args ?? {})) {
    if (!Array.isArray(values)) return [];
    combinations = (values as unknown[]).flatMap((value) =>
      combinations.map((combination) => ({ ...combination, [name]: value })),
    );
  }
  return combinations;
}

/** The name as mitata gives it, with the only value of each argument in the place of `$argument`. */
function titleOf({ _name, _args }: MitataBenchmark): string {
  let title = String(_name);
  for (const [name, values] of Object.entries(_args ?? {})) {
    if (Array.isArray(values) && values.length === 1) title = title.replaceAll(`$${name}`, String(values[0]));
  }
  return title;
}

/** From here on a call of the method is a task, named by a property of the instance. */
function asTask(prototype: object, method: string, name: string): void {
  replaceOnce(prototype, method, (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const title = String((this as Record<string, unknown>)[name]);
      return withTask(title, () => Reflect.apply(original, this, args));
    };
  });
}

function replaceOnce(prototype: object, method: string, make: (original: AnyFunction) => AnyFunction): void {
  const methods = seen.get(prototype) ?? new Set();
  seen.set(prototype, methods);
  if (methods.has(method)) return;
  methods.add(method);
  wrap(prototype, method, make);
}
