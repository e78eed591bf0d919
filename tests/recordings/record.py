#!/usr/bin/env python3
"""Records what real SDKs and a Collector send as OTLP over HTTP; README.md says how, and in which format.

    record.py [SENDER...]     all by default

What they are built from comes from the package registries; what they are built to, from and with goes into .cache/recordings.
"""

import gzip
import io
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).resolve().parent
WORK = HERE.parent.parent / ".cache" / "recordings"
# The longest that a sender may take; ten exports take about three seconds.
PATIENCE = 120


class Missing(Exception):
    """What the machine lacks."""


class Receiver(ThreadingHTTPServer):
    """Takes whatever comes to /v1/metrics, and keeps it in order of arrival."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests: list[bytes] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def taken(self) -> list[bytes]:
        with self.lock:
            taken, self.requests = self.requests, []
        return taken


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.sized()
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if is_kept := self.path == "/v1/metrics":
            with self.server.lock:
                self.server.requests.append(body)
        self.send_response(200 if is_kept else 404)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def sized(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def chunks(self) -> bytes:
        body = io.BytesIO()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body.write(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body.getvalue()

    def log_message(self, *_args) -> None:
        pass


def need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"there is no {program}")


def run(*command, **options) -> None:
    log = WORK / "build.log"
    with log.open("ab") as out:
        if subprocess.run([str(part) for part in command], stdout=out, stderr=out, check=False, **options).returncode:
            raise Missing(f"`{command[0]}` failed; see {log}")


def python() -> list:
    venv = WORK / "python"
    if not venv.exists():
        run(sys.executable, "-m", "venv", venv)
    run(venv / "bin/python", "-m", "pip", "install", "--quiet", "-r", HERE / "python/requirements.txt")
    return [venv / "bin/python", "-B", HERE / "python/sender.py"]


def node() -> list:
    need("node", "npm")
    folder = WORK / "node"
    folder.mkdir(exist_ok=True)
    for file in ("package.json", "package-lock.json", "sender.js"):
        shutil.copy(HERE / "node" / file, folder)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    return ["node", folder / "sender.js"]


def go() -> list:
    need("go")
    run("go", "build", "-o", WORK / "go", ".", cwd=HERE / "go")
    return [WORK / "go"]


def java() -> list:
    need("mvn", "java")
    goals = ("compile", "dependency:copy-dependencies")
    run("mvn", "-q", "-B", f"-Dbuilt={WORK / 'java'}", *goals, cwd=HERE / "java")
    return ["java", "-cp", f"{WORK / 'java/classes'}:{WORK / 'java/dependency'}/*", "Sender"]


def rust() -> list:
    need("cargo")
    # As a release, and not the size of the crate around it.
    run("cargo", "build", "--release", "--locked", "--target-dir", WORK / "rust", cwd=HERE / "rust")
    return [WORK / "rust/release/meterbridge-recordings-sender"]


def collector() -> list:
    need("go")
    run("go", "build", "-o", WORK / "collector", ".", cwd=HERE.parent / "stack/collector")
    return [WORK / "collector", "--config", HERE / "collector.yaml"]


def start(command: list, **variables: str) -> subprocess.Popen:
    # Nothing of the environment but what programs need to run: SDKs put more of it into their resources.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.Popen([str(part) for part in command], env=kept | variables)


def start_sender(command: list, name: str, url: str, temporality: str, part: int, pause: float) -> subprocess.Popen:
    return start(
        command,
        ENDPOINT=f"{url}/v1/metrics",
        OTEL_SERVICE_NAME=name,
        TEMPORALITY=temporality,
        # Of a hundred series so many are recorded in an interval.
        PART=str(part),
        PAUSE=str(pause),
        PLAN=str(HERE / "plan.tsv"),
    )


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def finish(process: subprocess.Popen) -> None:
    try:
        if process.wait(PATIENCE) != 0:
            raise Missing("the sender failed")
    except subprocess.TimeoutExpired:
        raise Missing("the sender does not end") from None
    finally:
        end(process)


def record(receiver: Receiver, name: str, build, temporality: str = "cumulative", part: int = 70) -> None:
    finish(start_sender(build(), name, receiver.url(), temporality, part, 0.2))


def record_collector(receiver: Receiver, _name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = "127.0.0.1:%d" % free.getsockname()[1]
    senders = {"go": go(), "java": java(), "python": python()}
    own = start(collector(), IN=address, OUT=receiver.url())
    started = []
    try:
        wait_for(address, own)
        for sender, command in senders.items():
            started.append(start_sender(command, sender, f"http://{address}", "cumulative", 70, 0.5))
        for process in started:
            finish(process)
        # Longer than the timeout of its batches.
        time.sleep(1)
    finally:
        for process in (*started, own):
            end(process)


def wait_for(address: str, process: subprocess.Popen) -> None:
    host, port = address.split(":")
    for _ in range(PATIENCE * 10):
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port))).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Missing("the Collector does not start")


RECORDINGS = {
    "python": lambda receiver, name: record(receiver, name, python),
    "node": lambda receiver, name: record(receiver, name, node),
    "go": lambda receiver, name: record(receiver, name, go),
    "java": lambda receiver, name: record(receiver, name, java),
    "rust": lambda receiver, name: record(receiver, name, rust),
    "go-delta": lambda receiver, name: record(receiver, name, go, "delta", 100),
    "java-delta": lambda receiver, name: record(receiver, name, java, "delta", 100),
    "java-delta-some": lambda receiver, name: record(receiver, name, java, "delta"),
    "collector": record_collector,
}


def write(name: str, requests: list[bytes]) -> int:
    out = io.BytesIO()
    # Neither a name nor a time in the head.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as packed:
        for request in requests:
            packed.write(struct.pack(">I", len(request)) + request)
    (HERE / "data" / f"{name}.otlp.gz").write_bytes(out.getvalue())
    return len(out.getvalue())


def main() -> int:
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or list(RECORDINGS)
    if unknown := set(wanted) - set(RECORDINGS):
        print(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(RECORDINGS)}", file=sys.stderr)
        return 2
    receiver = Receiver()
    skipped = 0
    for name in wanted:
        try:
            RECORDINGS[name](receiver, name)
            requests = receiver.taken()
            print(f"{name}: {len(requests)} requests, {sum(map(len, requests))} bytes, {write(name, requests)} packed")
        except Missing as reason:
            receiver.taken()
            skipped += 1
            print(f"SKIPPED {name}: {reason}")
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
