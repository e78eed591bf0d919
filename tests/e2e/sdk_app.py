"""A small program that records metrics with the OpenTelemetry SDK, as any user would write it.

Its arguments are the transport and the instance id of its two services; the standard variables say the rest.
"""

import sys
from collections.abc import Iterable

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource


def main() -> None:
    protocol, instance = sys.argv[1:]
    exporter = GrpcExporter if protocol == "grpc" else HttpExporter
    cart = {"service.namespace": "shop", "service.name": "cart", "service.instance.id": instance, "host.name": "h1"}
    ledger = {"service.name": "ledger", "service.instance.id": instance, "service.version": "2.0"}
    for attributes, record in ((cart, record_cart), (ledger, record_ledger)):
        reader = PeriodicExportingMetricReader(exporter(), export_interval_millis=60_000)
        provider = MeterProvider(metric_readers=[reader], resource=Resource.create(attributes))
        record(provider)
        # Also a second export of the same values, as at every shutdown.
        assert provider.force_flush()
        provider.shutdown()


def record_cart(provider: MeterProvider) -> None:
    web = provider.get_meter("shop.web", "1.2.0", "https://example.org/schemas/1", {"team": "blue"})
    orders = web.create_counter("orders.placed", unit="{order}", description="Orders that were placed.")
    orders.add(3, {"region": "eu", "paid": True})
    orders.add(4, {"region": "eu", "paid": True})
    orders.add(5, {"region": "us", "paid": False})
    sent = web.create_counter("http.client.request.size", unit="By", description="Bytes that were sent.")
    sent.add(1234)
    busy = web.create_counter("cpu.time", unit="s", description="Time on the processor.")
    busy.add(0.25)
    busy.add(1.25)
    durations = web.create_histogram(
        "http.server.request.duration",
        unit="s",
        description="Time to answer.",
        explicit_bucket_boundaries_advisory=[0.01, 0.1, 1],
    )
    for seconds in (0.005, 0.05, 0.0625, 0.5, 2):
        durations.record(seconds, {"http.route": "/cart/{id}"})

    # The same metric from another scope of the same service: another series of the same family.
    batch = provider.get_meter("shop.batch")
    batch.create_counter("orders.placed", unit="{order}", description="Orders that were placed.").add(100)
    depth = batch.create_up_down_counter("queue.depth", unit="{item}", description="Items that wait.")
    depth.add(3, {"queue": "mail"})
    depth.add(-5, {"queue": "mail"})

    def temperature(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(21.5, {"room": 'the "small" one'})
        yield Observation(-3, {"room": "cellar\nleft"})

    batch.create_observable_gauge(
        "room.temperature", [temperature], unit="Cel", description="How warm it is, °C\nor cold."
    )
    batch.create_gauge("disk.utilization", unit="1", description="Part of the disk that is used.").set(0.75)
    batch.create_observable_counter(
        "page.faults", [lambda _: [Observation(17)]], unit="{fault}", description="Page faults."
    )
    batch.create_observable_up_down_counter(
        "memory.usage", [lambda _: [Observation(4096)]], unit="By", description="Memory in use."
    )


def record_ledger(provider: MeterProvider) -> None:
    meter = provider.get_meter("ledger")
    # No description: what the judges may complain of.
    meter.create_counter("bookings").add(42)
    # The same name as in the other service, and as far as a family goes, the same metric.
    meter.create_up_down_counter("queue.depth", unit="{item}", description="Items that wait.").add(8)
    # The default buckets of the SDK.
    meter.create_histogram("booking.size", unit="By", description="Bytes of a booking.").record(60)


if __name__ == "__main__":
    main()
