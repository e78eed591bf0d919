"""A real Prometheus that scrapes one bridge."""

import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import requests

import programs
from bridge import wait_until

CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: meterbridge
    honor_labels: true
    static_configs:
      - targets: ["{target}"]
"""

Labels = dict[str, str]


class Prometheus:
    """It stores below `folder` and listens on a port that the system chooses."""

    def __init__(self, target: str, folder: Path) -> None:
        self.target = target
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(target=target))
        self.lines: list[str] = []
        self.address = ""
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [
                programs.need("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--web.listen-address=127.0.0.1:0",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=programs.clean_environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            if not self._listening.wait(20) or not self.address:
                raise AssertionError("Prometheus does not listen:\n" + "\n".join(self.lines[-20:]))
            wait_until(self._is_ready, seconds=20, what="Prometheus is ready")
        except BaseException:
            self.stop()
            raise

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(r'msg="Listening on".* address=(\S+)', line):
                self.address = found[1]
                self._listening.set()
        self._listening.set()

    def _is_ready(self) -> bool:
        return requests.get(f"http://{self.address}/-/ready", timeout=5).status_code == 200

    def api(self, path: str, **parameters: str) -> Any:
        answer = requests.get(f"http://{self.address}/api/v1/{path}", params=parameters, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[tuple[Labels, float]]:
        """The samples of an instant query, each with all of its labels."""
        result = self.api("query", query=expression)["result"]
        return [(item["metric"], float(item["value"][1])) for item in result]

    def wait_for(self, expression: str, seconds: float = 15) -> list[tuple[Labels, float]]:
        """The samples of a query, once there are any."""
        return wait_until(lambda: self.query(expression), seconds=seconds, what=f"{expression} in Prometheus")

    def metric_type(self, family: str) -> str:
        """The type that Prometheus read; there has to be one and no more."""
        entries = self.api("targets/metadata", metric=family)
        types = {entry["type"] for entry in entries}
        assert len(types) == 1, f"{family}: {entries}"
        return types.pop()

    def help(self, family: str) -> str:
        (entry,) = self.api("metadata", metric=family)[family]
        return entry["help"]

    def scrape_error(self) -> str:
        """Why the last scrape failed; empty where it did not."""
        (target,) = self.api("targets", state="active")["activeTargets"]
        return target["lastError"]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self._reader.join(5)
