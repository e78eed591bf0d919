#!/usr/bin/env python3
"""Starts a bridge, the demo's services and a Prometheus with our configuration and rules, all on loopback, and runs
panels.py against them: every query of every dashboard has to have data.

    python3 tests/stack/live.py [--keep]        --keep: leave them running afterwards, until Ctrl-C

METERBRIDGE_BIN is the bridge (default target/release/meterbridge). Prometheus is the one of tests/tools/prometheus.sh.
"""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import panels

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = os.environ.get("METERBRIDGE_BIN", str(ROOT / "target/release/meterbridge"))
# What for-3.5.sh takes out of prometheus.yml, as the flags of 3.5.
FOR_3_5 = ["--enable-feature=exemplar-storage,native-histograms,extra-scrape-metrics"]
SINCE_3_8 = ["--enable-feature=exemplar-storage"]


# What a healthy stack has none of: a point without a time, a histogram whose count is not that of its buckets, and a body
# that is no OTLP. And what the demo does not send: an exponential histogram, from a service of its own.
TRACE = "0af7651916cd43dd8448eb211c80319c"
STARTED = time.time_ns()


def odd(tick):
    now, start = str(time.time_ns()), str(STARTED)
    attributes = [
        {"key": "http.request.method", "value": {"stringValue": "GET"}},
        {"key": "http.route", "value": {"stringValue": "/native"}},
        {"key": "http.response.status_code", "value": {"intValue": "200"}},
    ]
    point = {"startTimeUnixNano": start, "timeUnixNano": now}
    native = {
        **point, "attributes": attributes, "count": str(30 * tick), "sum": 3.0 * tick, "scale": 2, "zeroCount": "0",
        "positive": {"offset": -16, "bucketCounts": [str(10 * tick)] * 3},
        "exemplars": [{"timeUnixNano": now, "asDouble": 0.07, "traceId": TRACE,
                       "spanId": "b7ad6b7169203331"}],
    }  # fmt: skip
    miscounted = {**point, "count": "7", "sum": 1, "explicitBounds": [1], "bucketCounts": ["1", "2"]}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "odd"}}]}
    metrics = [
        {"name": "odd", "gauge": {"dataPoints": [{"timeUnixNano": "0", "asInt": "1"}]}},
        {"name": "miscounted", "histogram": {"aggregationTemporality": 2, "dataPoints": [miscounted]}},
        {
            "name": "http.server.request.duration", "unit": "s",
            "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [native]},
        },
    ]  # fmt: skip
    return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}).encode()


def push_odd_things(otlp_http):
    for tick in itertools.count(1):
        for body in (odd(tick), b"not OTLP"):
            request = urllib.request.Request(
                f"http://127.0.0.1:{otlp_http}/v1/metrics", body, {"Content-Type": "application/json"}
            )
            try:
                urllib.request.urlopen(request, timeout=5).close()
            except OSError:  # refused, as it should be; or the bridge is gone
                pass
        time.sleep(5)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def answers(url, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"live.py: {url} does not answer within {seconds} s")


def configured(work, bridge, own):
    """prometheus/ with the addresses of this run, and the flags for the Prometheus that is there."""
    binaries = Path(subprocess.check_output([ROOT / "tests/tools/prometheus.sh", ROOT / ".cache/prometheus"], text=True).strip())
    version = subprocess.check_output([binaries / "prometheus", "--version"], text=True, stderr=subprocess.STDOUT)
    old = " version 3.5." in version
    if old:
        subprocess.run([ROOT / "prometheus/for-3.5.sh", work / "prometheus"], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["cp", "-R", ROOT / "prometheus", work / "prometheus"], check=True)
    file = work / "prometheus/prometheus.yml"
    text = file.read_text().replace("meterbridge:9464", f"127.0.0.1:{bridge}").replace("localhost:9090", f"127.0.0.1:{own}")
    # No Grafana and no profile runs here: their jobs would ask this machine's resolver for names it does not know.
    text = re.sub(r"\n  - job_name: (grafana|collector|jaeger|alertmanager)\n(?:    .*\n)*", "\n", text)
    text = re.sub(r"\nalerting:\n(?:  .*\n)*", "\n", text)
    file.write_text(text)
    return binaries / "prometheus", file, FOR_3_5 if old else SINCE_3_8


def check_the_check(prometheus):
    """A metric that is not called so any more has to be found; and the exemplar has to have arrived."""
    asked = [(name, expr) for name, expr in panels.queries() if "meterbridge_points_accepted_total" in expr]
    for name, expr in asked:
        if not panels.ask(prometheus, expr.replace("meterbridge_points_accepted_total", "renamed_total")):
            sys.exit(f"live.py: {name} has data although its metric is renamed")
    print(f"ok: a renamed metric is found in all {len(asked)} queries that read it")
    parameters = {"query": "http_server_request_duration_seconds", "start": time.time() - 300, "end": time.time()}
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_exemplars?{urllib.parse.urlencode(parameters)}") as answer:
        found = json.load(answer)
    traces = {e["labels"].get("trace_id") for series in found["data"] for e in series["exemplars"]}
    if traces != {TRACE}:
        sys.exit(f"live.py: the exemplar with its trace is not in Prometheus, but {found}")
    print("ok: an exemplar is in Prometheus, with the trace that it names")


def main():
    http, otlp_http, otlp_grpc, own = free_ports(4)
    # Where a check is bounded by `timeout`, what was started ends too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        started = []

        def start(name, *command):
            log = open(work / f"{name}.log", "w")
            started.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=log))

        try:
            start("bridge", BRIDGE, f"--http-listen=127.0.0.1:{http}", f"--otlp-http-listen=127.0.0.1:{otlp_http}",
                  f"--otlp-grpc-listen=127.0.0.1:{otlp_grpc}")
            answers(f"http://127.0.0.1:{http}/-/ready", 20)
            start("demo", BRIDGE, "demo", f"--endpoint=http://127.0.0.1:{otlp_grpc}")
            threading.Thread(target=push_odd_things, args=(otlp_http,), daemon=True).start()
            prometheus, config, flags = configured(work, http, own)
            start("prometheus", prometheus, f"--config.file={config}", f"--storage.tsdb.path={work}/tsdb",
                  f"--web.listen-address=127.0.0.1:{own}", *flags)
            answers(f"http://127.0.0.1:{own}/-/ready", 30)
            print(f"live.py: Prometheus is on http://127.0.0.1:{own}, the bridge on http://127.0.0.1:{http}", flush=True)
            result = subprocess.run([sys.executable, ROOT / "tests/stack/panels.py", f"http://127.0.0.1:{own}", "150", "--all"])
            if result.returncode == 0:
                check_the_check(f"http://127.0.0.1:{own}")
            if "--keep" in sys.argv:
                signal.pause()
            if result.returncode:
                for log in work.glob("*.log"):
                    print(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-8:]), file=sys.stderr)
            sys.exit(result.returncode)
        except KeyboardInterrupt:
            pass
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(timeout=20)


if __name__ == "__main__":
    main()
