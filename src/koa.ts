/** runtrace/koa: `app.use(runtrace())` names the task of each request by its route. */
export { koaMiddleware as runtrace } from "./integrations/koa.ts";
export type { KoaContext, KoaMiddleware } from "./integrations/koa.ts";
