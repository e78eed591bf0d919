// Records what ../plan.tsv says with the SDK of Node; ../README.md says how.

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { ValueType } from "@opentelemetry/api";

const { ENDPOINT, OTEL_SERVICE_NAME, PART, PAUSE, PLAN } = process.env;
let interval = 1;

// The same in all senders.
function mix(a, b) {
  let x = (Math.imul(a, 2654435761) ^ Math.imul(b, 2246822519)) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 2246822519) >>> 0;
  return (x ^ (x >>> 13)) >>> 0;
}

const attributes = (i) => ({
  "http.route": `/shop/${Math.floor(i / 6)}/items`,
  "http.request.method": ["GET", "POST", "PUT"][i % 3],
  "http.response.status_code": [200, 500][Math.floor(i / 3) % 2],
  "cache.hit": i % 2 === 0,
  region: ["eu-west", "us-east", "ap-south"][Math.floor(i / 6) % 3],
});

const plan = readFileSync(PLAN, "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => {
    const [scope, kind, name, unit, ...series] = line.split("\t");
    return { scope, kind, name, unit, series: series.map(Number) };
  });

const makers = {
  counter: "createCounter",
  double_counter: "createCounter",
  up_down_counter: "createUpDownCounter",
  gauge: "createGauge",
  histogram: "createHistogram",
  exponential: "createHistogram",
  observable_counter: "createObservableCounter",
  observable_up_down_counter: "createObservableUpDownCounter",
  observable_gauge: "createObservableGauge",
};
const integers = ["counter", "up_down_counter", "observable_up_down_counter"];

const count = ({ series }) => series[(interval >= 4) + (interval >= 7)];

function observe(entry, result) {
  for (let i = 0; i < count(entry); i += 1) {
    let value = mix(i, interval) % 1000;
    if (entry.kind === "observable_counter") value = (interval * 1000 + value) / 8;
    if (entry.kind === "observable_gauge") value /= 1000;
    result.observe(value, attributes(i));
  }
}

function record({ kind, instrument }, series) {
  for (const i of series) {
    if (![1, 4, 7].includes(interval) && mix(i, interval + 200) % 100 >= PART) continue;
    const value = mix(i, interval) % 1000;
    if (kind === "counter" || kind === "up_down_counter") instrument.add(value, attributes(i));
    else if (kind === "double_counter") instrument.add(value / 8, attributes(i));
    else if (kind === "gauge") instrument.record(value / 1000, attributes(i));
    else for (let j = 0; j < 3; j += 1) instrument.record((mix(i + j, interval) % 10000) / 8, attributes(i));
  }
}

const provider = new MeterProvider({
  resource: resourceFromAttributes({
    "service.name": OTEL_SERVICE_NAME,
    "service.namespace": "recordings",
    "service.instance.id": "1",
    "telemetry.sdk.language": "nodejs",
  }),
  views: plan
    .filter(({ kind }) => kind === "exponential")
    .map(({ name }) => ({ instrumentName: name, aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } })),
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: ENDPOINT, compression: CompressionAlgorithm.GZIP }),
      exportIntervalMillis: 3_600_000,
    }),
  ],
});
for (const entry of plan) {
  const { scope, kind, name, unit } = entry;
  const valueType = integers.includes(kind) ? ValueType.INT : ValueType.DOUBLE;
  entry.instrument = provider
    .getMeter(scope, "1.2.0")
    [makers[kind]](name, { unit, description: `What ${name} tells.`, valueType });
  if (kind.startsWith("observable")) entry.instrument.addCallback((result) => observe(entry, result));
}

for (interval = 1; interval <= 10; interval += 1) {
  for (const entry of plan.filter(({ kind }) => !kind.startsWith("observable"))) {
    const series = Array.from({ length: count(entry) }, (_, i) => i);
    record(entry, series.sort((a, b) => mix(a, interval + 100) - mix(b, interval + 100)));
  }
  await setTimeout(PAUSE * 1000);
  // The last export is that of the shutdown.
  if (interval < 10) await provider.forceFlush();
  else break;
}
await provider.shutdown();
