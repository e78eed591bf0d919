"""What tools of others say of an exposition, once the SDKs and curl have pushed."""

import re

import pytest
import requests

import programs
from bridge import Bridge
from exposition import Exposition

# What these senders chose: a metric without a description. The bridge's own metrics give no reason for any complaint.
COMPLAINTS = {"bookings_total no help text"}

pytestmark = pytest.mark.usefixtures("sdk_pushes", "curl_push")


def test_promtool_complains_only_of_what_a_sender_chose(shared_bridge: Bridge) -> None:
    promtool = programs.need("promtool")
    done = programs.run([promtool, "check", "metrics"], stdin=shared_bridge.scrape().encode())
    complaints = set(done.stderr.decode().splitlines())
    assert complaints == COMPLAINTS
    assert done.returncode == 3
    assert not done.stdout


def test_promtool_has_no_complaint_of_the_own_metrics(shared_bridge: Bridge) -> None:
    promtool = programs.need("promtool")
    done = programs.run([promtool, "check", "metrics"], stdin=shared_bridge.scrape("/metrics/self").encode())
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/self", "/metrics/otlp"])
def test_the_reference_parser_reads(shared_bridge: Bridge, path: str) -> None:
    exposition = Exposition(shared_bridge.scrape(path))
    assert exposition.samples
    names = {name for name, _ in exposition.samples}
    assert ("meterbridge_series" in names) == (path != "/metrics/otlp")
    assert ("orders_placed_total" in names) == (path != "/metrics/self")


def test_the_whole_is_its_two_halves(shared_bridge: Bridge) -> None:
    whole = Exposition(shared_bridge.scrape("/metrics"))
    own = Exposition(shared_bridge.scrape("/metrics/self"))
    bridged = Exposition(shared_bridge.scrape("/metrics/otlp"))
    for key, value in bridged.samples.items():
        assert whole.samples[key] == value
    bridged_keys = set(bridged.samples)
    own_keys = set(own.samples)
    assert not bridged_keys & own_keys
    # Scraping changes what the bridge knows of itself, so that only that may be new.
    assert set(whole.samples) - bridged_keys <= own_keys
    assert {name for name, _ in whole.samples} == {name for name, _ in bridged_keys | own_keys}


def test_a_name_that_both_halves_use_is_one_block_with_the_own_head(shared_bridge: Bridge) -> None:
    family = "http_server_request_duration_seconds"
    whole = Exposition(shared_bridge.scrape("/metrics"))
    own = Exposition(shared_bridge.scrape("/metrics/self"))
    bridged = Exposition(shared_bridge.scrape("/metrics/otlp"))
    assert own.helps[family] and own.helps[family] != bridged.helps[family]
    assert whole.helps[family] == own.helps[family]
    jobs = {dict(labels).get("job") for labels in whole.named(f"{family}_count")}
    assert {None, "shop/cart"} <= jobs


def test_own_series_carry_neither_job_nor_instance(shared_bridge: Bridge) -> None:
    own = Exposition(shared_bridge.scrape("/metrics/self"))
    for _, labels in own.samples:
        assert not {"job", "instance"} & dict(labels).keys()


def test_every_own_metric_has_a_description(shared_bridge: Bridge) -> None:
    own = Exposition(shared_bridge.scrape("/metrics/self"))
    assert [family for family in own.types if not own.helps.get(family)] == []


def test_one_source_alone_is_all_that_it_sent_and_nothing_else(shared_bridge: Bridge) -> None:
    everything = Exposition(shared_bridge.scrape("/metrics/otlp"))
    alone = Exposition(shared_bridge.scrape("/metrics/otlp?job=shop/cart&instance=grpc-gzip"))
    identity = {("job", "shop/cart"), ("instance", "grpc-gzip")}
    expected = {key: value for key, value in everything.samples.items() if identity <= set(key[1])}
    assert alone.samples == expected
    assert len(expected) > 15
    nobody = shared_bridge.get("/metrics/otlp?job=nobody&instance=none")
    assert nobody.status_code == 404
    assert nobody.headers["content-type"] == "application/problem+json"


def test_a_compressed_scrape_and_a_plain_one_say_the_same(shared_bridge: Bridge) -> None:
    plain = shared_bridge.get("/metrics/otlp", headers={"accept-encoding": "identity"})
    packed = shared_bridge.get("/metrics/otlp", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


def test_head_is_answered_without_a_body(shared_bridge: Bridge) -> None:
    for path in ("/metrics", "/metrics/self", "/metrics/otlp"):
        answer = requests.head(shared_bridge.url(path), timeout=10)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert not answer.content


def test_bridged_lines_are_written_as_the_contract_says(shared_bridge: Bridge) -> None:
    text = shared_bridge.scrape("/metrics/otlp")
    labels = 'instance="curl",job="by-hand",otel_scope_name="hand"'
    for line in (
        f'letters_weight_grams_bucket{{{labels},le="20"}} 1',
        f'letters_weight_grams_bucket{{{labels},le="50"}} 3',
        f'letters_weight_grams_bucket{{{labels},le="+Inf"}} 3',
        f"letters_weight_grams_sum{{{labels}}} 70.5",
        f"letters_weight_grams_count{{{labels}}} 3",
        f'reading_time_seconds{{{labels},quantile="0.5"}} 1.5',
        f'reading_time_seconds{{{labels},quantile="1"}} 3',
        f"desk_height_meters{{{labels}}} 0.72",
        "# HELP room_temperature_celsius How warm it is, °C\\nor cold.",
        "# HELP target_info Target metadata",
    ):
        assert text.count(f"{line}\n") == 1, line
    assert re.search(r'room="the \\"small\\" one"\} 21\.5\n', text)
    assert re.search(r'room="cellar\\nleft"\} -3\n', text)


def test_the_api_knows_who_sent_what(shared_bridge: Bridge) -> None:
    sources = shared_bridge.get("/api/v1/sources").json()["items"]
    by_identity = {(source.get("job"), source["instance"]): source for source in sources}
    cart = by_identity["shop/cart", "http-gzip"]
    assert cart["sdk_language"] == "python"
    assert cart["sdk_version"]
    assert cart["series"] == 12
    assert ("by-hand", "curl") in by_identity
    families = shared_bridge.get("/api/v1/families?name=queue_depth").json()["items"]
    assert [(family["name"], family["type"], family["series"]) for family in families] == [("queue_depth", "gauge", 8)]
    status = shared_bridge.get("/api/v1/status").json()
    bound = {listener["name"]: listener["address"] for listener in status["listeners"]}
    assert bound == shared_bridge.addresses


def test_the_requests_of_the_senders_were_counted(shared_bridge: Bridge) -> None:
    own = Exposition(shared_bridge.scrape("/metrics/self"))
    for transport, encoding, least in (("grpc", "protobuf", 8), ("http", "protobuf", 8), ("http", "json", 1)):
        value = own.value("meterbridge_requests_total", transport=transport, encoding=encoding, outcome="accepted")
        assert value is not None and value >= least, (transport, encoding, value)
    kinds = own.by_label("meterbridge_points_accepted_total", "kind")
    assert sum(kinds.values()) > 100
    routes = {dict(labels).get("http_route") for labels in own.named("http_server_request_duration_seconds_count")}
    assert {"/metrics", "/metrics/otlp", "/v1/metrics", "/api/v1/status", "/-/ready"} <= routes
