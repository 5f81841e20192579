/** runtrace/pprof: what Go's net/http/pprof serves, as a handler for node:http and for frameworks. */
export { pprofHandler } from "./pprof-http/handler.ts";
export type { PprofHandler, PprofOptions } from "./pprof-http/handler.ts";
