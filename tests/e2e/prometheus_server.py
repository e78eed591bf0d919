"""A real Prometheus that scrapes bridges."""

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

import programs
from bridge import wait_until

# All that a format can carry is asked for, and stored.
FEATURES = "native-histograms,exemplar-storage,created-timestamp-zero-ingestion"


@dataclass
class Scrape:
    """A job. One with a protocol of its choice marks its series with its name, so that others may scrape the same."""

    target: str
    job: str = "meterbridge"
    protocol: str = ""
    path: str = "/metrics"

    def config(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "job_name": self.job,
            "honor_labels": True,
            "metrics_path": self.path,
            "static_configs": [{"targets": [self.target]}],
        }
        if self.protocol:
            made["scrape_protocols"] = [self.protocol]
            made["metric_relabel_configs"] = [{"target_label": "scraped_by", "replacement": self.job}]
        return made


Labels = dict[str, str]


class Prometheus:
    """It stores below `folder` and listens on a port that the system chooses."""

    def __init__(self, *scrapes: Scrape, folder: Path, features: str = "") -> None:
        self.target = scrapes[0].target
        config = folder / "prometheus.yml"
        # JSON is YAML too.
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                    "storage": {"exemplars": {"max_exemplars": 10_000}},
                    "scrape_configs": [scrape.config() for scrape in scrapes],
                }
            )
        )
        self.lines: list[str] = []
        self.address = ""
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [
                programs.need("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--web.listen-address=127.0.0.1:0",
                *([f"--enable-feature={features}"] if features else []),
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

    def histograms(self, expression: str) -> list[tuple[Labels, dict[str, Any]]]:
        """The native histograms of an instant query, with the buckets as the API shows them."""
        result = self.api("query", query=expression)["result"]
        return [(item["metric"], item["histogram"][1]) for item in result if "histogram" in item]

    def stored(self, selector: str, window: str = "10m") -> list[tuple[Labels, list[float]]]:
        """The values of each series as they were scraped, in order."""
        result = self.api("query", query=f"{selector}[{window}]")["result"]
        return [(item["metric"], [float(value) for _, value in item.get("values", [])]) for item in result]

    def exemplars(self, selector: str) -> list[tuple[Labels, dict[str, Any]]]:
        """Each exemplar of the last hours, with the labels of its series."""
        now = time.time()
        answer = self.api("query_exemplars", query=selector, start=str(now - 7200), end=str(now + 60))
        return [(item["seriesLabels"], exemplar) for item in answer for exemplar in item["exemplars"]]

    def metadata(self, job: str) -> dict[str, dict[str, str]]:
        """What one job was told of each family: type, help and unit."""
        entries = self.api("targets/metadata", match_target=f'{{job="{job}"}}')
        return {entry["metric"]: {key: entry[key] for key in ("type", "help", "unit")} for entry in entries}

    def targets(self) -> dict[str, dict[str, Any]]:
        """The target of each job."""
        return {target["scrapePool"]: target for target in self.api("targets", state="active")["activeTargets"]}

    def complaints(self) -> list[str]:
        """What it has logged that is no good news."""
        return [line for line in self.lines if "level=WARN" in line or "level=ERROR" in line]

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
