"""The example as a newcomer runs it: a service with two lines of instrumentation, which pushes to a bridge and is scraped itself."""

import math
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import programs
from bridge import Bridge, wait_until
from exposition import Exposition
from prometheus_server import FEATURES, Prometheus, Scrape

PAGE = Path(__file__).parents[2] / "docs" / "instrumentation.md"
DURATION = "http_server_request_duration_seconds"
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


@dataclass
class Todo:
    address: str
    process: subprocess.Popen[bytes]
    bridge: Bridge

    @property
    def url(self) -> str:
        return f"http://{self.address}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def todo(bridges: Callable[..., Bridge], tmp_path: Path) -> Iterator[Todo]:
    program = os.environ.get("TODO_API")
    if not program:
        programs.missing("the example todo-api", "build it with cargo, or name it in TODO_API")
    bridge = bridges()
    address = f"127.0.0.1:{free_port()}"
    environment = {
        "TODO_LISTEN": address,
        "TODO_DB": str(tmp_path / "todo.redb"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{bridge.addresses['otlp_grpc']}",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [program], env=programs.clean_environment(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    service = Todo(address, process, bridge)
    try:
        wait_until(lambda: answers(service), seconds=20, what=f"{address} answers")
        yield service
        process.terminate()
        assert process.wait(15) == 0, (tmp_path / "log").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(5)


def answers(service: Todo) -> bool:
    try:
        return requests.get(f"{service.url}/openapi.json", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def work(service: Todo, trace_id: str = "") -> None:
    """One of everything that the list can do, and some that it cannot."""
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"} if trace_id else {}

    def ask(method: str, path: str, expected: int, json: object = None, text: str = "") -> requests.Response:
        answer = requests.request(method, service.url + path, json=json, data=text, headers=headers, timeout=5)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        if expected >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == expected and answer.json()["title"] and answer.json()["detail"]
        return answer

    for number in range(3):
        added = ask("POST", "/api/todos", 201, {"title": f"task {number}"})
        assert added.json()["id"] > 0
        assert requests.compat.urljoin(added.url, added.headers["location"]) == f"{added.url}/{added.json()['id']}"
    page = ask("GET", "/api/todos?limit=2", 200).json()
    assert len(page["todos"]) == 2
    rest = ask("GET", f"/api/todos?after={page['next']}", 200).json()
    assert [todo["title"] for todo in rest["todos"]][-1] == "task 2"
    last = rest["todos"][-1]["id"]
    assert ask("PUT", f"/api/todos/{last}", 200, {"title": "other", "done": True}).json()["done"]
    assert ask("GET", f"/api/todos/{last}", 200).json()["title"] == "other"
    ask("DELETE", f"/api/todos/{last}", 204)
    ask("GET", f"/api/todos/{last}", 404)
    ask("GET", "/api/todos/not-a-number", 400)
    ask("POST", "/api/todos", 400, {"title": " "})
    ask("POST", "/api/todos", 413, {"title": "x" * 20_000})
    ask("POST", "/api/todos", 415, text="title")
    # Whoever still has the number of a removed entry does not meet another one under it.
    assert ask("POST", "/api/todos", 201, {"title": "task 3"}).json()["id"] > last
    ask("PATCH", f"/api/todos/{last}", 405)
    ask("HEAD", "/api/todos", 200)
    ask("GET", "/nowhere", 404)


def test_what_it_serves_itself(todo: Todo) -> None:
    work(todo)
    text = requests.get(f"{todo.url}/metrics", timeout=5).text
    exposition = Exposition(text)

    def count(method: str, status: int, **more: str) -> float:
        labels = {"http_request_method": method, "http_response_status_code": str(status)}
        labels |= {"network_protocol_version": "1.1", "url_scheme": "http"} | more
        return exposition.value(f"{DURATION}_count", **labels)

    one = "/api/todos/{id}"
    assert count("POST", 201, http_route="/api/todos", todo_done="false") == 4
    assert count("GET", 200, http_route="/api/todos") == 2
    assert count("HEAD", 200, http_route="/api/todos") == 1
    assert count("PUT", 200, http_route=one) == 1
    assert count("DELETE", 204, http_route=one) == 1
    assert count("GET", 404, http_route=one) == 1
    assert count("GET", 400, http_route=one) == 1
    assert count("POST", 400, http_route="/api/todos") == 1
    assert count("POST", 413, http_route="/api/todos") == 1
    assert count("POST", 415, http_route="/api/todos") == 1
    assert count("PATCH", 405, http_route=one) == 1
    assert count("GET", 404) == 1
    promtool = programs.need("promtool")
    done = programs.run([promtool, "check", "metrics"], stdin=text.encode())
    assert (done.returncode, done.stderr.decode()) == (0, "")
    openmetrics = requests.get(f"{todo.url}/metrics", headers=OPENMETRICS, timeout=5).text
    families = {family.name: family for family in text_string_to_metric_families(openmetrics)}
    assert families[DURATION].type == "histogram"
    assert requests.head(f"{todo.url}/metrics", timeout=5).status_code == 200
    assert requests.post(f"{todo.url}/metrics", timeout=5).status_code == 405


def test_what_it_pushes(todo: Todo) -> None:
    work(todo)
    posted = re.compile(
        rf'^{DURATION}_count{{.*http_response_status_code="201",http_route="/api/todos",'
        rf'instance="{re.escape(todo.address)}",job="todo-api",.*todo_done="false".*}} 4$',
        re.MULTILINE,
    )
    wait_until(lambda: posted.search(todo.bridge.scrape("/metrics/otlp")), what="the series on the bridge")


def test_prometheus_gives_back_the_traces(todo: Todo, tmp_path: Path) -> None:
    trace_id = os.urandom(16).hex()
    work(todo, trace_id)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    prometheus = Prometheus(Scrape(todo.address, job="todo"), folder=folder, features=FEATURES)
    try:
        selector = f'{DURATION}_bucket{{job="todo"}}'
        found = wait_until(lambda: prometheus.exemplars(selector), seconds=20, what="exemplars in Prometheus")
        ours = [(labels, one) for labels, one in found if one["labels"].get("trace_id") == trace_id]
        assert {labels["http_route"] for labels, _ in ours if "http_route" in labels} >= {"/api/todos", "/api/todos/{id}"}
        for labels, one in ours:
            assert re.fullmatch("[0-9a-f]{16}", one["labels"]["span_id"])
            assert float(one["value"]) <= float(labels["le"])
        assert not prometheus.scrape_error()
        assert not prometheus.complaints()
    finally:
        prometheus.stop()


def test_the_questions_of_the_page_have_answers(todo: Todo, tmp_path: Path) -> None:
    blocks = re.findall(r"^```promql\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    questions = [question for block in blocks for question in block.split("\n\n")]
    assert len(questions) > 10
    folder = tmp_path / "prometheus"
    folder.mkdir()
    prometheus = Prometheus(Scrape(todo.address, job="todo"), folder=folder)
    try:
        # So that it sees them rise.
        for requests_seen in (1, 2):
            work(todo)
            prometheus.wait_for(f'{DURATION}_count{{http_request_method="PATCH"}} >= {requests_seen}')
        for question in questions:
            values = [value for _, value in prometheus.query(question)]
            assert any(math.isfinite(value) for value in values), f"{question}\ngives {values}"
    finally:
        prometheus.stop()
