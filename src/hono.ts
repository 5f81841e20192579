/** runtrace/hono: `app.use(runtrace())` names the task of each request by its route. */
export { honoMiddleware as runtrace } from "./integrations/hono.ts";
export type { HonoContext, HonoMiddleware } from "./integrations/hono.ts";
