"""Traces of the service itself: to whom the standard variables say, and to nobody else."""

import gzip
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import otlp
import programs
from bridge import Bridge, wait_until

Bridges = Callable[..., Bridge]

GOOD = otlp.request(otlp.gauge("good", 1)).SerializeToString()


class Receiver:
    """Takes OTLP traces over HTTP in protobuf, as a trace store does."""

    def __init__(self, port: int = 0) -> None:
        self.paths: list[str] = []
        self.spans: list[tuple[dict[str, str], Span]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.take(self.path, body)
                self.send_response(200)
                self.send_header("content-type", otlp.PROTOBUF)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        self.paths.append(path)
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                words = {item.key: item.value.string_value for item in resource.resource.attributes}
                self.spans += [(words, span) for scope in resource.scope_spans for span in scope.spans]

    def of_trace(self, trace_id: str) -> list[tuple[dict[str, str], Span]]:
        return [(resource, span) for resource, span in list(self.spans) if span.trace_id.hex() == trace_id]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def variables(receiver: Receiver, **more: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        **more,
    }


class Caller:
    """The trace that a request continues."""

    def __init__(self, *, sampled: bool = True) -> None:
        self.trace_id = secrets.token_hex(16)
        self.span_id = secrets.token_hex(8)
        self.traceparent = f"00-{self.trace_id}-{self.span_id}-0{int(sampled)}"


def one_server_span(receiver: Receiver, caller: Caller) -> tuple[dict[str, str], Span]:
    """The server span of the caller's request, which has to be one."""
    wait_until(lambda: receiver.of_trace(caller.trace_id), what=f"a span of {caller.trace_id}")
    servers = [
        (words, span) for words, span in receiver.of_trace(caller.trace_id) if span.kind == Span.SPAN_KIND_SERVER
    ]
    assert len(servers) == 1, servers
    assert servers[0][1].parent_span_id.hex() == caller.span_id
    return servers[0]


def text_attributes(span: Span) -> dict[str, str]:
    return {item.key: item.value.string_value for item in span.attributes}


@pytest.mark.parametrize(("path", "name"), [("/metrics", "GET /metrics"), ("/api/v1/status", "GET /api/v1/status")])
def test_a_request_continues_the_trace_of_its_caller(
    bridges: Bridges, receiver: Receiver, path: str, name: str
) -> None:
    bridge = bridges(environment=variables(receiver))
    caller = Caller()
    answer = bridge.get(path, headers={"traceparent": caller.traceparent})
    assert answer.status_code == 200
    resource, span = one_server_span(receiver, caller)
    assert span.name == name
    assert resource["service.name"] == "meterbridge"
    assert resource["service.version"]
    words = text_attributes(span)
    assert words["http.request.method"] == "GET"
    assert words["http.route"] == path
    (status,) = [item.value.int_value for item in span.attributes if item.key == "http.response.status_code"]
    assert status == 200


def test_otlp_over_http_continues_the_trace_of_its_caller(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment=variables(receiver))
    caller = Caller()
    answer = otlp.post(bridge.otlp_url, GOOD, headers={"traceparent": caller.traceparent})
    assert answer.status_code == 200
    _, span = one_server_span(receiver, caller)
    assert span.name == "POST /v1/metrics"


def test_otlp_over_grpc_continues_the_trace_of_its_caller(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment=variables(receiver))
    caller = Caller()
    with otlp.GrpcClient(bridge.grpc_address) as client:
        client.call(GOOD, metadata=(("traceparent", caller.traceparent),))
    _, span = one_server_span(receiver, caller)
    assert span.name == otlp.EXPORT.removeprefix("/")


def test_a_caller_that_does_not_sample_is_heeded(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment=variables(receiver))
    silent, heard = Caller(sampled=False), Caller()
    bridge.get("/metrics", headers={"traceparent": silent.traceparent})
    bridge.get("/metrics", headers={"traceparent": heard.traceparent})
    one_server_span(receiver, heard)
    bridge.stop()
    assert not receiver.of_trace(silent.trace_id)


def test_a_request_without_a_caller_begins_a_trace(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment=variables(receiver))
    bridge.get("/api/v1/families")
    bridge.stop()
    spans = [span for _, span in receiver.spans if span.name == "GET /api/v1/families"]
    assert len(spans) == 1
    assert not spans[0].parent_span_id


def test_the_last_spans_are_sent_before_the_process_ends(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment=variables(receiver, OTEL_BSP_SCHEDULE_DELAY="60000"))
    caller = Caller()
    bridge.get("/metrics", headers={"traceparent": caller.traceparent})
    assert not receiver.of_trace(caller.trace_id)
    bridge.stop()
    one_server_span(receiver, caller)


def test_the_common_endpoint_is_a_base(bridges: Bridges, receiver: Receiver) -> None:
    bridge = bridges(environment={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"})
    caller = Caller()
    bridge.get("/metrics", headers={"traceparent": caller.traceparent})
    one_server_span(receiver, caller)
    bridge.stop()
    assert set(receiver.paths) == {"/v1/traces"}


def warnings_of(bridge: Bridge, caller: Caller) -> list[str]:
    """The warnings in the log that carry the caller's trace id."""
    lines = [json.dumps(event) for event in bridge.events() if event.get("level") == "WARN"]
    return [line for line in lines if f'"trace_id": "{caller.trace_id}"' in line]


def test_a_warning_inside_a_request_over_http_carries_its_trace_id(bridge: Bridge) -> None:
    caller = Caller()
    otlp.post(bridge.otlp_url, GOOD[:-3], headers={"traceparent": caller.traceparent})
    (line,) = wait_until(lambda: warnings_of(bridge, caller), seconds=3, what="a warning with the trace id")
    assert "malformed" in line


def test_a_warning_inside_a_call_over_grpc_carries_its_trace_id(bridge: Bridge) -> None:
    caller = Caller()
    bad = otlp.request(otlp.gauge("", 1)).SerializeToString()
    with otlp.GrpcClient(bridge.grpc_address) as client:
        client.call(bad, metadata=(("traceparent", caller.traceparent),))
    (line,) = wait_until(lambda: warnings_of(bridge, caller), seconds=3, what="a warning with the trace id")
    assert "empty_name" in line


@pytest.mark.parametrize(
    "off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}], ids=lambda off: next(iter(off))
)
def test_the_variables_that_turn_traces_off_do(bridges: Bridges, receiver: Receiver, off: dict[str, str]) -> None:
    bridge = bridges(environment=variables(receiver, **off))
    bridge.get("/metrics", headers={"traceparent": Caller().traceparent})
    otlp.post(bridge.otlp_url, GOOD)
    bridge.stop()
    assert receiver.paths == []


def test_without_a_variable_nothing_is_exported(bridges: Bridges) -> None:
    """Not even to the port that is the default of every exporter."""
    try:
        receiver = Receiver(4318)
    except OSError:
        pytest.skip("port 4318, where an exporter would send by default, is in use on this machine")
    try:
        bridge = bridges(environment={"OTEL_BSP_SCHEDULE_DELAY": "100"})
        caller = Caller()
        bridge.get("/metrics", headers={"traceparent": caller.traceparent})
        otlp.post(bridge.otlp_url, GOOD[:-3], headers={"traceparent": caller.traceparent})
        bridge.stop()
        assert receiver.paths == []
    finally:
        receiver.close()
    # The ids are in the log all the same.
    assert caller.trace_id in bridge.log()


def test_an_export_that_fails_harms_no_request(bridges: Bridges) -> None:
    # Nobody listens there.
    nowhere = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    bridge = bridges(environment=nowhere)
    for _ in range(20):
        assert bridge.get("/metrics").status_code == 200
        assert otlp.post(bridge.otlp_url, GOOD).status_code == 200
    wait_until(lambda: any(event.get("level") == "WARN" for event in bridge.events()), what="a line in the log")
    bridge.stop()
    assert len([event for event in bridge.events() if event.get("level") == "WARN"]) <= 2, bridge.log()


def test_a_bad_endpoint_is_one_line_and_status_2() -> None:
    environment = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "nonsense"}
    done = programs.run(
        [programs.meterbridge(), "--http-listen", "127.0.0.1:0", "--otlp-http-listen", "127.0.0.1:0"]
        + ["--otlp-grpc-listen", "127.0.0.1:0"],
        environment=environment,
    )
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 2
    assert len(lines) == 1
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in lines[0] and "nonsense" in lines[0]
