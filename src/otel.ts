/** runtrace/otel: a span processor that makes tasks and regions of OpenTelemetry's spans. */
export { RuntraceSpanProcessor } from "./integrations/otel.ts";
export type { SdkSpan, SpanPlace } from "./integrations/otel.ts";
