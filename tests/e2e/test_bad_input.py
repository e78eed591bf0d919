"""What is refused, in which words, and that it harms nothing.

All of it is sent to one bridge by one fixture, so that what it costs in memory is what all of it costs.
"""

import gzip
import http.client
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import grpc
import pytest
import requests
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

import otlp
from bridge import Bridge, stopped
from exposition import Exposition

MIB = 1 << 20
LIMIT = 64 * MIB  # --max-request-bytes, by default

POINT_REASONS = {
    *("empty_name", "reserved_name", "type_conflict", "name_conflict", "unknown_temporality", "no_value"),
    *("no_timestamp", "invalid_counter_value", "invalid_buckets", "invalid_quantile", "too_many_series"),
    *("too_many_labels", "label_name_too_long", "label_value_too_long", "help_too_long", "out_of_order"),
    *("inconsistent_count", "scale_too_low", "bucket_out_of_range", "no_sum"),
}
REQUEST_REASONS = {
    *("malformed", "invalid_utf8", "request_too_large", "unsupported_encoding", "unsupported_media_type"),
    *("unsupported_signal", "overloaded"),
}


# --- messages -------------------------------------------------------------------------------------------------------


GOOD = otlp.request(otlp.gauge("good", 1)).SerializeToString()
ONE = gzip.compress(GOOD)


def good_json() -> dict[str, Any]:
    return otlp.as_json(otlp.request(otlp.counter("good_json", 1)))


def with_name(raw: bytes) -> bytes:
    """A request whose metric has this name, which need not be text."""
    mark = b"NAME" + b"x" * (len(raw) - 4)
    message = otlp.request(otlp.gauge(mark.decode(), 1)).SerializeToString()
    assert message.count(mark) == 1
    return message.replace(mark, raw)


def enum_by_name() -> bytes:
    document = good_json()
    metric = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    metric["sum"]["aggregationTemporality"] = "AGGREGATION_TEMPORALITY_CUMULATIVE"
    return json.dumps(document).encode()


def deep_attribute() -> bytes:
    """An attribute of lists in lists, far deeper than any decoder may follow. Built from the inside out."""

    def field(number: int, inner: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(inner)) + inner

    value = b""
    for _ in range(20_000):
        value = field(5, field(1, value))  # AnyValue.array_value, ArrayValue.values
    attribute = field(1, b"deep") + field(2, value)
    data_point = field(7, attribute)  # NumberDataPoint.attributes
    metric = field(1, b"deep") + field(5, field(1, data_point))  # Metric.name, Metric.gauge, Gauge.data_points
    return field(1, field(2, field(2, metric)))


def deep_json() -> bytes:
    document = good_json()
    document["resourceMetrics"][0]["resource"]["attributes"] = [{"key": "deep", "value": "VALUE"}]
    depth = 20_000
    value = '{"arrayValue":{"values":[' * depth + '{"intValue":1}' + "]}}" * depth
    return json.dumps(document).replace('"VALUE"', value).encode()


def varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def bomb() -> bytes:
    """1 GiB in about 1 MiB of gzip. It inflates to a request that is good but for its size: a field that nobody knows.

    After a full flush the same bytes compress to the same bytes, so that one MiB has to be compressed, not a thousand.
    """
    total = 1024
    head = varint(15 << 3 | 2) + varint(total * MIB)
    zeros = bytes(MIB)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.flush(zlib.Z_FINISH)
    check = zlib.crc32(head)
    for _ in range(total):
        check = zlib.crc32(zeros, check)
    size = (len(head) + total * MIB) & 0xFFFFFFFF
    trailer = check.to_bytes(4, "little") + size.to_bytes(4, "little")
    made = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + first + middle * total + last + trailer
    assert len(made) < 1.2 * MIB
    return made


def in_pieces(body: bytes) -> Iterator[bytes]:
    """Makes a body without a length."""
    for start in range(0, len(body), MIB):
        yield body[start : start + MIB]


def thousand_attributes() -> bytes:
    return otlp.request(otlp.gauge("wide", 1, {f"a{n}": n for n in range(1000)})).SerializeToString()


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What came back, over either transport, and which counters moved by how much."""

    status: int | grpc.StatusCode
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    message: str = ""
    details: list[str] = field(default_factory=list)
    counted: dict[str, float] = field(default_factory=dict)


Send = Callable[[Bridge], Answer]


@dataclass
class Row:
    """A request, and what it has to be answered with."""

    send: Send
    status: int | grpc.StatusCode
    reason: str = ""  # that of the whole request
    points: str = ""  # that of the points which a partial success names
    names: str = ""  # what the message has to say beside the reason
    allow: str = ""
    code: int = 3  # that of the google.rpc.Status in the body
    unread: bool = False  # refused before its body is read
    encoding: str = otlp.PROTOBUF


def http_post(body: bytes, content_type: str | None = otlp.PROTOBUF, path: str = "/v1/metrics", **headers: str) -> Send:
    def send(bridge: Bridge) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = otlp.post(bridge.url(path, "otlp_http"), body, content_type, headers=named)
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    return send


def method(verb: str, path: str, listener: str) -> Send:
    def send(bridge: Bridge) -> Answer:
        answer = requests.request(verb, bridge.url(path, listener), timeout=10)
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    return send


def over_http(body: Callable[[], bytes], *, announced: bool, **headers: str) -> Send:
    """Sends a body that may be refused while it is still being sent, and reads the answer all the same."""

    def send(bridge: Bridge) -> Answer:
        made = body()
        connection = http.client.HTTPConnection(bridge.addresses["otlp_http"], timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["content-type"] = otlp.PROTOBUF
        try:
            try:
                if announced:
                    connection.request("POST", "/v1/metrics", made, named)
                else:
                    connection.request("POST", "/v1/metrics", in_pieces(made), named, encode_chunked=True)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It does not want the rest; the answer is there.
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    return send


def over_grpc(body: Callable[[], bytes], method: str = otlp.EXPORT, *, compress: bool = False) -> Send:
    compression = grpc.Compression.Gzip if compress else grpc.Compression.NoCompression

    def send(bridge: Bridge) -> Answer:
        with otlp.GrpcClient(bridge.grpc_address) as client:
            try:
                answer = client.call(body(), method=method, compression=compression)
            except grpc.RpcError as error:
                assert isinstance(error, grpc.Call)
                return Answer(error.code(), message=error.details() or "", details=otlp.error_details(error))
            return Answer(grpc.StatusCode.OK, body=answer.SerializeToString())

    return send


def by_hand(message: Callable[[], bytes], encoding: str) -> Send:
    """gRPC whose message need not be what its header says."""

    def send(bridge: Bridge) -> Answer:
        headers = otlp.grpc_by_hand(bridge.grpc_address, message(), encoding)
        (code,) = [code for code in grpc.StatusCode if code.value[0] == int(headers["grpc-status"])]
        details = ["?"] if "grpc-status-details-bin" in headers else []
        return Answer(code, headers, message=unquote(headers.get("grpc-message", "")), details=details)

    return send


def too_long() -> bytes:
    """A request that is good but for its size, which is over the limit by no more than its head."""
    return varint(15 << 3 | 2) + varint(LIMIT) + bytes(LIMIT)


def without_time() -> Metric:
    metric = otlp.gauge("t", 1)
    metric.gauge.data_points[0].ClearField("time_unix_nano")
    return metric


def overlap_and_good(name: str) -> bytes:
    """A delta whose window overlaps the one before it, beside what is good."""
    bad = otlp.counter(name, 1, temporality=otlp.DELTA)
    bad.sum.data_points.append(otlp.point(2, t=15))
    bad.sum.data_points[1].start_time_unix_nano = otlp.at(5)
    return otlp.request(otlp.gauge("beside_overlap", 1), bad).SerializeToString()


def exponential(name: str, **wrong: Any) -> bytes:
    """An exponential histogram with a field that is wrong, or not there where it is None."""
    metric = otlp.exponential_histogram(name)
    point: Any = metric.exponential_histogram.data_points[0]
    for field_name, value in wrong.items():
        if value is None:
            point.ClearField(field_name)
        elif field_name == "offset":
            point.positive.offset = value
        else:
            setattr(point, field_name, value)
    return otlp.request(metric).SerializeToString()


INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

ROWS: dict[str, Row] = {
    "truncated protobuf": Row(http_post(GOOD[:-3]), 400, "malformed"),
    "protobuf that is none": Row(http_post(b"\xff" * 64), 400, "malformed"),
    "JSON sent as protobuf": Row(http_post(json.dumps(good_json()).encode()), 400, "malformed"),
    "invalid UTF-8 in a metric's name": Row(http_post(with_name(b"caf\xe9\xff")), 400, "invalid_utf8", names="name"),
    "attributes too deep": Row(http_post(deep_attribute()), 400, "malformed"),
    "JSON that breaks off": Row(http_post(b"[1,2", otlp.JSON), 400, "malformed", encoding=otlp.JSON),
    "JSON that is a list": Row(http_post(b"[1,2]", otlp.JSON), 400, "malformed", encoding=otlp.JSON),
    "JSON that is empty": Row(http_post(b"", otlp.JSON), 400, "malformed", encoding=otlp.JSON),
    "JSON of another shape": Row(
        http_post(b'{"resourceMetrics": 5}', otlp.JSON), 400, "malformed", names="resourceMetrics", encoding=otlp.JSON
    ),
    "JSON too deep": Row(http_post(deep_json(), otlp.JSON), 400, "malformed", encoding=otlp.JSON),
    "JSON with an enum by name": Row(
        http_post(enum_by_name(), otlp.JSON), 400, "malformed", names="aggregationTemporality", encoding=otlp.JSON
    ),
    "JSON with invalid UTF-8": Row(
        http_post(b'{"resourceMetrics":[{"schemaUrl":"\xff"}]}', otlp.JSON),
        400,
        "invalid_utf8",
        names="schemaUrl",
        encoding=otlp.JSON,
    ),
    "a wrong content type": Row(
        http_post(GOOD, "text/plain"),
        415,
        "unsupported_media_type",
        names="text/plain",
        encoding=otlp.JSON,
        unread=True,
    ),
    "no content type": Row(http_post(GOOD, None), 415, "unsupported_media_type", encoding=otlp.JSON, unread=True),
    "an unknown encoding": Row(
        http_post(GOOD, content_encoding="br"), 415, "unsupported_encoding", names="br", code=12, unread=True
    ),
    "an unknown encoding of JSON": Row(
        http_post(b"{}", otlp.JSON, content_encoding="snappy"),
        415,
        "unsupported_encoding",
        names="snappy",
        code=12,
        encoding=otlp.JSON,
        unread=True,
    ),
    "gzip that is none": Row(http_post(GOOD, content_encoding="gzip"), 400, "malformed", names="gzip"),
    "gzip that breaks off": Row(http_post(ONE[:-12], content_encoding="gzip"), 400, "malformed", names="gzip"),
    "a body over the limit, announced": Row(over_http(too_long, announced=True), 413, "request_too_large", code=8),
    "a body over the limit, in chunks": Row(over_http(too_long, announced=False), 413, "request_too_large", code=8),
    "a gzip bomb": Row(over_http(bomb, announced=True, content_encoding="gzip"), 413, "request_too_large", code=8),
    "a gzip bomb in chunks": Row(
        over_http(bomb, announced=False, content_encoding="gzip"), 413, "request_too_large", code=8
    ),
    "traces": Row(
        http_post(GOOD, path="/v1/traces"),
        404,
        "unsupported_signal",
        names="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        code=12,
    ),
    "logs": Row(http_post(b"{}", otlp.JSON, path="/v1/logs"), 404, "unsupported_signal", code=12, encoding=otlp.JSON),
    "an unknown path of OTLP": Row(http_post(GOOD, path="/v1/profiles"), 404),
    "an unknown path": Row(method("GET", "/nothing/here", "http"), 404),
    "a GET of OTLP": Row(method("GET", "/v1/metrics", "otlp_http"), 405, allow="POST"),
    "a DELETE of a scrape": Row(method("DELETE", "/metrics", "http"), 405),
    "1,000 attributes": Row(http_post(thousand_attributes()), 200, points="too_many_labels", names="wide"),
    "an empty name": Row(http_post(otlp.request(otlp.gauge("", 1)).SerializeToString()), 200, points="empty_name"),
    "a name of which nothing is left": Row(
        http_post(otlp.request(otlp.gauge("温度", 1, unit="Cel")).SerializeToString()),
        200,
        points="empty_name",
        names="温度",
    ),
    "a delta that overlaps what is counted": Row(
        http_post(overlap_and_good("overlap")), 200, points="out_of_order", names="overlap"
    ),
    "an exponential histogram whose count is not its buckets'": Row(
        http_post(exponential("count", count=3)), 200, points="inconsistent_count", names="count"
    ),
    "an exponential histogram that is too coarse": Row(
        http_post(exponential("coarse", scale=-5)), 200, points="scale_too_low", names="coarse"
    ),
    "an exponential histogram beyond what a double holds": Row(
        http_post(exponential("beyond", scale=-4, offset=100)), 200, points="bucket_out_of_range", names="beyond"
    ),
    "an exponential histogram without a sum": Row(
        http_post(exponential("without_sum", sum=None)), 200, points="no_sum", names="without_sum"
    ),
    "no temporality": Row(
        http_post(otlp.request(otlp.counter("u", 1, temporality=otlp.UNSPECIFIED)).SerializeToString()),
        200,
        points="unknown_temporality",
    ),
    "no value": Row(
        http_post(
            json.dumps(
                {
                    "resourceMetrics": [
                        {
                            "scopeMetrics": [
                                {"metrics": [{"name": "n", "gauge": {"dataPoints": [{"timeUnixNano": "1"}]}}]}
                            ]
                        }
                    ]
                }
            ).encode(),
            otlp.JSON,
        ),
        200,
        points="no_value",
        encoding=otlp.JSON,
    ),
    "no time": Row(
        http_post(otlp.request(without_time()).SerializeToString()),
        200,
        points="no_timestamp",
    ),
    "a counter below zero": Row(
        http_post(otlp.request(otlp.counter("below", -1)).SerializeToString()), 200, points="invalid_counter_value"
    ),
    "buckets that do not fit": Row(
        http_post(otlp.request(otlp.histogram("b", [2, 1], [1, 1, 1], 3)).SerializeToString()),
        200,
        points="invalid_buckets",
    ),
    "a value that is too long": Row(
        http_post(otlp.request(otlp.gauge("v", 1, {"a": "x" * 20_000})).SerializeToString()),
        200,
        points="label_value_too_long",
    ),
    "gRPC: truncated": Row(over_grpc(lambda: GOOD[:-3]), INVALID, "malformed"),
    "gRPC: invalid UTF-8": Row(over_grpc(lambda: with_name(b"caf\xe9\xff")), INVALID, "invalid_utf8", names="name"),
    "gRPC: attributes too deep": Row(over_grpc(deep_attribute), INVALID, "malformed"),
    "gRPC: a message over the limit": Row(over_grpc(too_long), EXHAUSTED, "request_too_large"),
    "gRPC: inflates past the limit": Row(over_grpc(too_long, compress=True), EXHAUSTED, "request_too_large"),
    "gRPC: a gzip bomb": Row(by_hand(bomb, "gzip"), EXHAUSTED, "request_too_large"),
    "gRPC: gzip that is none": Row(by_hand(lambda: GOOD, "gzip"), INVALID, "malformed"),
    "gRPC: an unknown encoding": Row(by_hand(lambda: GOOD, "snappy"), UNIMPLEMENTED, "unsupported_encoding"),
    "gRPC: traces": Row(over_grpc(lambda: b"", TRACES), UNIMPLEMENTED, "unsupported_signal"),
    "gRPC: logs": Row(over_grpc(lambda: b"", LOGS), UNIMPLEMENTED, "unsupported_signal"),
    "gRPC: another method": Row(
        over_grpc(lambda: b"", otlp.EXPORT.replace("Export", "Import")), UNIMPLEMENTED, "unsupported_signal"
    ),
    "gRPC: 1,000 attributes": Row(over_grpc(thousand_attributes), grpc.StatusCode.OK, points="too_many_labels"),
    "gRPC: a delta that overlaps what is counted": Row(
        over_grpc(lambda: overlap_and_good("grpc_overlap")),
        grpc.StatusCode.OK,
        points="out_of_order",
        names="grpc_overlap",
    ),
}


# --- all of them, once ----------------------------------------------------------------------------------------------


@dataclass
class Results:
    """One bridge after all rows."""

    start: Exposition
    answers: dict[str, Answer]
    problems: dict[str, BaseException]
    resident_before: int
    peak_after: int
    end: Exposition


def refusals(bridge: Bridge) -> dict[str, float]:
    """The counters of refusals, by the word of their reason."""
    own = Exposition(bridge.scrape("/metrics/self"))
    return own.by_label("meterbridge_requests_refused_total", "reason") | own.by_label(
        "meterbridge_points_refused_total", "reason"
    )


@pytest.fixture(scope="module")
def results() -> Iterator[Results]:
    """Sends all rows to one bridge, then a good request, and looks at it again."""
    bridge = Bridge()
    with stopped(bridge):
        start = Exposition(bridge.scrape())
        # The first good requests of all pay for what every later one uses.
        for _ in range(3):
            otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("before", 1)))
            with otlp.GrpcClient(bridge.grpc_address) as client:
                client.call(GOOD)
        resident = bridge.memory("VmHWM")
        answers: dict[str, Answer] = {}
        problems: dict[str, BaseException] = {}
        before = refusals(bridge)
        for name, row in ROWS.items():
            try:
                answers[name] = row.send(bridge)
            except Exception as problem:  # Told by the test of this row; the others go on.
                problems[name] = problem
            after = refusals(bridge)
            if name in answers:
                answers[name].counted = {word: n - before[word] for word, n in after.items() if n != before[word]}
            before = after
        peak = bridge.memory("VmHWM")
        otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("right_after", 7)))
        end = Exposition(bridge.scrape())
        yield Results(start, answers, problems, resident, peak, end)


@pytest.mark.parametrize("name", ROWS)
def test_refusal(results: Results, name: str) -> None:
    row = ROWS[name]
    if name in results.problems:
        raise results.problems[name]
    answer = results.answers[name]
    assert answer.status == row.status, answer
    expected = {reason: 1 for reason in (row.reason, row.points) if reason}
    assert answer.counted == expected, answer
    if isinstance(answer.status, grpc.StatusCode):
        check_grpc(row, answer)
    elif row.reason:
        check_status(row, answer)
    elif row.points:
        check_partial(row, answer)
    else:
        check_problem(row, answer)


def check_grpc(row: Row, answer: Answer) -> None:
    if row.points:
        check_partial(row, answer)
        return
    assert answer.message.startswith(f"{row.reason}: "), answer
    assert row.names in answer.message
    # With RetryInfo a client sends the same again.
    assert answer.details == []


def check_status(row: Row, answer: Answer) -> None:
    """A google.rpc.Status in the encoding of the request."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"] == row.encoding
    assert "retry-after" not in headers
    if row.encoding == otlp.JSON:
        status = json.loads(answer.body)
        assert status.keys() == {"code", "message"}
        code, message = status["code"], status["message"]
    else:
        read = Status.FromString(answer.body)
        code, message = read.code, read.message
    assert message.startswith(f"{row.reason}: "), message
    assert row.names in message
    if row.reason != "unsupported_media_type":
        assert code == row.code


def check_partial(row: Row, answer: Answer) -> None:
    if row.encoding == otlp.JSON:
        document = json.loads(answer.body)["partialSuccess"]
        assert document["rejectedDataPoints"] == "1"
        message = document["errorMessage"]
    else:
        partial = ExportMetricsServiceResponse.FromString(answer.body).partial_success
        assert partial.rejected_data_points == 1
        message = partial.error_message
    assert message.startswith(f"1 point rejected: {row.points}: "), message
    assert row.names in message


def check_problem(row: Row, answer: Answer) -> None:
    """Nothing of OTLP: an answer for people and HTTP clients."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if row.allow:
        assert headers["allow"] == row.allow
    if answer.status == 404 or not row.allow:
        assert headers["content-type"] == "application/problem+json"
        problem = json.loads(answer.body)
        assert problem["status"] == answer.status
        assert problem["title"] and problem["detail"]


def test_every_reason_is_counted_from_the_start(results: Results) -> None:
    for name, reasons in (
        ("meterbridge_points_refused_total", POINT_REASONS),
        ("meterbridge_requests_refused_total", REQUEST_REASONS),
    ):
        assert results.start.by_label(name, "reason") == dict.fromkeys(reasons, 0)


def test_all_refusals_together_are_counted_and_no_more(results: Results) -> None:
    for name, reasons in (
        ("meterbridge_points_refused_total", [row.points for row in ROWS.values()]),
        ("meterbridge_requests_refused_total", [row.reason for row in ROWS.values()]),
    ):
        expected = dict.fromkeys(results.start.by_label(name, "reason"), 0)
        for reason in filter(None, reasons):
            expected[reason] += 1
        assert results.end.by_label(name, "reason") == expected


def test_peak_memory_grows_by_less_than_two_requests(results: Results) -> None:
    growth = results.peak_after - results.resident_before
    assert growth < 2 * LIMIT, f"{growth / MIB:.0f} MiB"
    print(f"peak memory grew by {growth / MIB:.0f} MiB, from {results.resident_before / MIB:.0f} MiB")


def test_a_good_request_right_after_is_on_metrics(results: Results) -> None:
    assert results.end.value("right_after", instance="i1", job="svc") == 7
    assert results.end.value("before", instance="i1", job="svc") == 1


def test_what_was_refused_left_nothing_but_what_was_good_beside_it(results: Results) -> None:
    own = set(results.start.types)
    bridged = {family for family in results.end.types if not family.startswith(("meterbridge_", "http_", "process_"))}
    assert bridged - own == {"good", "before", "right_after", "beside_overlap", "overlap_total", "grpc_overlap_total"}


# --- what is not refused --------------------------------------------------------------------------------------------


def test_a_body_of_exactly_the_limit_is_taken(bridges: Callable[..., Bridge]) -> None:
    bridge = bridges("--max-request-bytes", "1MiB")
    padded = otlp.request(otlp.gauge("at_the_limit", 1)).SerializeToString()
    rest = MIB - len(padded)
    head = varint(15 << 3 | 2)
    filler = rest - len(head) - len(varint(rest))
    body = padded + head + varint(filler) + bytes(filler)
    assert len(body) == MIB
    for made, headers in ((body, {}), (gzip.compress(body), {"content-encoding": "gzip"})):
        assert otlp.post(bridge.otlp_url, made, headers=headers).status_code == 200
        longer = otlp.post(bridge.otlp_url, head + varint(0) + body)
        assert longer.status_code == 413
    assert "at_the_limit" in bridge.scrape()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", otlp.PROTOBUF), (b"{}", otlp.JSON), (b'{"resourceMetrics":[]}', "application/json; charset=utf-8")],
)
def test_an_empty_request_is_a_success(bridge: Bridge, body: bytes, content_type: str) -> None:
    answer = otlp.post(bridge.otlp_url, body, content_type)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type.partition(";")[0]
    assert answer.content == (b"" if content_type == otlp.PROTOBUF else b"{}")


def test_json_of_unknown_fields_alone_succeeds_with_advice(bridge: Bridge) -> None:
    answer = otlp.post(bridge.otlp_url, b'{"resource_metrics":[]}', otlp.JSON)
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    assert partial.get("rejectedDataPoints", "0") == "0"
    assert partial["errorMessage"]


def test_a_deep_field_that_nobody_knows_is_ignored(bridge: Bridge) -> None:
    document = good_json() | {"future": "DEEP"}
    body = json.dumps(document).replace('"DEEP"', "[" * 100_000 + "]" * 100_000)
    answer = otlp.post(bridge.otlp_url, body.encode(), otlp.JSON)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert "good_json_total" in bridge.scrape()


def test_a_chunked_gzip_body_and_a_trailing_slash_are_taken(bridge: Bridge) -> None:
    answer = otlp.post(f"{bridge.otlp_url}/", iter([ONE[:20], ONE[20:]]), headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert 'good{instance="i1",job="svc"} 1\n' in bridge.scrape("/metrics/otlp")


def test_fields_in_reverse_order_are_the_same_message(bridge: Bridge) -> None:
    """Collectors write every message backwards."""
    message = otlp.request(otlp.counter("backwards", 3, {"a": "b"}), scope="lib")
    otlp.push_accepted(bridge.otlp_url, message)
    forwards = bridge.scrape("/metrics/otlp")
    body = message.SerializeToString()
    reverse = backwards(body, {1: {1: {1: {2: {}}}, 2: {1: {}, 2: {7: {1: {7: {2: {}}}}}}}})
    assert reverse != body
    answer = otlp.post(bridge.otlp_url, reverse)
    assert (answer.status_code, answer.content) == (200, b"")
    assert bridge.scrape("/metrics/otlp") == forwards


def backwards(message: bytes, nested: dict[int, Any]) -> bytes:
    """The fields of a message in reverse order, and those of its `nested` messages too."""
    fields: list[bytes] = []
    position = 0
    while position < len(message):
        start = position
        tag, position = read_varint(message, position)
        match tag & 7:
            case 0:
                _, position = read_varint(message, position)
            case 1:
                position += 8
            case 2:
                length, body = read_varint(message, position)
                position = body + length
                if tag >> 3 in nested:
                    inner = backwards(message[body:position], nested[tag >> 3])
                    fields.append(varint(tag) + varint(len(inner)) + inner)
                    continue
            case wire_type:
                raise AssertionError(wire_type)
        fields.append(message[start:position])
    return b"".join(reversed(fields))


def read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if byte < 0x80:
            return value, position


def test_the_log_does_not_grow_with_every_refusal(bridge: Bridge) -> None:
    before = len(bridge.lines)
    for _ in range(50):
        otlp.post(bridge.otlp_url, GOOD[:-3])
        otlp.post(bridge.url("/v1/traces", "otlp_http"), b"")
    assert len(bridge.lines) - before <= 5, bridge.log()
