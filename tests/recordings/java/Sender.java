import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.metrics.export.AggregationTemporalitySelector;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;

/** Records what ../plan.tsv says with the SDK of Java; ../README.md says how. */
final class Sender {
  private static volatile int interval = 1;

  /** The same in all senders. */
  private static long mix(int a, int b) {
    int x = a * (int) 2654435761L ^ b * (int) 2246822519L;
    x = (x ^ x >>> 15) * (int) 2246822519L;
    return Integer.toUnsignedLong(x ^ x >>> 13);
  }

  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<Boolean> HIT = AttributeKey.booleanKey("cache.hit");
  private static final AttributeKey<String> REGION = AttributeKey.stringKey("region");

  private static Attributes attributes(int i) {
    return Attributes.builder()
        .put(ROUTE, "/shop/" + i / 6 + "/items")
        .put(METHOD, new String[] {"GET", "POST", "PUT"}[i % 3])
        .put(STATUS, new long[] {200, 500}[i / 3 % 2])
        .put(HIT, i % 2 == 0)
        .put(REGION, new String[] {"eu-west", "us-east", "ap-south"}[i / 6 % 3])
        .build();
  }

  private record Entry(String scope, String kind, String name, String unit, int[] series) {
    static Entry of(String line) {
      String[] fields = line.split("\t");
      int[] series = IntStream.range(4, 7).map(at -> Integer.parseInt(fields[at])).toArray();
      return new Entry(fields[0], fields[1], fields[2], fields[3], series);
    }

    int count() {
      return series[(interval >= 4 ? 1 : 0) + (interval >= 7 ? 1 : 0)];
    }

    /** What records one value of one series; null where the SDK asks for it. */
    ObjIntConsumer<Long> make(SdkMeterProvider provider) {
      Meter meter = provider.meterBuilder(scope).setInstrumentationVersion("1.2.0").build();
      String description = "What " + name + " tells.";
      switch (kind) {
        case "counter" -> {
          var counter = meter.counterBuilder(name).setUnit(unit).setDescription(description).build();
          return (value, i) -> counter.add(value, attributes(i));
        }
        case "double_counter" -> {
          var counter = meter.counterBuilder(name).setUnit(unit).setDescription(description).ofDoubles().build();
          return (value, i) -> counter.add(value / 8.0, attributes(i));
        }
        case "up_down_counter" -> {
          var counter = meter.upDownCounterBuilder(name).setUnit(unit).setDescription(description).build();
          return (value, i) -> counter.add(value, attributes(i));
        }
        case "gauge" -> {
          var gauge = meter.gaugeBuilder(name).setUnit(unit).setDescription(description).build();
          return (value, i) -> gauge.set(value / 1000.0, attributes(i));
        }
        case "histogram", "exponential" -> {
          var histogram = meter.histogramBuilder(name).setUnit(unit).setDescription(description).build();
          return (value, i) -> {
            for (int j = 0; j < 3; j++) {
              histogram.record(mix(i + j, interval) % 10000 / 8.0, attributes(i));
            }
          };
        }
        case "observable_counter" ->
            meter.counterBuilder(name).setUnit(unit).setDescription(description).ofDoubles().buildWithCallback(
                measurement -> {
                  for (int i = 0; i < count(); i++) {
                    measurement.record((interval * 1000 + mix(i, interval) % 1000) / 8.0, attributes(i));
                  }
                });
        case "observable_gauge" ->
            meter.gaugeBuilder(name).setUnit(unit).setDescription(description).buildWithCallback(
                measurement -> {
                  for (int i = 0; i < count(); i++) {
                    measurement.record(mix(i, interval) % 1000 / 1000.0, attributes(i));
                  }
                });
        case "observable_up_down_counter" ->
            meter.upDownCounterBuilder(name).setUnit(unit).setDescription(description).buildWithCallback(
                measurement -> {
                  for (int i = 0; i < count(); i++) {
                    measurement.record(mix(i, interval) % 1000, attributes(i));
                  }
                });
        default -> throw new IllegalArgumentException(kind);
      }
      return null;
    }
  }

  private static void record(Entry entry, ObjIntConsumer<Long> recorder, int part) {
    IntStream.range(0, entry.count())
        .boxed()
        .sorted(Comparator.comparing(i -> mix(i, interval + 100)))
        .filter(i -> interval == 1 || interval == 4 || interval == 7 || mix(i, interval + 200) % 100 < part)
        .forEach(i -> recorder.accept(mix(i, interval) % 1000, i));
  }

  public static void main(String[] arguments) throws Exception {
    boolean isDelta = "delta".equals(System.getenv("TEMPORALITY"));
    var exporter =
        OtlpHttpMetricExporter.builder()
            .setEndpoint(System.getenv("ENDPOINT"))
            .setCompression("gzip")
            .setAggregationTemporalitySelector(
                isDelta
                    ? AggregationTemporalitySelector.deltaPreferred()
                    : AggregationTemporalitySelector.alwaysCumulative())
            .build();
    var builder =
        SdkMeterProvider.builder()
            .registerMetricReader(PeriodicMetricReader.builder(exporter).setInterval(Duration.ofHours(1)).build())
            .setResource(
                Resource.create(
                    Attributes.builder()
                        .put("service.name", System.getenv("OTEL_SERVICE_NAME"))
                        .put("service.namespace", "recordings")
                        .put("service.instance.id", "1")
                        .put("telemetry.sdk.language", "java")
                        .build()));
    List<Entry> plan;
    try (var lines = Files.lines(Path.of(System.getenv("PLAN")))) {
      plan = lines.filter(line -> !line.startsWith("#")).map(Entry::of).toList();
    }
    for (Entry entry : plan) {
      if (entry.kind.equals("exponential")) {
        builder.registerView(
            InstrumentSelector.builder().setName(entry.name).build(),
            View.builder().setAggregation(Aggregation.base2ExponentialBucketHistogram()).build());
      }
    }
    SdkMeterProvider provider = builder.build();
    List<ObjIntConsumer<Long>> recorders = new ArrayList<>();
    plan.forEach(entry -> recorders.add(entry.make(provider)));
    int part = Integer.parseInt(System.getenv("PART"));
    long pause = (long) (Double.parseDouble(System.getenv("PAUSE")) * 1000);
    for (interval = 1; ; interval++) {
      for (int at = 0; at < plan.size(); at++) {
        if (recorders.get(at) != null) {
          record(plan.get(at), recorders.get(at), part);
        }
      }
      Thread.sleep(pause);
      // The last export is that of the shutdown.
      if (interval == 10) {
        break;
      }
      provider.forceFlush().join(10, TimeUnit.SECONDS);
    }
    provider.shutdown().join(10, TimeUnit.SECONDS);
    // Without it the client's threads keep the process for a minute.
    System.exit(0);
  }
}
