/** runtrace: records what a Node.js program does, in Go's execution trace format. */
export { TraceError } from "./base/error.ts";
export { go, log, newTask, startRegion, withRegion, withTask } from "./recorder/api.ts";
export type { Region, Task } from "./recorder/api.ts";
export { FlightRecorder } from "./recorder/flight.ts";
export type { FlightOptions, FlightTriggers } from "./recorder/flight-options.ts";
export type { StartOptions } from "./recorder/options.ts";
export { isEnabled, start, stop } from "./recorder/session.ts";
export type { Sink } from "./recorder/sinks.ts";
