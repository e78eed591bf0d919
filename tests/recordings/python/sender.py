"""Records what ../plan.tsv says with the SDK of Python; ../README.md says how."""

import os
import time

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

interval = 1


def mix(a: int, b: int) -> int:
    """The same in all senders."""
    x = (a * 2654435761 ^ b * 2246822519) & 0xFFFFFFFF
    x = ((x ^ x >> 15) * 2246822519) & 0xFFFFFFFF
    return x ^ x >> 13


def attributes(i: int) -> dict:
    return {
        "http.route": f"/shop/{i // 6}/items",
        "http.request.method": ("GET", "POST", "PUT")[i % 3],
        "http.response.status_code": (200, 500)[i // 3 % 2],
        "cache.hit": i % 2 == 0,
        "region": ("eu-west", "us-east", "ap-south")[i // 6 % 3],
    }


class Instrument:
    def __init__(self, meter, kind: str, name: str, unit: str, *series: str) -> None:
        self.kind = kind
        self.series = [int(count) for count in series]
        make = {
            "counter": meter.create_counter,
            "double_counter": meter.create_counter,
            "up_down_counter": meter.create_up_down_counter,
            "gauge": meter.create_gauge,
            "histogram": meter.create_histogram,
            "exponential": meter.create_histogram,
            "observable_counter": meter.create_observable_counter,
            "observable_up_down_counter": meter.create_observable_up_down_counter,
            "observable_gauge": meter.create_observable_gauge,
        }[kind]
        description = f"What {name} tells."
        if kind.startswith("observable"):
            make(name, [self.observe], unit=unit, description=description)
        else:
            self.instrument = make(name, unit=unit, description=description)

    def count(self) -> int:
        return self.series[(interval >= 4) + (interval >= 7)]

    def observe(self, _options):
        for i in range(self.count()):
            value = mix(i, interval) % 1000
            if self.kind == "observable_counter":
                value = (interval * 1000 + value) / 8
            elif self.kind == "observable_gauge":
                value = value / 1000
            yield Observation(value, attributes(i))

    def record(self, part: int) -> None:
        for i in sorted(range(self.count()), key=lambda i: mix(i, interval + 100)):
            if interval not in (1, 4, 7) and mix(i, interval + 200) % 100 >= part:
                continue
            value = mix(i, interval) % 1000
            if self.kind in ("counter", "up_down_counter"):
                self.instrument.add(value, attributes(i))
            elif self.kind == "double_counter":
                self.instrument.add(value / 8, attributes(i))
            elif self.kind == "gauge":
                self.instrument.set(value / 1000, attributes(i))
            else:
                for j in range(3):
                    self.instrument.record(mix(i + j, interval) % 10000 / 8, attributes(i))


def main() -> None:
    global interval
    exporter = OTLPMetricExporter(endpoint=os.environ["ENDPOINT"], compression=Compression.Gzip)
    with open(os.environ["PLAN"], encoding="utf-8") as file:
        plan = [line.split() for line in file if not line.startswith("#")]
    provider = MeterProvider(
        metric_readers=[PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
        # Not create(), which asks the detectors.
        resource=Resource(
            {
                "service.name": os.environ["OTEL_SERVICE_NAME"],
                "service.namespace": "recordings",
                "service.instance.id": "1",
                "telemetry.sdk.language": "python",
            }
        ),
        views=[
            View(instrument_name=name, aggregation=ExponentialBucketHistogramAggregation())
            for _, kind, name, *_ in plan
            if kind == "exponential"
        ],
        shutdown_on_exit=False,
    )
    instruments = [Instrument(provider.get_meter(scope, "1.2.0"), *rest) for scope, *rest in plan]
    for interval in range(1, 11):
        for instrument in instruments:
            if not instrument.kind.startswith("observable"):
                instrument.record(int(os.environ["PART"]))
        time.sleep(float(os.environ["PAUSE"]))
        # The last export is that of the shutdown.
        if interval < 10:
            assert provider.force_flush()
    provider.shutdown()


if __name__ == "__main__":
    main()
