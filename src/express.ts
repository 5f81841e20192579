/** runtrace/express: `app.use(runtrace())` names the task of each request by its route. */
export { expressMiddleware as runtrace } from "./integrations/express.ts";
export type { ExpressMiddleware } from "./integrations/express.ts";
