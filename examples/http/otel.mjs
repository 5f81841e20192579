/** OpenTelemetry. `runtrace run examples/http/otel.mjs && runtrace tasks trace.out`: its spans as tasks and regions. */
import { setTimeout as sleep } from "node:timers/promises";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { RuntraceSpanProcessor } from "runtrace/otel";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new RuntraceSpanProcessor()] }));
const tracer = trace.getTracer("coffee");

/** Calls `fn` in a span that ends with it. */
async function span(name, fn) {
  return tracer.startActiveSpan(name, async (made) => {
    try {
      return await fn(made);
    } finally {
      made.end();
    }
  });
}

await span("order", async (order) => {
  order.setAttribute("drink", "cappuccino");
  await span("grind", () => sleep(5));
  await Promise.all([span("steam milk", () => sleep(8)), span("brew", () => sleep(6))]);
  order.addEvent("served", { to: "ann" });
  order.setStatus({ code: SpanStatusCode.ERROR, message: "too cold" });
});
console.log("served");
