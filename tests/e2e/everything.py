"""One request with a metric of each kind, made by hand, since no SDK has all of them."""

from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Metric, SummaryDataPoint

import otlp

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"


def exemplar(value: float, t: float, *, traced: bool = False, **attributes: str) -> Exemplar:
    made = Exemplar(as_double=value, time_unix_nano=otlp.at(t))
    made.filtered_attributes.extend(otlp.attributes({key.replace("_", "."): text for key, text in attributes.items()}))
    if traced:
        made.trace_id, made.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    return made


def counter() -> Metric:
    metric = otlp.counter("http.client.request.size", 7, {"http.method": "GET"}, unit="By")
    metric.description = 'Bytes that were "sent".'
    metric.sum.data_points[0].exemplars.append(exemplar(1, 5, traced=True))
    return metric


def histogram() -> Metric:
    metric = otlp.histogram("request.duration", [1, 10], [2, 1, 1], 110.2)
    metric.unit = "s"
    metric.histogram.data_points[0].exemplars.extend(
        [exemplar(0.5, 5), exemplar(0.7, 9, traced=True), exemplar(10, 7, user_id="7"), exemplar(99, 8)]
    )
    return metric


def exponential() -> Metric:
    """One observation below zero, one at zero, three above."""
    metric = Metric(name="payload.size", unit="By")
    metric.exponential_histogram.aggregation_temporality = otlp.CUMULATIVE
    made = metric.exponential_histogram.data_points.add(
        start_time_unix_nano=otlp.at(0), time_unix_nano=otlp.at(10), count=5, sum=12.5, scale=0, zero_count=1
    )
    made.negative.offset = 0
    made.negative.bucket_counts.append(1)
    made.positive.offset = 1
    made.positive.bucket_counts.extend([0, 2, 1])
    made.exemplars.extend([exemplar(5, 6, traced=True), exemplar(12, 7)])
    return metric


def summary() -> Metric:
    metric = Metric(name="reading.time", unit="s")
    metric.summary.data_points.append(
        SummaryDataPoint(
            start_time_unix_nano=otlp.at(0),
            time_unix_nano=otlp.at(10),
            count=2,
            sum=4,
            quantile_values=[
                SummaryDataPoint.ValueAtQuantile(quantile=1, value=3),
                SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1.5),
            ],
        )
    )
    return metric


def hinted(name: str, hint: str, **labels: str) -> Metric:
    metric = otlp.gauge(name, 1, dict(labels))
    metric.metadata.extend(otlp.attributes({"prometheus.type": hint}))
    return metric


def request() -> otlp.ExportMetricsServiceRequest:
    return otlp.request(
        counter(),
        histogram(),
        exponential(),
        summary(),
        otlp.gauge("room.temperature", -3.5, {"room": 'the "small"\none'}, unit="Cel"),
        otlp.gauge("level", float("-inf")),
        hinted("build_info", "info", rev="abc"),
        hinted("odd", "unknown"),
        resource={"host.name": "h"},
        scope="lib",
    )
