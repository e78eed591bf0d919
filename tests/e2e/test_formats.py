"""A real Prometheus scrapes each format, of bridges with names of each kind, and has the same in its API."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

import everything
import otlp
from bridge import Bridge, wait_until
from formats import FORMATS, SCRAPED, Judged, families, fetch
from prometheus_server import FEATURES, Prometheus, Scrape

UTF8 = ["--translation-strategy", "NoTranslation", "--protobuf-escaping", "allow-utf-8"]
BRIDGES = {"plain": [], "utf8": UTF8, "created": ["--created-lines"]}
IDENTITY = {"job": "svc", "instance": "i1", "otel_scope_name": "lib"}

EVERY_FORMAT = pytest.mark.parametrize("name", list(FORMATS))
EVERY_SCRAPED = pytest.mark.parametrize("name", list(SCRAPED))


@dataclass
class Scene:
    bridges: dict[str, Bridge]
    prometheus: Prometheus

    def value(self, metric: str, job: str, /, **labels: str) -> float:
        """The value of the one series of a name that a job has scraped."""
        marks = [f'scraped_by="{job}"', *(f'{key}="{value}"' for key, value in labels.items())]
        found = self.prometheus.query(f'{{"{metric}",{",".join(marks)}}}')
        assert len(found) == 1, found
        return found[0][1]

    def exemplars(self, selector: str, job: str) -> list[tuple[dict[str, str], float]]:
        found = self.prometheus.exemplars(f'{{{selector},scraped_by="{job}"}}')
        return sorted(
            ((exemplar["labels"], float(exemplar["value"])) for _, exemplar in found), key=lambda item: item[1]
        )


@pytest.fixture(scope="module")
def filled() -> Iterator[dict[str, Bridge]]:
    """The bridges, each with one of everything."""
    started: dict[str, Bridge] = {}
    try:
        for name, options in BRIDGES.items():
            started[name] = Bridge(*options)
            otlp.push_accepted(started[name].otlp_url, everything.request())
        yield started
    finally:
        for bridge in started.values():
            bridge.kill()


@pytest.fixture(scope="module")
def scene(filled: dict[str, Bridge], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scrapes = [
        Scrape(bridge.addresses["http"], f"{kind}-{name}", protocol, "/metrics/otlp")
        for kind, bridge in filled.items()
        for name, protocol in SCRAPED.items()
    ]
    server = Prometheus(*scrapes, folder=tmp_path_factory.mktemp("formats"), features=FEATURES)
    try:

        def scraped() -> bool:
            # Twice, so that what a second scrape could spoil has had its chance.
            ups = server.query("sum_over_time(up[5m])")
            return len(ups) == len(scrapes) and all(count >= 2 for _, count in ups)

        try:
            wait_until(scraped, seconds=40, what="all have been scraped")
        except AssertionError as error:
            raise AssertionError({job: target["lastError"] for job, target in server.targets().items()}) from error
        yield Scene(filled, server)
    finally:
        server.stop()


def escaped(kind: str, name: str) -> bool:
    """Whether the names of a bridge come without UTF-8: its strategy or the format has none."""
    return kind != "utf8" or name == "text"


# --- negotiation ----------------------------------------------------------------------------------------------------


@EVERY_FORMAT
def test_f_02_f_03_f_04_o_01_each_format_is_served_to_who_asks_for_it(filled: dict[str, Bridge], name: str) -> None:
    answer = filled["plain"].get("/metrics", headers={"accept": FORMATS[name].accept})
    assert answer.headers["content-type"] == FORMATS[name].content_type
    assert set(answer.headers["vary"].lower().replace(" ", "").split(",")) == {"accept", "accept-encoding"}
    head = requests.head(filled["plain"].url("/metrics"), headers={"accept": FORMATS[name].accept}, timeout=10)
    assert head.headers["content-type"] == FORMATS[name].content_type
    assert not head.content


@EVERY_FORMAT
def test_f_11_a_compressed_scrape_says_the_same(filled: dict[str, Bridge], name: str) -> None:
    accept = {"accept": FORMATS[name].accept}
    plain = filled["plain"].get("/metrics/otlp", headers=accept | {"accept-encoding": "identity"})
    packed = filled["plain"].get("/metrics/otlp", headers=accept | {"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png", "q=,;;"])
def test_f_01_o_02_everybody_else_gets_text(filled: dict[str, Bridge], accept: str) -> None:
    answer = filled["plain"].get("/metrics", headers={"accept": accept or None})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS["text"].content_type


# --- other parsers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/metrics", "/metrics/self", "/metrics/otlp"])
@pytest.mark.parametrize("kind", list(BRIDGES))
@EVERY_FORMAT
def test_f_12_o_20_prometheus_newest_parser_reads(filled: dict[str, Bridge], kind: str, name: str, path: str) -> None:
    body, content_type = fetch(filled[kind], name, path)
    judged = Judged(body, content_type)
    assert len(judged.values()) > 10
    Judged(body, content_type, "-ignore-native")
    if escaped(kind, name):
        Judged(body, content_type, "-legacy-names")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/self", "/metrics/otlp"])
@pytest.mark.parametrize("kind", list(BRIDGES))
@pytest.mark.parametrize("name", ["text", "text1", "openmetrics"])
def test_f_12_the_reference_parsers_read(filled: dict[str, Bridge], kind: str, name: str, path: str) -> None:
    body, _ = fetch(filled[kind], name, path)
    read = families(body, name)
    assert sum(len(family.samples) for family in read) > 10


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_h_08_every_format_says_the_same(filled: dict[str, Bridge], name: str) -> None:
    expected = Judged(*fetch(filled["plain"], "text", "/metrics/otlp")).values()
    if name == "openmetrics":
        # It has neither sum nor count beside buckets below zero.
        unwanted = {("__name__", "payload_size_bytes_sum"), ("__name__", "payload_size_bytes_count")}
        expected = {labels: value for labels, value in expected.items() if not labels & unwanted}
    assert Judged(*fetch(filled["plain"], name, "/metrics/otlp")).values() == expected


def test_e_01_o_11_both_formats_with_native_histograms_have_the_same(filled: dict[str, Bridge]) -> None:
    protobuf, coming = (Judged(*fetch(filled["plain"], name, "/metrics/otlp")) for name in ("protobuf", "openmetrics2"))
    ((labels, histogram),) = protobuf.histograms().items()
    assert ("__name__", "payload_size_bytes") in labels
    assert histogram == {
        **{"float": False, "schema": 0, "zero_threshold": "1e-128", "zero_count": "1", "count": "5", "sum": "12.5"},
        **{"positive": {"3": "2", "4": "1"}, "negative": {"1": "1"}},
    }
    assert coming.histograms() == protobuf.histograms()
    for name in ("text", "text1", "openmetrics"):
        assert not Judged(*fetch(filled["plain"], name, "/metrics/otlp")).histograms()


@pytest.mark.parametrize("name", ["protobuf", "openmetrics2"])
def test_t_01_o_06_start_times_are_told(filled: dict[str, Bridge], name: str) -> None:
    starts = Judged(*fetch(filled["plain"], name, "/metrics/otlp")).starts()
    start = otlp.at(0) // 1_000_000
    for metric in (
        "http_client_request_size_bytes_total",
        "request_duration_seconds_count",
        "reading_time_seconds_sum",
    ):
        assert starts[metric] == start, metric
    assert starts["payload_size_bytes"] == start
    assert not {"room_temperature_celsius", "level", "odd", "build_info", "target_info"} & set(starts)


def test_t_02_created_lines_are_told_to_who_wants_them(filled: dict[str, Bridge]) -> None:
    assert not Judged(*fetch(filled["plain"], "openmetrics", "/metrics/otlp")).starts()
    starts = Judged(*fetch(filled["created"], "openmetrics", "/metrics/otlp")).starts()
    assert starts["http_client_request_size_bytes_total"] == otlp.at(0) // 1_000_000
    for name in ("text", "text1", "openmetrics2", "protobuf"):
        body, _ = fetch(filled["created"], name, "/metrics/otlp")
        assert b"_created" not in body


# --- Prometheus -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(BRIDGES))
@EVERY_SCRAPED
def test_f_12_no_scrape_fails(scene: Scene, kind: str, name: str) -> None:
    target = scene.prometheus.targets()[f"{kind}-{name}"]
    assert (target["health"], target["lastError"]) == ("up", "")
    assert not scene.prometheus.complaints()


@EVERY_SCRAPED
def test_n_01_h_01_q_01_prometheus_has_the_values(scene: Scene, name: str) -> None:
    job = f"plain-{name}"
    assert scene.value("http_client_request_size_bytes_total", job, http_method="GET", **IDENTITY) == 7
    assert scene.value("room_temperature_celsius", job, room='the \\"small\\"\\none', **IDENTITY) == -3.5
    assert scene.value("level", job, **IDENTITY) == -math.inf
    for bound, count in (("1.0", 2), ("10.0", 3), ("+Inf", 4)):
        assert scene.value("request_duration_seconds_bucket", job, le=bound) == count
    assert scene.value("request_duration_seconds_sum", job) == 110.2
    assert scene.value("request_duration_seconds_count", job) == 4
    assert scene.value("reading_time_seconds", job, quantile="0.5") == 1.5
    assert scene.value("reading_time_seconds", job, quantile="1.0") == 3
    assert scene.value("reading_time_seconds_sum", job) == 4
    assert scene.value("build_info", job, rev="abc") == 1
    assert scene.value("odd", job) == 1
    assert scene.value("target_info", job, host_name="h", job="svc") == 1


@EVERY_SCRAPED
def test_v_01_f_06_prometheus_has_the_names_as_they_were_sent(scene: Scene, name: str) -> None:
    job = f"utf8-{name}"
    counter, attribute = "http.client.request.size", "http.method"
    if escaped("utf8", name):
        counter, attribute = (text.replace(".", "_") for text in (counter, attribute))
    ((labels, value),) = scene.prometheus.query(f'{{"{counter}",scraped_by="{job}"}}')
    assert (labels[attribute], value) == ("GET", 7)
    duration = "request_duration" if escaped("utf8", name) else "request.duration"
    assert scene.value(f"{duration}_bucket", job, le="10.0") == 3
    assert scene.value(f"{duration}_count", job) == 4


@pytest.mark.parametrize("kind", ["plain", "utf8"])
def test_e_01_prometheus_has_native_histograms(scene: Scene, kind: str) -> None:
    metric = {"plain": "payload_size_bytes", "utf8": "payload.size"}[kind]
    ((labels, histogram),) = scene.prometheus.histograms(f'{{"{metric}",scraped_by="{kind}-protobuf"}}')
    assert labels["job"] == "svc"
    assert (float(histogram["count"]), float(histogram["sum"])) == (5, 12.5)
    buckets = {(float(low), float(high)): float(count) for _, low, high, count in histogram["buckets"]}
    assert buckets == {(-2, -1): 1, (-1e-128, 1e-128): 1, (4, 8): 2, (8, 16): 1}
    ((_, quantile),) = scene.prometheus.query(f'histogram_quantile(1, {{"{metric}",scraped_by="{kind}-protobuf"}})')
    assert quantile == 16


@pytest.mark.parametrize("name", ["text", "text1", "openmetrics"])
def test_e_08_prometheus_has_classic_buckets_where_there_are_no_native_ones(scene: Scene, name: str) -> None:
    job = f"plain-{name}"
    found = scene.prometheus.query(f'payload_size_bytes_bucket{{scraped_by="{job}"}}')
    buckets = {float(labels["le"]): count for labels, count in found}
    assert buckets == {-2: 0, -1: 1, 0: 2, 4: 2, 8: 4, 16: 5, math.inf: 5}
    for suffix, value in (("sum", 12.5), ("count", 5)):
        found = scene.prometheus.query(f'payload_size_bytes_{suffix}{{scraped_by="{job}"}}')
        # H-08: not beside buckets below zero.
        assert [got for _, got in found] == ([] if name == "openmetrics" else [value])


TRACED = {"trace_id": everything.TRACE, "span_id": everything.SPAN}


@pytest.mark.parametrize("name", ["openmetrics", "protobuf"])
def test_x_01_x_02_x_04_prometheus_has_exemplars(scene: Scene, name: str) -> None:
    job = f"plain-{name}"
    assert scene.exemplars('"http_client_request_size_bytes_total"', job) == [(TRACED, 1)]
    # In OpenMetrics its name is in UTF-8; what Prometheus asks for in protobuf is without.
    user = {"user.id": "7"} if name == "openmetrics" else {"user_id": "7"}
    buckets = scene.exemplars('"request_duration_seconds_bucket"', job)
    assert buckets == [(TRACED, 0.7), (user, 10), ({}, 99)]


def test_x_06_prometheus_has_the_exemplars_of_native_histograms(scene: Scene) -> None:
    assert scene.exemplars('"payload_size_bytes"', "plain-protobuf") == [(TRACED, 5), ({}, 12)]
    assert scene.exemplars('"payload_size_bytes_bucket"', "plain-openmetrics") == [(TRACED, 5), ({}, 12)]


@pytest.mark.parametrize("name", ["text", "text1"])
def test_x_05_there_are_none_in_text(scene: Scene, name: str) -> None:
    assert not scene.prometheus.exemplars(f'{{scraped_by="plain-{name}"}}')


@pytest.mark.parametrize("job", ["plain-protobuf", "created-openmetrics", "utf8-protobuf"])
def test_t_01_t_02_prometheus_has_a_zero_at_the_start(scene: Scene, job: str) -> None:
    name = {"utf8-protobuf": "http.client.request.size"}.get(job, "http_client_request_size_bytes_total")
    ((_, values),) = scene.prometheus.stored(f'{{"{name}",scraped_by="{job}"}}', "1h")
    assert values[0] == 0 and set(values[1:]) == {7}, values


def test_t_02_without_being_told_there_is_no_zero_and_never_a_series_of_start_times(scene: Scene) -> None:
    for job in ("plain-text", "plain-text1", "plain-openmetrics"):
        ((_, values),) = scene.prometheus.stored(f'{{"http_client_request_size_bytes_total",scraped_by="{job}"}}', "1h")
        assert set(values) == {7}
    assert not scene.prometheus.query('{__name__=~".*_created"}')


TYPES = {
    "http_client_request_size_bytes_total": "counter",
    "request_duration_seconds": "histogram",
    "payload_size_bytes": "histogram",
    "reading_time_seconds": "summary",
    "room_temperature_celsius": "gauge",
    "build_info": "gauge",
    "odd": "unknown",
    "target_info": "gauge",
}
IN_OPENMETRICS = {"build_info": ("build", "info"), "target_info": ("target", "info")}
UNITS = {"request_duration_seconds": "seconds", "http_client_request_size_bytes": "bytes", "odd": "", "target": ""}


@EVERY_SCRAPED
def test_f_08_f_09_k_01_prometheus_has_the_metadata(scene: Scene, name: str) -> None:
    known = scene.prometheus.metadata(f"plain-{name}")
    for family, type_ in TYPES.items():
        if name == "openmetrics":
            family, type_ = IN_OPENMETRICS.get(family, (family.removesuffix("_total"), type_))
        assert known[family]["type"] == type_, family
    counter = "http_client_request_size_bytes" + ("" if name == "openmetrics" else "_total")
    assert known[counter]["help"] == 'Bytes that were "sent".'


def test_f_07_prometheus_has_the_units(scene: Scene) -> None:
    known = scene.prometheus.metadata("plain-openmetrics")
    assert {family: known[family]["unit"] for family in UNITS} == UNITS


@EVERY_SCRAPED
def test_v_02_a_counter_without_suffix_is_unknown_in_openmetrics_alone(scene: Scene, name: str) -> None:
    known = scene.prometheus.metadata(f"utf8-{name}")
    counter = "http_client_request_size" if escaped("utf8", name) else "http.client.request.size"
    assert known[counter]["type"] == ("unknown" if name == "openmetrics" else "counter")


def test_o_04_o_08_o_15_the_coming_format_has_the_metadata(filled: dict[str, Bridge]) -> None:
    judged = Judged(*fetch(filled["plain"], "openmetrics2", "/metrics/otlp"))
    expected = TYPES | {"build_info": "info", "target_info": "info", "level": "gauge"}
    assert judged.told("type") == expected
    assert judged.told("help")["http_client_request_size_bytes_total"] == 'Bytes that were "sent".'
    assert judged.told("unit") == {
        "http_client_request_size_bytes_total": "bytes",
        "payload_size_bytes": "bytes",
        "reading_time_seconds": "seconds",
        "request_duration_seconds": "seconds",
        "room_temperature_celsius": "celsius",
    }


def test_o_05_the_coming_format_has_names_as_they_were_sent(filled: dict[str, Bridge]) -> None:
    judged = Judged(*fetch(filled["utf8"], "openmetrics2", "/metrics/otlp"))
    assert judged.told("type")["http.client.request.size"] == "counter"
    assert judged.told("unit")["request.duration"] == "seconds"
    names = {dict(labels)["__name__"] for labels in judged.values()}
    assert {"http.client.request.size", "request.duration_bucket", "reading.time_sum"} <= names


def test_o_16_the_coming_format_has_exemplars_on_both_halves(filled: dict[str, Bridge]) -> None:
    judged = Judged(*fetch(filled["plain"], "openmetrics2", "/metrics/otlp"))
    by_name: dict[str, set[float]] = {}
    for labels, exemplars in judged.exemplars().items():
        values = {float(exemplar["value"]) for exemplar in exemplars}
        by_name.setdefault(dict(labels)["__name__"], set()).update(values)
    assert by_name == {
        "http_client_request_size_bytes_total": {1},
        "request_duration_seconds_bucket": {0.7, 10, 99},
        "payload_size_bytes": {5, 12},
        "payload_size_bytes_bucket": {5, 12},
    }
