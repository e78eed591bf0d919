"""SDKs of three languages, cumulative and delta, killed and restarted in the middle, and what Prometheus has of it."""

from collections.abc import Iterator
from itertools import groupby

import pytest

import formats
import programs
from bridge import Bridge, wait_until
from prometheus_server import FEATURES, Prometheus, Scrape
from sdk_senders import EVERY_LANGUAGE, EVERY_TEMPORALITY, LANGUAGES, PROTOCOLS, WITH_EXEMPLARS, Sender

# Rounds of the first process and of the second. What the first records last is lost with it.
FIRST, SECOND = 2, 3
JOBS = {"text": "PrometheusText0.0.4", "openmetrics": "OpenMetricsText1.0.0", "protobuf": "PrometheusProto"}


class Stage:
    """A bridge, a Prometheus that scrapes it in three formats, and the senders that have played."""

    def __init__(self, bridge: Bridge, prometheus: Prometheus) -> None:
        self.bridge = bridge
        self.prometheus = prometheus
        self._played: dict[tuple[str, str], list[str]] = {}

    def play(self, language: str, temporality: str) -> list[str]:
        """Has a sender play, once in a session, and follows it in Prometheus. Returns the ids of its traces."""
        key = (language, temporality)
        if key not in self._played:
            self._played[key] = self._play(language, temporality)
        return self._played[key]

    def _play(self, language: str, temporality: str) -> list[str]:
        traces: list[str] = []
        for rounds, before in ((FIRST, 0), (SECOND, FIRST if temporality == "delta" else 0)):
            sender = Sender(language, self.bridge, temporality)
            try:
                for n in range(before + 1, before + rounds + 1):
                    traces.append(sender.round())
                    self._wait_for(selector(language, temporality), 2 * n)
                sender.round(flush=False)
            finally:
                sender.kill()
        return traces

    def _wait_for(self, source: str, value: float) -> None:
        """Until each format has brought it."""

        def arrived() -> bool:
            found = self.prometheus.query(f"jobs_done_total{{{source}}}")
            return len(found) == len(JOBS) and all(got == value for _, got in found)

        wait_until(arrived, seconds=20, what=f"{value} of {source} in Prometheus")

    def play_all(self) -> None:
        """Has everybody play who is there."""
        for language in LANGUAGES:
            for temporality in PROTOCOLS:
                try:
                    self.play(language, temporality)
                except pytest.skip.Exception:
                    continue


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    bridge = Bridge()
    try:
        scrapes = [Scrape(bridge.addresses["http"], job, protocol, "/metrics/otlp") for job, protocol in JOBS.items()]
        server = Prometheus(*scrapes, folder=tmp_path_factory.mktemp("senders"), features=FEATURES)
        try:
            yield Stage(bridge, server)
        finally:
            server.stop()
    except BaseException:
        bridge.kill()
        raise
    bridge.stop()


def selector(language: str, temporality: str) -> str:
    return f'job="sender-{language}",instance="{temporality}"'


def in_all(temporality: str) -> int:
    """The rounds that count in the end."""
    return FIRST + SECOND if temporality == "delta" else SECOND


def steps(values: list[float]) -> list[float]:
    """The values as they changed, without the zeros that Prometheus puts at a start."""
    return [value for value, _ in groupby(value for value in values if value)]


@pytest.mark.timeout(180)
@EVERY_LANGUAGE
def test_m_04_a_cumulative_sender_that_is_restarted_is_a_reset(stage: Stage, language: str) -> None:
    stage.play(language, "cumulative")
    source = selector(language, "cumulative")
    for labels, values in stage.prometheus.stored(f"jobs_done_total{{{source}}}"):
        assert steps(values) == [2, 4, 2, 4, 6], labels
    ((_, resets),) = stage.prometheus.query(f'resets(jobs_done_total{{{source},scraped_by="text"}}[10m])')
    assert resets == 1


@pytest.mark.timeout(180)
@EVERY_LANGUAGE
def test_d_01_d_03_deltas_add_up_over_a_restart_and_never_go_back(stage: Stage, language: str) -> None:
    stage.play(language, "delta")
    source = selector(language, "delta")
    for labels, values in stage.prometheus.stored(f"jobs_done_total{{{source}}}"):
        assert steps(values) == [2, 4, 6, 8, 10], labels
    histogram = [f"job_duration_seconds_{part}" for part in ("bucket", "count", "sum")]
    for name in ["jobs_done_total", *histogram]:
        assert stage.prometheus.query(f"resets({name}{{{source}}}[10m]) > 0") == []


@EVERY_TEMPORALITY
@EVERY_LANGUAGE
def test_d_06_h_01_prometheus_has_the_explicit_histogram(stage: Stage, language: str, temporality: str) -> None:
    stage.play(language, temporality)
    source, n = selector(language, temporality), in_all(temporality)
    found = stage.prometheus.query(f"job_duration_seconds_bucket{{{source}}}")
    buckets = {(labels["scraped_by"], labels["le"]): value for labels, value in found}
    expected = {"0.1": n, "1.0": 2 * n, "+Inf": 3 * n}
    assert buckets == {(job, le): value for job in JOBS for le, value in expected.items()}
    for name, value in (("count", 3 * n), ("sum", 5.55 * n)):
        found = stage.prometheus.query(f"job_duration_seconds_{name}{{{source}}}")
        assert [got for _, got in found] == [pytest.approx(value)] * len(JOBS)


@EVERY_TEMPORALITY
@EVERY_LANGUAGE
def test_d_07_e_01_e_03_prometheus_has_the_native_histogram(stage: Stage, language: str, temporality: str) -> None:
    stage.play(language, temporality)
    source, n = selector(language, temporality), in_all(temporality)
    ((labels, histogram),) = stage.prometheus.histograms(f"payload_size_bytes{{{source}}}")
    assert labels["scraped_by"] == "protobuf"
    assert (float(histogram["count"]), float(histogram["sum"])) == (4 * n, 1004 * n)
    # Each value has its own bucket, whichever scale the SDK has come to; one for 0 straddles it.
    buckets = [(float(low), float(high), float(count)) for _, low, high, count in histogram["buckets"]]
    assert [count for _, _, count in buckets] == [n] * 4
    for value, (low, high, _) in zip((0, 1, 3, 1000), buckets, strict=True):
        assert low < value <= high or low <= value < high


@EVERY_TEMPORALITY
@EVERY_LANGUAGE
def test_d_07_e_08_prometheus_has_it_in_classic_buckets(stage: Stage, language: str, temporality: str) -> None:
    stage.play(language, temporality)
    source, n = selector(language, temporality), in_all(temporality)
    for job in ("text", "openmetrics"):
        found = stage.prometheus.query(f'payload_size_bytes_bucket{{{source},scraped_by="{job}"}}')
        buckets = {float(labels["le"]): value for labels, value in found}
        expected = {0: n, 0.5: n, 1: 2 * n, 2: 2 * n, 4: 3 * n, 512: 3 * n, 1024: 4 * n, float("inf"): 4 * n}
        assert buckets == expected, job


@EVERY_TEMPORALITY
@EVERY_LANGUAGE
def test_m_02_g_01_prometheus_has_what_goes_up_and_down(stage: Stage, language: str, temporality: str) -> None:
    stage.play(language, temporality)
    source = selector(language, temporality)
    # Not a delta even where deltas are preferred: all three SDKs keep these cumulative, as the specification says.
    for name, value in (("jobs_open", 2 * SECOND), ("pool_level_ratio", 0.5)):
        found = stage.prometheus.query(f"{name}{{{source}}}")
        assert [got for _, got in found] == [value] * len(JOBS), name


@EVERY_TEMPORALITY
@pytest.mark.parametrize("language", WITH_EXEMPLARS)
def test_x_01_x_07_prometheus_has_exemplars_of_live_spans(stage: Stage, language: str, temporality: str) -> None:
    traces = stage.play(language, temporality)
    source = selector(language, temporality)
    for name, jobs in (
        ("jobs_done_total", ("openmetrics", "protobuf")),
        ("job_duration_seconds_bucket", ("openmetrics", "protobuf")),
        ("payload_size_bytes_bucket", ("openmetrics",)),
        ("payload_size_bytes", ("protobuf",)),
    ):
        for job in jobs:
            selected = f'{name}{{{source},scraped_by="{job}"}}'
            found = wait_until(lambda: stage.prometheus.exemplars(selected), what=f"exemplars of {selected}")  # noqa: B023
            ids = {exemplar["labels"]["trace_id"] for _, exemplar in found}
            assert ids <= set(traces), name
            assert traces[-1] in ids, name
            assert all(len(exemplar["labels"]["span_id"]) == 16 for _, exemplar in found)


# --- the judges, of what all of them left ---------------------------------------------------------------------------


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_f_12_prometheus_newest_parser_reads_what_the_senders_left(stage: Stage, name: str) -> None:
    stage.play_all()
    body, content_type = formats.fetch(stage.bridge, name)
    judged = formats.Judged(body, content_type)
    jobs = {dict(labels).get("job") for labels in judged.values()}
    assert "sender-python" in jobs


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["text", "text1", "openmetrics"])
def test_f_12_the_reference_parsers_read_what_the_senders_left(stage: Stage, name: str) -> None:
    stage.play_all()
    body, _ = formats.fetch(stage.bridge, name)
    names = {family.name for family in formats.families(body, name)}
    assert {"jobs_done", "job_duration_seconds", "payload_size_bytes", "jobs_open"} <= names


@pytest.mark.timeout(600)
def test_f_09_promtool_has_no_complaint_of_what_the_senders_left(stage: Stage) -> None:
    stage.play_all()
    promtool = programs.need("promtool")
    body, _ = formats.fetch(stage.bridge, "text", "/metrics/otlp")
    done = programs.run([promtool, "check", "metrics"], stdin=body)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_f_12_prometheus_has_no_complaint(stage: Stage) -> None:
    stage.play_all()
    for job, target in stage.prometheus.targets().items():
        assert (target["health"], target["lastError"]) == ("up", ""), job
    assert stage.prometheus.complaints() == []
