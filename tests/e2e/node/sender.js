// Records metrics with the SDK of Node, a round for each line on standard input, as the end-to-end tests steer it
// (sdk_senders.py). The standard OTEL_* variables say where to, as what, and in which temporality.

import readline from "node:readline";
import { context, diag, DiagConsoleLogger, DiagLogLevel, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPMetricExporter as GrpcExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as HttpExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const Exporter = process.env.OTEL_EXPORTER_OTLP_PROTOCOL === "grpc" ? GrpcExporter : HttpExporter;
const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
const provider = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: new Exporter(), exportIntervalMillis: 3_600_000 })],
  views: [{ instrumentName: "payload.size", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
});
const tracer = new BasicTracerProvider({ resource }).getTracer("sender");

const meter = provider.getMeter("sender");
const done = meter.createCounter("jobs.done", { unit: "{job}", description: "Jobs done." });
const open = meter.createUpDownCounter("jobs.open", { unit: "{job}", description: "Jobs open." });
const level = meter.createGauge("pool.level", { unit: "1", description: "How full it is." });
const duration = meter.createHistogram("job.duration", {
  unit: "s",
  description: "Time of a job.",
  advice: { explicitBucketBoundaries: [0.1, 1] },
});
const size = meter.createHistogram("payload.size", { unit: "By", description: "Bytes of a payload." });

// The same in every round and every language.
function record() {
  const queue = { "queue.name": "mail" };
  done.add(2, queue);
  open.add(3, queue);
  open.add(-1, queue);
  level.record(0.5);
  for (const seconds of [0.05, 0.5, 5]) duration.record(seconds, queue);
  for (const bytes of [0, 1, 3, 1000]) size.record(bytes, queue);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const span = tracer.startSpan("round");
  context.with(trace.setSpan(context.active(), span), record);
  span.end();
  // A round that is not flushed is lost when the process is killed.
  if (line.trim() === "flush") await provider.forceFlush();
  console.log(span.spanContext().traceId);
}
// Not shut down: that would be one more export.
process.exit(0);
