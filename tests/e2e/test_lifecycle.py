"""How the process starts, drains and ends, and the commands beside serving."""

import json
import queue
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import otlp
import programs
from bridge import Bridge, wait_until
from exposition import Exposition

Bridges = Callable[..., Bridge]

GOOD = otlp.request(otlp.gauge("good", 1)).SerializeToString()
LOOPBACK = ["--http-listen", "127.0.0.1:0", "--otlp-http-listen", "127.0.0.1:0", "--otlp-grpc-listen", "127.0.0.1:0"]


def meterbridge(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> tuple[int, str, list[str]]:
    """Runs a command to its end: exit status, standard output, lines of standard error."""
    done = programs.run([programs.meterbridge(), *arguments], stdin=stdin, environment=environment, timeout=20)
    return done.returncode, done.stdout.decode(), done.stderr.decode().splitlines()


# --- draining -------------------------------------------------------------------------------------------------------


class SlowPost:
    """A request over HTTP of which the first half is sent."""

    def __init__(self, bridge: Bridge) -> None:
        host, port = bridge.addresses["otlp_http"].rsplit(":", 1)
        self._stream = socket.create_connection((host, int(port)), timeout=10)
        head = f"POST /v1/metrics HTTP/1.1\r\nhost: {host}\r\ncontent-type: {otlp.PROTOBUF}\r\n"
        self._stream.sendall(f"{head}content-length: {len(GOOD)}\r\n\r\n".encode() + GOOD[:10])

    def finish(self) -> bytes:
        self._stream.sendall(GOOD[10:])
        answer = b""
        while piece := self._stream.recv(4096):
            answer += piece
        return answer

    def close(self) -> None:
        self._stream.close()


def is_draining(bridge: Bridge) -> bool:
    return bridge.get("/-/ready").status_code == 503


def refuses_connections(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_sigterm_turns_readiness_false_and_lets_a_request_over_http_finish(bridge: Bridge) -> None:
    slow = SlowPost(bridge)
    try:
        # It is in flight once the bridge has read its head, of which nothing tells.
        time.sleep(0.3)
        bridge.terminate()
        wait_until(lambda: is_draining(bridge), seconds=2, pause=0.02, what="not ready while it drains")
        assert bridge.get("/-/ready").headers["content-type"] == "application/problem+json"
        assert bridge.get("/-/healthy").status_code == 200
        wait_until(
            lambda: refuses_connections(bridge.addresses["otlp_http"]),
            seconds=2,
            pause=0.05,
            what="nothing new is taken",
        )
        answer = slow.finish()
    finally:
        slow.close()
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert bridge.wait(5) == 0


def test_sigterm_lets_a_call_over_grpc_finish(bridge: Bridge) -> None:
    late: queue.Queue[bytes] = queue.Queue()

    def messages() -> Iterator[bytes]:
        yield late.get(timeout=20)

    with otlp.GrpcClient(bridge.grpc_address) as client:
        call = client.stream(messages())
        wait_until(lambda: call.running(), seconds=2, pause=0.05, what="the call has begun")
        time.sleep(0.3)
        bridge.terminate()
        wait_until(lambda: is_draining(bridge), seconds=2, pause=0.02, what="not ready while it drains")
        late.put(GOOD)
        assert not call.result(10).HasField("partial_success")
    assert bridge.wait(5) == 0


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_a_request_that_never_ends_is_given_up_after_the_drain_timeout(bridges: Bridges, transport: str) -> None:
    bridge = bridges("--drain-timeout", "1s")
    end: queue.Queue[bytes] = queue.Queue()
    client = otlp.GrpcClient(bridge.grpc_address)
    slow = SlowPost(bridge) if transport == "http" else None
    call = client.stream(iter(end.get, b"")) if transport == "grpc" else None
    try:
        time.sleep(0.5)
        start = time.monotonic()
        bridge.terminate()
        assert bridge.wait(6) == 0
        took = time.monotonic() - start
    finally:
        end.put(b"")
        if slow:
            slow.close()
        if call:
            call.cancel()
        client.close()
    assert 0.8 < took < 4, took


def test_an_idle_bridge_ends_at_once(bridge: Bridge) -> None:
    # Connections that are kept alive are no requests.
    with requests.Session() as session, otlp.GrpcClient(bridge.grpc_address) as client:
        session.get(bridge.url("/metrics"), timeout=5)
        session.post(bridge.otlp_url, data=GOOD, headers={"content-type": otlp.PROTOBUF}, timeout=5)
        client.call(GOOD)
        start = time.monotonic()
        bridge.terminate()
        assert bridge.wait(6) == 0
        assert time.monotonic() - start < 3
    assert refuses_connections(bridge.addresses["http"])


def test_sigint_is_as_good(bridge: Bridge) -> None:
    bridge.process.send_signal(signal.SIGINT)
    assert bridge.wait(6) == 0


# --- a start that fails ---------------------------------------------------------------------------------------------


def one_line(status: int, output: str, errors: list[str], *words: str) -> None:
    """One line on standard error that has these words, and exit status 2."""
    assert len(errors) == 1, errors
    assert status == 2
    assert output == ""
    for word in words:
        assert word in errors[0]


@pytest.mark.parametrize("option", ["--http-listen", "--otlp-http-listen", "--otlp-grpc-listen"])
def test_a_port_in_use_is_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        arguments = list(LOOPBACK)
        arguments[arguments.index(option) + 1] = address
        one_line(*meterbridge("serve", *arguments), option, address, "in use")
        # Also where the log is for machines: this is for whoever started it.
        one_line(*meterbridge("serve", *arguments, "--log-format", "json"), option, address)


BAD_OPTIONS = {
    "a duration": (["--expiry", "banana"], ["--expiry", "banana"]),
    "a size": (["--max-request-bytes", "12parsecs"], ["--max-request-bytes", "12parsecs"]),
    "a number": (["--max-series=-5"], ["--max-series", "-5"]),
    "a word": (["--log-format", "xml"], ["--log-format", "xml"]),
    "an address": (["--http-listen", "nonsense"], ["--http-listen", "nonsense"]),
    "a port": (["--otlp-grpc-listen", "127.0.0.1:99999"], ["--otlp-grpc-listen", "127.0.0.1:99999"]),
    "an unknown option": (["--nonsense"], ["--nonsense"]),
    "a value that is missing": (["--max-series"], ["--max-series"]),
    "an unknown command": (["conduct"], ["conduct"]),
    "a format that there is not": (["translate", "--format", "banana"], ["--format", "banana"]),
    "a file that is not there": (["--config", "/nonexistent.yaml"], ["--config", "/nonexistent.yaml"]),
}


@pytest.mark.parametrize("what", BAD_OPTIONS)
def test_a_bad_option_is_one_line(what: str) -> None:
    arguments, words = BAD_OPTIONS[what]
    one_line(*meterbridge(*arguments), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_serious: 5\n", ["max_serious"]),
        ("max_series: many\n", ["max_series", "many"]),
        ("expiry: [1, 2]\n", ["expiry"]),
        ("max_series: [\n", ["not YAML"]),
        ("- a list\n", []),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(text)
    one_line(*meterbridge("--config", str(path)), *words)
    one_line(*meterbridge(environment={"METERBRIDGE_CONFIG": str(path)}), *words)


def test_a_bad_variable_is_one_line() -> None:
    environment = {"METERBRIDGE_MAX_SERIES": "many"}
    one_line(*meterbridge(environment=environment), "METERBRIDGE_MAX_SERIES", "many")


def test_a_flag_wins_over_a_variable_and_that_over_the_file(bridges: Bridges, tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text("max_series: 1\nmax_labels: 11\nexpiry: 61s\ndrain_timeout: 4s\n")
    variables = {"METERBRIDGE_CONFIG": str(path), "METERBRIDGE_MAX_SERIES": "2", "METERBRIDGE_MAX_LABELS": "22"}
    bridge = bridges("--max-series", "3", environment=variables)
    items = bridge.get("/api/v1/config").json()["settings"]
    settings = {item["name"]: (item["value"], item["source"]) for item in items}
    assert settings["max_series"] == ("3", "flag")
    assert settings["max_labels"] == ("22", "METERBRIDGE_MAX_LABELS")
    assert settings["drain_timeout"] == ("4s", "file")
    assert settings["log_level"] == ("info", "default")
    assert Exposition(bridge.scrape()).value("meterbridge_series_limit") == 3


# --- other commands -------------------------------------------------------------------------------------------------


def test_healthcheck_asks_whether_the_bridge_is_ready(bridge: Bridge) -> None:
    address = bridge.addresses["http"]
    assert meterbridge("healthcheck", "--http-listen", address)[0] == 0
    assert meterbridge("healthcheck", environment={"METERBRIDGE_HTTP_LISTEN": address})[0] == 0
    # What the bridge in a container listens on.
    port = address.rpartition(":")[2]
    assert meterbridge("healthcheck", "--http-listen", f"0.0.0.0:{port}")[0] == 0
    slow = SlowPost(bridge)
    try:
        time.sleep(0.3)
        bridge.terminate()
        wait_until(lambda: is_draining(bridge), seconds=2, pause=0.02, what="not ready while it drains")
        assert meterbridge("healthcheck", "--http-listen", address)[0] == 1
        slow.finish()
    finally:
        slow.close()
    assert bridge.wait(5) == 0
    status, _, errors = meterbridge("healthcheck", "--http-listen", address)
    assert status == 1
    assert len(errors) == 1 and address in errors[0]


def test_openapi_prints_the_document_that_is_served(bridge: Bridge) -> None:
    status, output, errors = meterbridge("openapi")
    assert (status, errors) == (0, [])
    document = json.loads(output)
    assert document == bridge.get("/openapi.json").json()
    assert {"/api/v1/status", "/api/v1/sources", "/api/v1/families", "/api/v1/config"} <= document["paths"].keys()
    operations = [
        operation for path in document["paths"].values() for operation in path.values() if isinstance(operation, dict)
    ]
    ids = [operation.get("operationId") for operation in operations]
    assert all(ids) and len(set(ids)) == len(ids)
    assert all(operation.get("tags") and operation.get("summary") for operation in operations)


class TestTranslate:
    """`meterbridge translate`: a scrape of what is in files."""

    FIRST = otlp.request(otlp.counter("requests", 5, {"route": "/a"}, t=10), scope="lib")
    SECOND = otlp.request(otlp.counter("requests", 7, {"route": "/a"}, t=20), otlp.gauge("level", 0.5), scope="lib")
    BAD = otlp.request(otlp.gauge("fine", 1), otlp.gauge("", 2))

    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        (tmp_path / "first.json").write_text("\n " + json.dumps(otlp.as_json(self.FIRST)))
        (tmp_path / "second.bin").write_bytes(self.SECOND.SerializeToString())
        (tmp_path / "bad.json").write_text(json.dumps(otlp.as_json(self.BAD)))
        (tmp_path / "none.bin").write_bytes(b"\xff\xfe\xfd")
        return tmp_path

    ONE = '# TYPE requests_total counter\nrequests_total{instance="i1",job="svc",otel_scope_name="lib",route="/a"} 5\n'
    BOTH = (
        "# TYPE level gauge\n"
        'level{instance="i1",job="svc",otel_scope_name="lib"} 0.5\n'
        "# TYPE requests_total counter\n"
        'requests_total{instance="i1",job="svc",otel_scope_name="lib",route="/a"} 7\n'
    )

    def test_json_and_protobuf_are_read_in_order(self, files: Path) -> None:
        first, second = str(files / "first.json"), str(files / "second.bin")
        assert meterbridge("translate", first) == (0, self.ONE, [])
        assert meterbridge("translate", "--format", "text", first, second) == (0, self.BOTH, [])

    @pytest.mark.parametrize("arguments", [[], ["-"]])
    def test_standard_input_is_read(self, arguments: list[str]) -> None:
        body = self.FIRST.SerializeToString()
        assert meterbridge("translate", *arguments, stdin=body) == (0, self.ONE, [])
        assert meterbridge("translate", *arguments, stdin=json.dumps(otlp.as_json(self.FIRST)).encode()) == (
            0,
            self.ONE,
            [],
        )

    def test_what_a_bridge_shows_is_the_same(self, files: Path, bridge: Bridge) -> None:
        otlp.push_accepted(bridge.otlp_url, self.FIRST)
        otlp.push_accepted(bridge.otlp_url, self.SECOND)
        assert bridge.scrape("/metrics/otlp") == self.BOTH

    def test_a_refusal_is_a_line_and_status_1(self, files: Path) -> None:
        status, output, errors = meterbridge("translate", str(files / "bad.json"))
        assert status == 1
        assert output == '# TYPE fine gauge\nfine{instance="i1",job="svc"} 1\n'
        assert len(errors) == 1 and "empty_name: " in errors[0] and "bad.json" in errors[0]

    @pytest.mark.parametrize("name", ["none.bin", "absent.json"])
    def test_an_input_that_cannot_be_read_is_status_2(self, files: Path, name: str) -> None:
        status, _, errors = meterbridge("translate", str(files / name))
        assert status == 2
        assert len(errors) == 1 and name in errors[0]

    def test_the_format_of_the_input_can_be_said(self, files: Path) -> None:
        path = str(files / "first.json")
        assert meterbridge("translate", "--input-format", "json", path) == (0, self.ONE, [])
        assert meterbridge("translate", "--input-format", "protobuf", path)[0] == 2


# Another port than 4318 needs the path to be taken for HTTP.
@pytest.mark.parametrize(("listener", "path"), [("otlp_grpc", ""), ("otlp_http", "/v1/metrics")])
def test_demo_plays_services_and_ends_when_told(bridge: Bridge, listener: str, path: str) -> None:
    start = time.monotonic()
    status, _, errors = meterbridge("demo", "--endpoint", bridge.url(path, listener), "--for", "3s")
    took = time.monotonic() - start
    assert status == 0, errors
    assert 2.5 < took < 10
    exposition = Exposition(bridge.scrape())
    bridged = [dict(labels) for _, labels in Exposition(bridge.scrape("/metrics/otlp")).samples]
    jobs = {labels.get("job") for labels in bridged}
    assert len(jobs) >= 3, jobs
    assert {"counter", "gauge", "histogram"} <= set(exposition.types.values())
    refused = exposition.by_label("meterbridge_points_refused_total", "reason")
    assert set(refused.values()) == {0}, refused
    transport = listener.removeprefix("otlp_")
    assert {dict(labels)["transport"] for labels in exposition.named("meterbridge_requests_total")} == {transport}
    promtool = programs.need("promtool")
    done = programs.run([promtool, "check", "metrics"], stdin=bridge.scrape().encode())
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_demo_says_that_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    _, _, errors = meterbridge("demo", "--endpoint", f"http://{address}", "--for", "1s")
    assert any(address in line for line in errors), errors


def test_it_stops_in_order_from_its_first_word_on() -> None:
    for _ in range(20):
        process = subprocess.Popen(
            [programs.meterbridge(), *LOOPBACK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=programs.clean_environment(),
        )
        assert process.stderr
        process.stderr.readline()
        process.terminate()
        process.communicate(timeout=15)
        assert process.returncode == 0
