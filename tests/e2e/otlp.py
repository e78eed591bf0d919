"""OTLP messages made by hand, and the ways to send them."""

import gzip
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import requests
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
UNSPECIFIED = AggregationTemporality.AGGREGATION_TEMPORALITY_UNSPECIFIED

# The second 0 of the tests: ten minutes ago, so that later points are no future ones.
ORIGIN = int(time.time()) - 600

Value = str | bool | int | float


def at(seconds: float) -> int:
    """A moment of the tests, in nanoseconds since the epoch."""
    return int((ORIGIN + seconds) * 1_000_000_000)


def attributes(values: dict[str, Value]) -> list[KeyValue]:
    def any_value(value: Value) -> AnyValue:
        match value:
            case bool():
                return AnyValue(bool_value=value)
            case int():
                return AnyValue(int_value=value)
            case float():
                return AnyValue(double_value=value)
            case _:
                return AnyValue(string_value=value)

    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def point(value: float, labels: dict[str, Value] | None = None, *, t: float = 10) -> NumberDataPoint:
    made = NumberDataPoint(attributes=attributes(labels or {}), start_time_unix_nano=at(0), time_unix_nano=at(t))
    if isinstance(value, int):
        made.as_int = value
    else:
        made.as_double = value
    return made


def gauge(name: str, value: float, labels: dict[str, Value] | None = None, *, t: float = 10, unit: str = "") -> Metric:
    metric = Metric(name=name, unit=unit)
    metric.gauge.data_points.append(point(value, labels, t=t))
    return metric


def counter(
    name: str,
    value: float,
    labels: dict[str, Value] | None = None,
    *,
    t: float = 10,
    unit: str = "",
    temporality: "AggregationTemporality.ValueType" = CUMULATIVE,
) -> Metric:
    metric = Metric(name=name, unit=unit)
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = temporality
    metric.sum.data_points.append(point(value, labels, t=t))
    return metric


def histogram(
    name: str,
    bounds: Iterable[float],
    counts: Iterable[int],
    total: float,
    labels: dict[str, Value] | None = None,
    *,
    t: float = 10,
    temporality: "AggregationTemporality.ValueType" = CUMULATIVE,
) -> Metric:
    metric = Metric(name=name)
    metric.histogram.aggregation_temporality = temporality
    made = metric.histogram.data_points.add(
        attributes=attributes(labels or {}), start_time_unix_nano=at(0), time_unix_nano=at(t), sum=total
    )
    made.explicit_bounds.extend(bounds)
    made.bucket_counts.extend(counts)
    made.count = sum(made.bucket_counts)
    return metric


def exponential_histogram(name: str) -> Metric:
    metric = Metric(name=name)
    metric.exponential_histogram.aggregation_temporality = CUMULATIVE
    made = metric.exponential_histogram.data_points.add(
        start_time_unix_nano=at(0), time_unix_nano=at(10), count=2, sum=3, scale=0
    )
    made.positive.offset = 0
    made.positive.bucket_counts.extend([1, 1])
    return metric


def resource_metrics(
    metrics: Iterable[Metric],
    *,
    service: str = "svc",
    instance: str = "i1",
    scope: str = "",
    resource: dict[str, Value] | None = None,
) -> ResourceMetrics:
    identity: dict[str, Value] = {"service.name": service}
    if instance:
        identity["service.instance.id"] = instance
    return ResourceMetrics(
        resource=Resource(attributes=attributes(identity | (resource or {}))),
        scope_metrics=[ScopeMetrics(scope=InstrumentationScope(name=scope), metrics=metrics)],
    )


def request(*metrics: Metric, **resource: Any) -> ExportMetricsServiceRequest:
    """A request of one resource, by default `svc` and `i1`, and one scope."""
    return ExportMetricsServiceRequest(resource_metrics=[resource_metrics(metrics, **resource)])


def as_json(message: ExportMetricsServiceRequest) -> dict[str, Any]:
    """As OTLP/JSON has it: enums are numbers. (Bytes, which it writes in its own way, do not occur here.)"""
    return MessageToDict(message, use_integers_for_enums=True)


def post(
    url: str,
    body: bytes | Iterator[bytes],
    content_type: str | None = PROTOBUF,
    *,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    sent = dict(headers or {})
    if content_type is not None:
        sent["content-type"] = content_type
    return requests.post(url, data=body, headers=sent, timeout=30)


def push(url: str, message: ExportMetricsServiceRequest, *, compress: bool = False) -> ExportMetricsServiceResponse:
    """Sends over HTTP what has to be taken, at least in part."""
    body = message.SerializeToString()
    headers = {}
    if compress:
        body, headers = gzip.compress(body), {"content-encoding": "gzip"}
    answer = post(url, body, headers=headers)
    assert answer.status_code == 200, answer.content
    assert answer.headers["content-type"] == PROTOBUF
    return ExportMetricsServiceResponse.FromString(answer.content)


def push_accepted(url: str, message: ExportMetricsServiceRequest) -> None:
    """Sends what has to be taken without a word."""
    answer = push(url, message)
    assert not answer.HasField("partial_success"), answer


def push_refused(url: str, message: ExportMetricsServiceRequest, reason: str, points: int = 1) -> str:
    """Sends what has to be refused in part, for one reason; returns what the sender is told."""
    partial = push(url, message).partial_success
    assert partial.rejected_data_points == points, partial
    noun = "point" if points == 1 else "points"
    assert partial.error_message.startswith(f"{points} {noun} rejected: {reason}: "), partial
    return partial.error_message


class GrpcClient:
    """Sends bytes as they are over gRPC, so that they may be wrong."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=[("grpc.enable_retries", 0)])

    def __enter__(self) -> "GrpcClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def call(
        self,
        body: bytes,
        *,
        method: str = EXPORT,
        compression: grpc.Compression = grpc.Compression.NoCompression,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> ExportMetricsServiceResponse:
        stub = self._channel.unary_unary(
            method, request_serializer=None, response_deserializer=ExportMetricsServiceResponse.FromString
        )
        return stub(body, timeout=30, compression=compression, metadata=metadata)

    def stream(self, bodies: Iterator[bytes]) -> grpc.Future:
        """A call whose message may come late."""
        stub = self._channel.stream_unary(
            EXPORT, request_serializer=None, response_deserializer=ExportMetricsServiceResponse.FromString
        )
        return stub.future(bodies, timeout=30)


def grpc_by_hand(address: str, message: bytes, encoding: str) -> dict[str, str]:
    """Sends `message` as it is, said to be compressed with `encoding`; returns all headers and trailers.

    gRPC libraries compress what they send themselves, and know only encodings that exist.
    """
    body = b"\x01" + len(message).to_bytes(4, "big") + message
    host, _, port = address.rpartition(":")
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    headers: dict[str, str] = {}
    with socket.create_connection((host, int(port)), timeout=30) as stream:
        connection.initiate_connection()
        head = {":method": "POST", ":path": EXPORT, ":scheme": "http", ":authority": address}
        head |= {"te": "trailers", "content-type": "application/grpc", "grpc-encoding": encoding}
        connection.send_headers(1, list(head.items()))
        ended = False
        while not ended:
            # As much as the other side has room for; once it has answered, it wants no more.
            while body and "grpc-status" not in headers:
                room = min(connection.local_flow_control_window(1), connection.max_outbound_frame_size)
                if room == 0:
                    break
                connection.send_data(1, body[:room], end_stream=len(body) <= room)
                body = body[room:]
            stream.sendall(connection.data_to_send())
            received = stream.recv(1 << 16)
            assert received, "the connection ended without an answer"
            for event in connection.receive_data(received):
                if isinstance(event, ResponseReceived | TrailersReceived):
                    headers |= {str(name): str(value) for name, value in event.headers}
                ended |= isinstance(event, StreamEnded | StreamReset)
    return headers


def error_details(error: grpc.RpcError) -> list[str]:
    """The types of the details that came with a gRPC error."""
    assert isinstance(error, grpc.Call)
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return [detail.TypeName() for detail in Status.FromString(value).details]
    return []
