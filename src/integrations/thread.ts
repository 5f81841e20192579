/** hooks.ts, in Node's thread of module hooks. */
let shim = "";

/** Called by Node with the URL of what stands for node:test. */
export function initialize(url: string): void {
  shim = url;
}

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

/** Node's resolve hook. */
export function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: object) => Promise<Resolved>,
): Resolved | Promise<Resolved> {
  if (specifier !== "node:test" || context.parentURL === shim) return next(specifier, context);
  return { url: shim, shortCircuit: true };
}
