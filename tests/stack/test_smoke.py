#!/usr/bin/env python3
"""Tries smoke.sh on a stand-in that answers as the bridge, Prometheus and Grafana do, healthy and broken: Grafana's part cannot
be tried on Grafana where its image is not in reach.

    python3 tests/stack/test_smoke.py
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSWORD = "pass/word+of=24.letters"
LOGIN = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
BOARDS = ["meterbridge-endpoints", "meterbridge-ingest", "meterbridge-latency", "meterbridge-prometheus"]


class Stack(ThreadingHTTPServer):
    """All three on one port."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.sample, self.boards, self.health = None, BOARDS, 200
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        metric = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
        self.server.sample = metric["sum"]["dataPoints"][0]["asInt"]
        self.answer(200, {})

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/api/v1/query":
            sample = {"metric": {"job": "smoke", "instance": "smoke-1"}, "value": [0, self.server.sample]}
            up = {"metric": {}, "value": [0, "2"]}
            self.answer(200, {"data": {"result": [sample if "smoke_samples" in self.path else up]}})
        elif path in ("/-/ready", "/api/health"):
            self.answer(200, {})
        elif self.headers["Authorization"] != LOGIN:
            self.answer(401, {"message": "Invalid username or password"})
        elif path == "/api/datasources/uid/prometheus/health":
            self.answer(self.server.health, {"status": "OK"})
        elif path == "/api/search":
            self.answer(200, [{"uid": uid} for uid in self.server.boards])
        else:
            self.answer(404, {})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Smoke(unittest.TestCase):
    def smoke(self, password=PASSWORD, **state):
        """The exit status of smoke.sh and what it says, in a folder that has nothing but it and a password."""
        stack = Stack()
        vars(stack).update(state)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tests/stack").mkdir(parents=True)
            shutil.copy(HERE / "smoke.sh", Path(folder) / "tests/stack")
            (Path(folder) / ".secrets").mkdir()
            (Path(folder) / ".secrets/grafana_admin_password").write_text(password)
            ports = dict.fromkeys(("HTTP_PORT", "OTLP_HTTP_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"), str(stack.server_port))
            env = {name: value for name, value in os.environ.items() if name not in ("BIND", "GRAFANA")} | ports
            run = subprocess.run([f"{folder}/tests/stack/smoke.sh"], env=env, text=True, capture_output=True)
        stack.shutdown()
        stack.server_close()
        return run.returncode, run.stdout + run.stderr

    def test_a_healthy_stack_passes(self):
        status, said = self.smoke()
        self.assertEqual((status, "ok: Grafana has the four boards" in said), (0, True), said)

    def test_a_broken_grafana_fails_and_says_why(self):
        for state, wanted in (
            ({"boards": BOARDS[1:]}, "Grafana has the boards «meterbridge-ingest"),
            ({"health": 400}, "does not reach Prometheus"),
            ({"password": "another"}, "does not take the password"),
        ):
            with self.subTest(state):
                status, said = self.smoke(**state)
                self.assertEqual(status, 1, said)
                self.assertIn(wanted, said)


if __name__ == "__main__":
    unittest.main()
