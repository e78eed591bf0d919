"""Senders and scrapers at the same time: no scrape is torn, nothing goes back, nothing is lost."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

import otlp
from bridge import Bridge
from exposition import Exposition, Series

SECONDS = 10
# Paced, so that what is measured is the bridge and not how well Python shares two cores.
SEND_PAUSE = 0.01
SCRAPE_PAUSE = 0.05
BOUNDS = [0.1, 1, 10]
SENDERS = ["protobuf", "json", "grpc", "protobuf", "json", "grpc", "protobuf", "grpc"]
SCRAPED = ["/metrics", "/metrics", "/metrics/otlp", "/metrics/self"]


class Sender:
    """One source that counts. Its n-th push says n in every metric, so that a scrape can be checked by itself."""

    def __init__(self, bridge: Bridge, number: int, way: str) -> None:
        self.instance = f"sender-{number}"
        self.sent = 0
        self.points = 0
        self._send = {"protobuf": self._protobuf, "json": self._json, "grpc": self._grpc}[way]
        self._url = bridge.otlp_url
        self._session = requests.Session()
        self._client = otlp.GrpcClient(bridge.grpc_address)

    def run(self, stop: threading.Event) -> None:
        with self._session, self._client:
            while not stop.is_set():
                self._send(self._message(self.sent + 1))
                self.sent += 1
                self.points += 12
                stop.wait(SEND_PAUSE)

    def _message(self, n: int) -> otlp.ExportMetricsServiceRequest:
        # One observation in each bucket of each push, the sum of which is 1: count = 4n, sum = n.
        histogram = otlp.histogram("load.size", BOUNDS, [n] * 4, n, t=n / 1000)
        counters = [otlp.counter("load.requests", n, {"route": route}, t=n / 1000) for route in range(10)]
        return otlp.request(
            histogram, *counters, otlp.gauge("load.level", n, t=n / 1000), service="load", instance=self.instance
        )

    def _protobuf(self, message: otlp.ExportMetricsServiceRequest) -> None:
        self._post(message.SerializeToString(), otlp.PROTOBUF, b"")

    def _json(self, message: otlp.ExportMetricsServiceRequest) -> None:
        self._post(json.dumps(otlp.as_json(message)).encode(), otlp.JSON, b"{}")

    def _post(self, body: bytes, content_type: str, success: bytes) -> None:
        answer = self._session.post(self._url, data=body, headers={"content-type": content_type}, timeout=10)
        assert (answer.status_code, answer.content) == (200, success)

    def _grpc(self, message: otlp.ExportMetricsServiceRequest) -> None:
        assert not self._client.call(message.SerializeToString()).HasField("partial_success")


class Scraper:
    """Scrapes one path, and compares each scrape with the one before."""

    def __init__(self, bridge: Bridge, path: str) -> None:
        self.scrapes = 0
        self.histograms = 0
        self._url = bridge.url(path)
        self._session = requests.Session()

    def run(self, stop: threading.Event) -> None:
        before: dict[Series, float] = {}
        with self._session:
            while not stop.is_set():
                answer = self._session.get(self._url, timeout=10)
                assert answer.status_code == 200
                # Reading it checks that buckets are cumulative and end in the count.
                exposition = Exposition(answer.content.decode())
                self._check_load(exposition)
                now = exposition.only_ascending()
                for key, value in before.items():
                    assert key in now, f"{key} is gone"
                    assert now[key] >= value, f"{key} went back from {value} to {now[key]}"
                before = now
                self.scrapes += 1
                stop.wait(SCRAPE_PAUSE)

    def _check_load(self, exposition: Exposition) -> None:
        """All lines of one histogram are of one push."""
        sums = exposition.named("load_size_sum")
        for labels, count in exposition.named("load_size_count").items():
            assert count == 4 * sums[labels], f"torn: {labels} has count {count} and sum {sums[labels]}"
            self.histograms += 1


def test_eight_senders_and_four_scrapers(bridge: Bridge) -> None:
    senders = [Sender(bridge, number, way) for number, way in enumerate(SENDERS)]
    scrapers = [Scraper(bridge, path) for path in SCRAPED]
    stop = threading.Event()
    with ThreadPoolExecutor(len(senders) + len(scrapers)) as pool:
        work: list[Callable[[threading.Event], None]] = [each.run for each in senders]
        work += [each.run for each in scrapers]
        running = [pool.submit(run, stop) for run in work]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and not any(each.done() for each in running):
            time.sleep(0.25)
        stop.set()
        for each in running:
            each.result(30)

    pushes = sum(sender.sent for sender in senders)
    print(f"{pushes} pushes, {sum(scraper.scrapes for scraper in scrapers)} scrapes")
    assert all(sender.sent > 10 for sender in senders)
    assert all(scraper.scrapes > 10 for scraper in scrapers)
    assert all(scraper.histograms > 0 for scraper in scrapers[:3])

    end = Exposition(bridge.scrape())
    for sender in senders:
        source = {"job": "load", "instance": sender.instance}
        assert end.value("load_level", **source) == sender.sent
        assert end.value("load_size_count", **source) == 4 * sender.sent
        for route in range(10):
            assert end.value("load_requests_total", route=str(route), **source) == sender.sent
    accepted = end.by_label("meterbridge_points_accepted_total", "kind")
    assert sum(accepted.values()) == sum(sender.points for sender in senders)
    outcomes = end.by_label("meterbridge_requests_total", "outcome")
    assert set(outcomes) == {"accepted"}
    assert sum(end.named("meterbridge_requests_total").values()) == pushes
    assert end.value("meterbridge_series") == 8 * 12
    assert end.value("meterbridge_sources") == 8
