"""Records metrics with the SDK of Python, a round for each line on standard input, as the end-to-end tests steer it
(sdk_senders.py). The standard OTEL_* variables say where to, as what, and in which temporality."""

import os
import sys

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider


class Instruments:
    def __init__(self, meter: Meter) -> None:
        self.done = meter.create_counter("jobs.done", unit="{job}", description="Jobs done.")
        self.open = meter.create_up_down_counter("jobs.open", unit="{job}", description="Jobs open.")
        self.level = meter.create_gauge("pool.level", unit="1", description="How full it is.")
        self.duration = meter.create_histogram(
            "job.duration", unit="s", description="Time of a job.", explicit_bucket_boundaries_advisory=[0.1, 1]
        )
        self.size = meter.create_histogram("payload.size", unit="By", description="Bytes of a payload.")

    def record(self) -> None:
        """The same in every round and every language."""
        queue = {"queue.name": "mail"}
        self.done.add(2, queue)
        self.open.add(3, queue)
        self.open.add(-1, queue)
        self.level.set(0.5)
        for seconds in (0.05, 0.5, 5):
            self.duration.record(seconds, queue)
        for size in (0, 1, 3, 1000):
            self.size.record(size, queue)


def main() -> None:
    exporter = GrpcExporter if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc" else HttpExporter
    reader = PeriodicExportingMetricReader(exporter(), export_interval_millis=3_600_000)
    view = View(instrument_name="payload.size", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider(metric_readers=[reader], views=[view], shutdown_on_exit=False)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("sender")
    instruments = Instruments(provider.get_meter("sender"))
    for line in sys.stdin:
        with tracer.start_as_current_span("round") as span:
            instruments.record()
        # A round that is not flushed is lost when the process is killed.
        if line.strip() == "flush":
            assert provider.force_flush()
        print(f"{span.get_span_context().trace_id:032x}", flush=True)
    # Not shut down: that would be one more export.
    os._exit(0)


if __name__ == "__main__":
    main()
