"""OTLP as a sender sees it: what is answered to what is good, to other signals, and to pages of other origins."""

import gzip
import json
import socket
from collections.abc import Callable
from contextlib import ExitStack

import grpc
import pytest
import requests
import zstandard

import otlp
from bridge import Bridge, wait_until
from exposition import Exposition

Bridges = Callable[..., Bridge]

GOOD = otlp.request(otlp.gauge("good", 1))
BODIES = {otlp.PROTOBUF: GOOD.SerializeToString(), otlp.JSON: json.dumps(otlp.as_json(GOOD)).encode()}
SUCCESS = {otlp.PROTOBUF: b"", otlp.JSON: b"{}"}
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
}
EVERY_TYPE = pytest.mark.parametrize("content_type", list(BODIES))


def has_good(bridge: Bridge) -> bool:
    return 'good{instance="i1",job="svc"} 1\n' in bridge.scrape("/metrics/otlp")


@EVERY_TYPE
@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_p_01_p_07_success_is_empty_in_the_type_of_the_request(
    bridge: Bridge, content_type: str, encoding: str
) -> None:
    body = ENCODINGS[encoding](BODIES[content_type])
    headers = {} if encoding == "identity" else {"content-encoding": encoding}
    answer = otlp.post(bridge.otlp_url, body, content_type, headers=headers)
    assert (answer.status_code, answer.content) == (200, SUCCESS[content_type])
    assert answer.headers["content-type"] == content_type
    assert has_good(bridge)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_p_07_grpc_takes_the_same(bridge: Bridge, encoding: str) -> None:
    # Framed by hand: the library of Python does not know zstd.
    body = ENCODINGS[encoding](GOOD.SerializeToString())
    headers = otlp.grpc_by_hand(bridge.grpc_address, body, encoding)
    assert headers["grpc-status"] == "0", headers
    assert has_good(bridge)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_p_07_what_breaks_off_is_malformed(bridge: Bridge, encoding: str) -> None:
    body = ENCODINGS[encoding](GOOD.SerializeToString())[:-8]
    answer = otlp.post(bridge.otlp_url, body, headers={"content-encoding": encoding})
    assert answer.status_code == 400
    assert otlp.Status.FromString(answer.content).message.startswith("malformed: ")


@EVERY_TYPE
@pytest.mark.parametrize("parameters", ["; charset=utf-8", ";charset=UTF-8", " ; x=y"])
def test_p_08_the_content_type_may_have_parameters(bridge: Bridge, content_type: str, parameters: str) -> None:
    answer = otlp.post(bridge.otlp_url, BODIES[content_type], content_type + parameters)
    assert (answer.status_code, answer.content) == (200, SUCCESS[content_type])
    assert has_good(bridge)


def test_p_08_one_path_one_method(bridge: Bridge) -> None:
    assert otlp.post(f"{bridge.otlp_url}/", BODIES[otlp.PROTOBUF]).status_code == 200
    assert has_good(bridge)
    for method in ("GET", "PUT", "DELETE"):
        answer = requests.request(method, bridge.otlp_url, timeout=10)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), method


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,content-encoding"}


def cors(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): text for name, text in answer.headers.items() if name.lower().startswith("access-control-")}


def test_p_08_pages_are_kept_out(bridge: Bridge) -> None:
    origin = {"origin": "https://shop.example"}
    assert cors(otlp.post(bridge.otlp_url, BODIES[otlp.JSON], otlp.JSON, headers=origin)) == {}
    assert cors(requests.options(bridge.otlp_url, headers=origin | PREFLIGHT, timeout=10)) == {}


@pytest.mark.parametrize("origins", ["https://shop.example,https://other.example", "*"])
def test_p_08_pages_of_named_origins_are_let_in(bridges: Bridges, origins: str) -> None:
    bridge = bridges("--cors-origins", origins)
    origin = {"origin": "https://shop.example"}
    answer = otlp.post(bridge.otlp_url, BODIES[otlp.JSON], otlp.JSON, headers=origin)
    assert answer.status_code == 200
    assert cors(answer)["access-control-allow-origin"] in (origin["origin"], "*")
    preflight = requests.options(bridge.otlp_url, headers=origin | PREFLIGHT, timeout=10)
    assert preflight.status_code in (200, 204)
    allowed = cors(preflight)
    assert allowed["access-control-allow-origin"] in (origin["origin"], "*")
    assert "POST" in allowed["access-control-allow-methods"]
    words = {word.strip().lower() for word in allowed["access-control-allow-headers"].split(",")}
    assert {"content-type", "content-encoding"} <= words
    stranger = {"origin": "https://evil.example"}
    if origins != "*":
        assert "access-control-allow-origin" not in cors(
            requests.options(bridge.otlp_url, headers=stranger | PREFLIGHT, timeout=10)
        )
        assert "access-control-allow-origin" not in cors(
            otlp.post(bridge.otlp_url, BODIES[otlp.JSON], otlp.JSON, headers=stranger)
        )
    # Nothing else is opened.
    assert cors(requests.get(bridge.url("/metrics"), headers=origin, timeout=10)) == {}
    assert cors(requests.get(bridge.url("/api/v1/status"), headers=origin, timeout=10)) == {}


@EVERY_TYPE
def test_p_09_nothing_is_a_success(bridge: Bridge, content_type: str) -> None:
    empty = {otlp.PROTOBUF: b"", otlp.JSON: b"{}"}[content_type]
    answer = otlp.post(bridge.otlp_url, empty, content_type)
    assert (answer.status_code, answer.content) == (200, SUCCESS[content_type])
    assert bridge.scrape("/metrics/otlp") == ""


def test_p_17_other_signals_are_told_off_and_logged_once(bridge: Bridge) -> None:
    traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    for _ in range(3):
        for path in ("/v1/traces", "/v1/logs"):
            answer = otlp.post(bridge.url(path, "otlp_http"), b"")
            assert answer.status_code == 404
            assert otlp.Status.FromString(answer.content).message.startswith("unsupported_signal: ")
        with otlp.GrpcClient(bridge.grpc_address) as client, pytest.raises(grpc.RpcError) as error:
            client.call(b"", method=traces)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    own = Exposition(bridge.scrape("/metrics/self"))
    assert own.value("meterbridge_requests_refused_total", reason="unsupported_signal") == 9
    about = [line for line in bridge.lines if "unsupported_signal" in line]
    # Once over each transport at most, however many come.
    assert 1 <= len(about) <= 3, about


def test_b_02_p_05_overload_is_for_now_and_a_cap_is_for_good(bridges: Bridges) -> None:
    size = 100_000
    # Requests one behind the other are a request, too.
    large = GOOD.SerializeToString() * (90_000 // GOOD.ByteSize())
    bridge = bridges("--max-request-bytes", str(size), "--max-series", "1")
    host, port = bridge.addresses["otlp_http"].rsplit(":", 1)
    head = (
        f"POST /v1/metrics HTTP/1.1\r\nhost: {host}\r\ncontent-type: {otlp.PROTOBUF}\r\ncontent-length: {size}\r\n\r\n"
    )
    with ExitStack() as held:

        def overloaded() -> list[requests.Response]:
            # One more that is almost there, and stays so.
            stream = held.enter_context(socket.create_connection((host, int(port)), timeout=10))
            stream.sendall(head.encode() + bytes(size - 1))
            answer = otlp.post(bridge.otlp_url, large)
            # In a list, since such an answer counts as false.
            return [answer] if answer.status_code == 503 else []

        (answer,) = wait_until(overloaded, seconds=20, pause=0, what="too much is in hand")
        assert int(answer.headers["retry-after"]) > 0
        assert otlp.Status.FromString(answer.content).message.startswith("overloaded: ")
        with otlp.GrpcClient(bridge.grpc_address) as client, pytest.raises(grpc.RpcError) as error:
            client.call(large)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "google.rpc.RetryInfo" in [name.rpartition("/")[2] for name in otlp.error_details(error.value)]
    wait_until(lambda: otlp.post(bridge.otlp_url, BODIES[otlp.PROTOBUF]).status_code == 200, what="it is taken again")
    # Told in a success, which no sender tries again.
    otlp.push_refused(bridge.otlp_url, otlp.request(otlp.gauge("more", 1)), "too_many_series")
