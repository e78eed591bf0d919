"""What the OpenTelemetry SDK of Python pushes is what a real Prometheus finds."""

from collections.abc import Sequence
from typing import Any

import pytest

import senders
from bridge import Bridge, wait_until
from prometheus_server import Prometheus

WEB = {
    "otel_scope_name": "shop.web",
    "otel_scope_version": "1.2.0",
    "otel_scope_schema_url": "https://example.org/schemas/1",
    "otel_scope_team": "blue",
}
BATCH = {"otel_scope_name": "shop.batch"}
LEDGER = {"otel_scope_name": "ledger"}
EVERY_ROW = pytest.mark.parametrize(("protocol", "compression"), senders.ROWS, ids=lambda word: word.replace("/", "-"))

# Name, labels beside job and instance, value.
CART = [
    ("orders_placed_total", {**WEB, "region": "eu", "paid": "true"}, 7),
    ("orders_placed_total", {**WEB, "region": "us", "paid": "false"}, 5),
    ("orders_placed_total", BATCH, 100),
    ("http_client_request_size_bytes_total", WEB, 1234),
    ("cpu_time_seconds_total", WEB, 1.5),
    ("queue_depth", {**BATCH, "queue": "mail"}, -2),
    ("room_temperature_celsius", {**BATCH, "room": 'the "small" one'}, 21.5),
    ("room_temperature_celsius", {**BATCH, "room": "cellar\nleft"}, -3),
    ("disk_utilization_ratio", BATCH, 0.75),
    ("page_faults_total", BATCH, 17),
    ("memory_usage_bytes", BATCH, 4096),
]
ROUTE = {**WEB, "http_route": "/cart/{id}"}
# Prometheus 3 writes the bounds of classic buckets in one form, whatever the exposition says.
CART_DURATIONS = [
    ("http_server_request_duration_seconds_bucket", {**ROUTE, "le": "0.01"}, 1),
    ("http_server_request_duration_seconds_bucket", {**ROUTE, "le": "0.1"}, 3),
    ("http_server_request_duration_seconds_bucket", {**ROUTE, "le": "1.0"}, 4),
    ("http_server_request_duration_seconds_bucket", {**ROUTE, "le": "+Inf"}, 5),
    ("http_server_request_duration_seconds_count", ROUTE, 5),
    ("http_server_request_duration_seconds_sum", ROUTE, 2.6175),
]
LEDGER_SAMPLES = [
    ("bookings_total", LEDGER, 42),
    ("queue_depth", LEDGER, 8),
    ("booking_size_bytes_count", LEDGER, 1),
    ("booking_size_bytes_sum", LEDGER, 60),
    ("booking_size_bytes_bucket", {**LEDGER, "le": "50.0"}, 0),
    ("booking_size_bytes_bucket", {**LEDGER, "le": "75.0"}, 1),
    ("booking_size_bytes_bucket", {**LEDGER, "le": "+Inf"}, 1),
]

TYPES = {
    "orders_placed_total": ("counter", "Orders that were placed."),
    "http_client_request_size_bytes_total": ("counter", "Bytes that were sent."),
    "cpu_time_seconds_total": ("counter", "Time on the processor."),
    "queue_depth": ("gauge", "Items that wait."),
    "room_temperature_celsius": ("gauge", "How warm it is, °C\nor cold."),
    "disk_utilization_ratio": ("gauge", "Part of the disk that is used."),
    "page_faults_total": ("counter", "Page faults."),
    "memory_usage_bytes": ("gauge", "Memory in use."),
    "http_server_request_duration_seconds": ("histogram", None),
    "bookings_total": ("counter", ""),
    "booking_size_bytes": ("histogram", "Bytes of a booking."),
    "target_info": ("gauge", "Target metadata"),
}


def identity(job: str, protocol: str, compression: str) -> dict[str, str]:
    return {"job": job, "instance": senders.instance(protocol, compression)}


def expect(
    prometheus: Prometheus, samples: Sequence[tuple[str, dict[str, str], float]], source: dict[str, str]
) -> None:
    """Exactly these samples are in Prometheus of this source, under each of their names."""
    matcher = ",".join(f'{name}="{value}"' for name, value in source.items())
    for name in dict.fromkeys(name for name, _, _ in samples):
        expected = [
            ({"__name__": name, **source, **labels}, pytest.approx(value))
            for sample, labels, value in samples
            if sample == name
        ]
        found = prometheus.wait_for(f"{name}{{{matcher}}}")
        if name.endswith("_bucket"):
            found = [item for item in found if any(item[0] == labels for labels, _ in expected)]
        assert in_order(found) == in_order(expected), prometheus.scrape_error()


def in_order(samples: list[tuple[dict[str, str], Any]]) -> list[tuple[dict[str, str], Any]]:
    return sorted(samples, key=lambda sample: sorted(sample[0].items()))


@EVERY_ROW
def test_prometheus_has_what_the_sdk_recorded(
    sdk_pushes: Bridge, prometheus: Prometheus, protocol: str, compression: str
) -> None:
    expect(prometheus, CART, identity("shop/cart", protocol, compression))


@EVERY_ROW
def test_prometheus_has_the_histogram_with_its_explicit_buckets(
    sdk_pushes: Bridge, prometheus: Prometheus, protocol: str, compression: str
) -> None:
    source = identity("shop/cart", protocol, compression)
    expect(prometheus, CART_DURATIONS, source)
    buckets = prometheus.query(
        f'http_server_request_duration_seconds_bucket{{job="{source["job"]}",instance="{source["instance"]}"}}'
    )
    assert {labels["le"] for labels, _ in buckets} == {"0.01", "0.1", "1.0", "+Inf"}


@EVERY_ROW
def test_prometheus_has_the_second_service_of_the_same_process(
    sdk_pushes: Bridge, prometheus: Prometheus, protocol: str, compression: str
) -> None:
    expect(prometheus, LEDGER_SAMPLES, identity("ledger", protocol, compression))


@EVERY_ROW
def test_target_info_describes_each_service(
    sdk_pushes: Bridge, prometheus: Prometheus, protocol: str, compression: str
) -> None:
    sdk = {"telemetry_sdk_language": "python", "telemetry_sdk_name": "opentelemetry"}
    rows = [("shop/cart", {"host_name": "h1"}), ("ledger", {"service_version": "2.0"})]
    for job, own in rows:
        source = identity(job, protocol, compression)
        ((labels, value),) = prometheus.wait_for(
            f'target_info{{job="{source["job"]}",instance="{source["instance"]}"}}'
        )
        assert value == 1
        assert labels.pop("telemetry_sdk_version")
        assert labels == {"__name__": "target_info", **source, **sdk, **own}


@pytest.mark.parametrize("family", TYPES)
def test_prometheus_knows_type_and_description(sdk_pushes: Bridge, prometheus: Prometheus, family: str) -> None:
    type_, help_ = TYPES[family]
    # Prometheus asks for OpenMetrics, which names a family without the suffix of its samples.
    family, type_ = ("target", "info") if family == "target_info" else (family.removesuffix("_total"), type_)
    wait_until(lambda: prometheus.api("targets/metadata", metric=family), what=f"metadata of {family}")
    assert prometheus.metric_type(family) == type_
    if help_ is not None:
        assert prometheus.help(family) == help_


def test_a_query_joins_a_metric_with_target_info(sdk_pushes: Bridge, prometheus: Prometheus) -> None:
    joined = (
        'sum by (host_name) (orders_placed_total{instance="grpc-gzip"}'
        " * on (job, instance) group_left (host_name) target_info)"
    )
    assert prometheus.wait_for(joined) == [({"host_name": "h1"}, 112)]


def test_own_series_get_the_identity_of_the_scrape(prometheus: Prometheus) -> None:
    ((labels, value),) = prometheus.wait_for("meterbridge_build_info")
    assert value == 1
    assert labels["job"] == "meterbridge"
    assert labels["instance"] == prometheus.target


def test_json_posted_with_curl_is_in_prometheus(curl_push: Bridge, prometheus: Prometheus) -> None:
    scope = {"otel_scope_name": "hand"}
    samples: list[tuple[str, dict[str, str], float]] = [
        ("letters_sent_total", {**scope, "urgent": "true"}, 9007199254740993),
        ("letters_weight_grams_bucket", {**scope, "le": "20.0"}, 1),
        ("letters_weight_grams_bucket", {**scope, "le": "50.0"}, 3),
        ("letters_weight_grams_bucket", {**scope, "le": "+Inf"}, 3),
        ("letters_weight_grams_sum", scope, 70.5),
        ("letters_weight_grams_count", scope, 3),
        ("desk_height_meters", scope, 0.72),
        ("reading_time_seconds", {**scope, "quantile": "0.5"}, 1.5),
        ("reading_time_seconds", {**scope, "quantile": "1.0"}, 3),
        ("reading_time_seconds_sum", scope, 4),
        ("reading_time_seconds_count", scope, 2),
    ]
    expect(prometheus, samples, {"job": "by-hand", "instance": "curl"})
    # Nothing was rounded before it came to Prometheus.
    assert "} 9007199254740993\n" in curl_push.scrape("/metrics/otlp")
    assert prometheus.metric_type("reading_time_seconds") == "summary"


def test_prometheus_has_no_complaint(sdk_pushes: Bridge, curl_push: Bridge, prometheus: Prometheus) -> None:
    prometheus.wait_for('letters_sent_total{job="by-hand"}')
    assert prometheus.scrape_error() == ""
    assert prometheus.query('up{job="meterbridge"}')[0][1] == 1
    assert not prometheus.complaints()
