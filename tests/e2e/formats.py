"""The formats of an exposition: how each is asked for, and how a judge reads it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import programs
from bridge import Bridge


@dataclass(frozen=True)
class Format:
    accept: str
    content_type: str
    # The name that Prometheus 3.5 has for it; none where it does not know it.
    protocol: str = ""


OPENMETRICS = "application/openmetrics-text"
PROTOBUF = "application/vnd.google.protobuf"
DELIMITED = "io.prometheus.client.MetricFamily"

FORMATS = {
    "text": Format(
        "text/plain;version=0.0.4;q=0.6,*/*;q=0.5",
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        "PrometheusText0.0.4",
    ),
    "text1": Format(
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
        "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        "PrometheusText1.0.0",
    ),
    "openmetrics": Format(
        f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
        f"{OPENMETRICS}; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        "OpenMetricsText1.0.0",
    ),
    "protobuf": Format(
        f"{PROTOBUF};proto={DELIMITED};encoding=delimited;q=0.6,*/*;q=0.5",
        f"{PROTOBUF}; proto={DELIMITED}; encoding=delimited; escaping=underscores",
        "PrometheusProto",
    ),
    "openmetrics2": Format(
        f"{OPENMETRICS};version=2.0.0;escaping=allow-utf-8;q=0.7,"
        f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
        f"{OPENMETRICS}; version=2.0.0; charset=utf-8; escaping=allow-utf-8",
    ),
}
SCRAPED = {name: format_.protocol for name, format_ in FORMATS.items() if format_.protocol}


def fetch(bridge: Bridge, name: str, path: str = "/metrics") -> tuple[bytes, str]:
    """A scrape in one format and its content type, which has to be that of the format."""
    format_ = FORMATS[name]
    answer = bridge.get(path, headers={"accept": format_.accept})
    assert answer.status_code == 200, answer.text
    content_type = answer.headers["content-type"]
    # Protobuf may be told to carry names in UTF-8.
    assert content_type.partition("; escaping=")[0] == format_.content_type.partition("; escaping=")[0]
    return answer.content, content_type


def families(body: bytes, name: str) -> list[Any]:
    """What the reference parser of Python reads; there is one for each text format but the coming one."""
    parse = parse_openmetrics if name == "openmetrics" else parse_text
    return list(parse(body.decode()))


Labels = frozenset[tuple[str, str]]


class Judged:
    """What Prometheus' own parser reads, as its newest scraper does. Making one fails if a scrape would."""

    def __init__(self, body: bytes, content_type: str, *options: str) -> None:
        judge = programs.need("openmetrics2_judge")
        done = programs.run([judge, *options, content_type], stdin=body)
        assert done.returncode == 0, f"{content_type}: {done.stderr.decode()}"
        self.entries = [json.loads(line) for line in done.stdout.splitlines()]

    def of(self, kind: str) -> Iterator[tuple[Labels, dict[str, Any]]]:
        return ((frozenset(entry["labels"].items()), entry) for entry in self.entries if entry["kind"] == kind)

    def values(self) -> dict[Labels, str]:
        return {labels: entry["value"] for labels, entry in self.of("series")}

    def histograms(self) -> dict[Labels, dict[str, Any]]:
        return {labels: entry["histogram"] for labels, entry in self.of("histogram")}

    def exemplars(self) -> dict[Labels, list[dict[str, Any]]]:
        """Of series and native histograms, which have different names."""
        both = [*self.of("series"), *self.of("histogram")]
        return {labels: entry["exemplars"] for labels, entry in both if "exemplars" in entry}

    def starts(self) -> dict[str, int]:
        """The start of each sample name that has one, in milliseconds."""
        both = [*self.of("series"), *self.of("histogram")]
        return {entry["labels"]["__name__"]: entry["start"] for _, entry in both if "start" in entry}

    def told(self, kind: str) -> dict[str, str]:
        """The type, help or unit of each family."""
        return {entry["family"]: entry.get("text", "") for entry in self.entries if entry["kind"] == kind}
