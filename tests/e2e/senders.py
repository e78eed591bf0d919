"""The rows in which foreign senders push to the shared bridge, before anybody judges what came of it."""

import json
import sys
from pathlib import Path

import pytest

import otlp
import programs
from bridge import Bridge

ROWS = [
    ("grpc", "gzip"),
    ("grpc", "none"),
    ("http/protobuf", "gzip"),
    ("http/protobuf", "none"),
]

APP = Path(__file__).with_name("sdk_app.py")


def instance(protocol: str, compression: str) -> str:
    return f"{protocol.partition('/')[0]}-{compression}"


def run_sdk(bridge: Bridge, protocol: str, compression: str) -> None:
    """Runs the program with the SDK, which has to find nothing to complain of."""
    listener = "otlp_grpc" if protocol == "grpc" else "otlp_http"
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": bridge.url("", listener),
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "10",
    }
    if compression != "none":
        variables["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression
    done = programs.run(
        [sys.executable, str(APP), protocol, instance(protocol, compression)], environment=variables, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr, done.stderr.decode()


def json_document() -> dict[str, object]:
    """OTLP/JSON as a person writes it: 64-bit integers as text and as numbers, a field that nobody knows."""
    return {
        "resourceMetrics": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "by-hand"}},
                        {"key": "service.instance.id", "value": {"stringValue": "curl"}},
                    ]
                },
                "scopeMetrics": [
                    {
                        "scope": {"name": "hand", "futureField": [1, {"a": None}]},
                        "metrics": [
                            {
                                "name": "letters.sent",
                                "unit": "{letter}",
                                "description": "Letters that were sent.",
                                "sum": {
                                    "aggregationTemporality": 2,
                                    "isMonotonic": True,
                                    "dataPoints": [
                                        {
                                            "asInt": "9007199254740993",
                                            "startTimeUnixNano": str(otlp.at(0)),
                                            "timeUnixNano": str(otlp.at(10)),
                                            "attributes": [{"key": "urgent", "value": {"boolValue": True}}],
                                        }
                                    ],
                                },
                            },
                            {
                                "name": "letters.weight",
                                "unit": "g",
                                "description": "Weight of a letter.",
                                "histogram": {
                                    "aggregationTemporality": 2,
                                    "dataPoints": [
                                        {
                                            "count": 3,
                                            "sum": 70.5,
                                            "bucketCounts": ["1", 2, "0"],
                                            "explicitBounds": [20, 50.0],
                                            "startTimeUnixNano": otlp.at(0),
                                            "timeUnixNano": otlp.at(10),
                                        }
                                    ],
                                },
                            },
                            {
                                "name": "desk.height",
                                "unit": "m",
                                "description": "How high the desk is.",
                                "gauge": {"dataPoints": [{"asDouble": 0.72, "timeUnixNano": str(otlp.at(10))}]},
                            },
                            {
                                "name": "reading.time",
                                "unit": "s",
                                "description": "Time to read a letter.",
                                "summary": {
                                    "dataPoints": [
                                        {
                                            "count": "2",
                                            "sum": 4,
                                            "quantileValues": [
                                                {"quantile": 1, "value": 3},
                                                {"quantile": 0.5, "value": 1.5},
                                            ],
                                            "startTimeUnixNano": str(otlp.at(0)),
                                            "timeUnixNano": str(otlp.at(10)),
                                        }
                                    ]
                                },
                            },
                        ],
                    }
                ],
            }
        ]
    }


def run_curl(bridge: Bridge, folder: Path) -> None:
    """Posts the JSON document with curl, as a shell script would."""
    document = folder / "request.json"
    document.write_text(json.dumps(json_document()))
    done = programs.run(
        [
            programs.need("curl"),
            *("--silent", "--show-error", "--max-time", "10", "--fail-with-body", "--noproxy", "*"),
            *("--header", "content-type: application/json; charset=utf-8"),
            *("--data-binary", f"@{document}"),
            *("--write-out", "\n%{http_code} %{content_type}"),
            bridge.otlp_url,
        ]
    )
    assert done.returncode == 0, done
    assert done.stdout.decode() == "{}\n200 application/json", done.stdout


@pytest.fixture(scope="session")
def sdk_pushes(shared_bridge: Bridge) -> Bridge:
    """The shared bridge after the SDK has pushed in every row."""
    for protocol, compression in ROWS:
        run_sdk(shared_bridge, protocol, compression)
    return shared_bridge


@pytest.fixture(scope="session")
def curl_push(shared_bridge: Bridge, tmp_path_factory: pytest.TempPathFactory) -> Bridge:
    """The shared bridge after curl has posted JSON."""
    run_curl(shared_bridge, tmp_path_factory.mktemp("curl"))
    return shared_bridge
