"""What the tests share: bridges, a Prometheus, and the report of programs that are missing."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

import programs
from bridge import Bridge
from prometheus_server import Prometheus, Scrape
from senders import curl_push, sdk_pushes

__all__ = ["curl_push", "sdk_pushes"]

# Everything is on loopback; a proxy of the machine has no part in it.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]
os.environ["NO_PROXY"] = "*"


def _leave(*_: object) -> None:
    raise KeyboardInterrupt


def pytest_configure() -> None:
    # As after ^C: the fixtures end what they started.
    signal.signal(signal.SIGTERM, _leave)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, remedy in sorted(programs.MISSING.items()):
        terminalreporter.write_line(
            f"MISSING: {what}. Its tests did not run; {remedy}.",
            red=True,
            bold=True,
        )


@pytest.fixture
def bridges() -> Iterator[Callable[..., Bridge]]:
    """Starts bridges with options of a test's own choosing; each has to stop in order."""
    started: list[Bridge] = []

    def start(*options: str, environment: dict[str, str] | None = None) -> Bridge:
        bridge = Bridge(*options, environment=environment)
        started.append(bridge)
        return bridge

    yield start
    stop_all(started)


@pytest.fixture
def bridge(bridges: Callable[..., Bridge]) -> Bridge:
    """A bridge with default options, for one test."""
    return bridges()


@pytest.fixture(scope="session")
def shared_bridge() -> Iterator[Bridge]:
    """The bridge into which the SDKs push, and which the judges look at afterwards."""
    bridge = Bridge()
    yield bridge
    stop_all([bridge])


@pytest.fixture(scope="session")
def prometheus(shared_bridge: Bridge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the shared bridge every second."""
    server = Prometheus(Scrape(shared_bridge.addresses["http"]), folder=tmp_path_factory.mktemp("prometheus"))
    yield server
    server.stop()


def stop_all(bridges: list[Bridge]) -> None:
    """Stops every one of them, and tells the first failure afterwards."""
    failures: list[BaseException] = []
    for bridge in bridges:
        try:
            bridge.stop()
        except BaseException as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
