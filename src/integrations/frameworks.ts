import { subscribe } from "node:diagnostics_channel";
import { slot } from "../recorder/slot.ts";
import { nameByExpress } from "./express.ts";
import { nameByFastify } from "./fastify.ts";
import { nameByHono } from "./hono.ts";
import { nameByKoa } from "./koa.ts";

/**
 * Routes of frameworks, without a line of the program's: Fastify says when an application is made; for the others the
 * loader puts a hook where they find their routes. To be called once a thread, before any code of the program.
 */
export function nameRequestsByRoute(): void {
  const shared = slot();
  if (shared.frameworks !== undefined) return;
  shared.frameworks = {
    express: harmless((layer) => nameByExpress(layer)),
    koa: harmless((exported) => {
      const { Router = exported } = exported as { readonly Router?: unknown };
      nameByKoa(Router);
    }),
    hono: harmless((matched, env, method) => nameByHono(matched, env, method)),
  };
  subscribe(
    "fastify.initialization",
    harmless((message) => nameByFastify((message as { readonly fastify: unknown }).fastify)),
  );
}

/** A hook stands in code that is not ours: what goes wrong in it must not show there. */
function harmless(hook: (...args: readonly unknown[]) => void): (...args: readonly unknown[]) => void {
  return (...args) => {
    try {
      hook(...args);
    } catch {
      // The framework is not as it was.
    }
  };
}
