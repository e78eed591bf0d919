"""The real binary, on ports of its own."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests

import programs

LISTENERS = ("http", "otlp_http", "otlp_grpc")
START_SECONDS = 20
STOP_SECONDS = 15

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, seconds: float = 10, pause: float = 0.25, what: str = "") -> T:
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(pause)


class Bridge:
    """One running bridge. Its log is read as JSON, which is also how it says where it listens."""

    def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
        defaults = {
            "--http-listen": "127.0.0.1:0",
            "--otlp-http-listen": "127.0.0.1:0",
            "--otlp-grpc-listen": "127.0.0.1:0",
            "--log-format": "json",
        }
        command = [programs.meterbridge(), "serve"]
        for option, value in defaults.items():
            if option not in options:
                command += [option, value]
        self.lines: list[str] = []
        self.addresses: dict[str, str] = {}
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=programs.clean_environment(environment),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            if not self._listening.wait(START_SECONDS):
                raise AssertionError(f"it does not say where it listens; its log: {self.log()}")
            wait_until(self.is_ready, pause=0.02, what="/-/ready")
        except BaseException:
            self.kill()
            raise

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            fields = as_fields(line)
            if fields.get("listener") in LISTENERS and "address" in fields:
                self.addresses[fields["listener"]] = fields["address"]
            if len(self.addresses) == len(LISTENERS):
                self._listening.set()
        # The end of the log is the end of the process: nobody need wait for it any longer.
        self._listening.set()

    def log(self) -> str:
        return "\n".join(self.lines)

    def events(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in list(self.lines)]

    def url(self, path: str, listener: str = "http") -> str:
        if listener not in self.addresses:
            raise AssertionError(f"there is no listener {listener}; its log: {self.log()}")
        return f"http://{self.addresses[listener]}{path}"

    @property
    def otlp_url(self) -> str:
        return self.url("/v1/metrics", "otlp_http")

    @property
    def grpc_address(self) -> str:
        return self.addresses["otlp_grpc"]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url(path), timeout=10, **options)

    def scrape(self, path: str = "/metrics") -> str:
        """What a scrape shows; it has to succeed."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4"), answer.headers
        return answer.content.decode()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, f"it has ended; its log: {self.log()}"
        return self.get("/-/ready").status_code == 200

    def memory(self, key: str) -> int:
        """A size from the process' status, in bytes: `VmHWM` is the peak of resident memory, `VmRSS` the present."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith(f"{key}:")]
        return int(line.split()[1]) * 1024

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit status, once the process has ended."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    def stop(self) -> None:
        """Stops it as an orchestrator does; it has to leave in order."""
        try:
            if self.process.poll() is None:
                self.terminate()
            status = self.wait()
        finally:
            self.kill()
        assert status == 0, f"exit status {status}; its log: {self.log()}"
        assert "panicked" not in self.log()

    def kill(self) -> None:
        """Ends it in any case."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self._reader.join(5)


def as_fields(line: str) -> dict[str, Any]:
    """The fields of a line of the log, flat or below `fields`."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    nested = event.get("fields")
    return event | nested if isinstance(nested, dict) else event


@contextmanager
def stopped(bridge: Bridge) -> Iterator[Bridge]:
    """Stops the bridge at the end; what went wrong before that is told first."""
    try:
        yield bridge
    except BaseException:
        bridge.kill()
        raise
    bridge.stop()
