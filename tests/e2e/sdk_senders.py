"""Programs with the SDKs of three languages, which record and export a round when they are told, and can be killed."""

import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import programs
from bridge import Bridge

HERE = Path(__file__).parent
LANGUAGES = ["python", "node", "rust"]
# Both transports of each SDK take part.
PROTOCOLS = {"cumulative": "grpc", "delta": "http/protobuf"}
# What the SDKs can do: that of Node has exemplars, but its exporter does not write them (0.223); that of Rust has none
# (opentelemetry_sdk 0.33).
WITH_EXEMPLARS = ["python"]


class Sender:
    """One running program; it exports nothing by itself."""

    def __init__(self, language: str, bridge: Bridge, temporality: str, *, instance: str | None = None) -> None:
        protocol = PROTOCOLS[temporality]
        self.job = f"sender-{language}"
        self.instance = instance or temporality
        variables = {
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": bridge.url("", "otlp_grpc" if protocol == "grpc" else "otlp_http"),
            "OTEL_EXPORTER_OTLP_INSECURE": "true",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": temporality,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "10" if language == "python" else "10000",
            "OTEL_RESOURCE_ATTRIBUTES": f"service.name={self.job},service.instance.id={self.instance}",
        }
        self.errors: list[str] = []
        self._answers: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command(language),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=programs.clean_environment(variables),
        )
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._answers.put(line.strip())
        self._answers.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors += [line.rstrip("\n") for line in self.process.stderr]

    def round(self, *, flush: bool = True) -> str:
        """Records once, within a live span, and exports unless told not to. Returns the id of the trace."""
        assert self.process.stdin
        self.process.stdin.write("flush\n" if flush else "keep\n")
        self.process.stdin.flush()
        answer = self._answers.get(timeout=40)
        assert answer and len(answer) == 32, f"{answer!r}, and on standard error: {self.errors}"
        return answer

    def kill(self) -> None:
        """Ends it as a machine that fails does: nothing is flushed. It must have had nothing to complain of."""
        self.process.kill()
        self.process.wait(5)
        for reader in self._readers:
            reader.join(5)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        assert not self.errors, self.errors


def command(language: str) -> list[str]:
    match language:
        case "python":
            return [sys.executable, str(HERE / "sdk_sender.py")]
        case "node":
            node = programs.need("node")
            if not (HERE / "node" / "node_modules").is_dir():
                programs.missing("the packages of Node", "run 'npm ci' in tests/e2e/node")
            return [node, str(HERE / "node" / "sender.js")]
        case "rust":
            return [programs.need("sdk_sender")]
    raise AssertionError(language)


EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
EVERY_TEMPORALITY = pytest.mark.parametrize("temporality", list(PROTOCOLS))
