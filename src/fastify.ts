/** runtrace/fastify: `app.register(runtrace)` names the task of each request by its route. */
export { fastifyPlugin as runtrace } from "./integrations/fastify.ts";
export type { FastifyApp, FastifyPlugin, FastifyReply, FastifyRequest } from "./integrations/fastify.ts";
