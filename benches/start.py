#!/usr/bin/env python3
"""How long the release build takes to be ready, and what it costs while nobody asks it for anything.

    benches/start.py [BINARY]      by default target/release/meterbridge
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "target/release/meterbridge"
STARTS, IDLE_SECONDS = 20, 30


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(binary: str) -> tuple[subprocess.Popen, float]:
    """The process, and after how many milliseconds it said that it is ready."""
    http_port, grpc, otlp = free_ports(3)
    listen = [f"--http-listen=127.0.0.1:{http_port}", f"--otlp-grpc-listen=127.0.0.1:{grpc}"]
    began = time.perf_counter()
    process = subprocess.Popen([binary, *listen, f"--otlp-http-listen=127.0.0.1:{otlp}"], stderr=subprocess.DEVNULL)
    while time.perf_counter() - began < 10:
        connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=1)
        try:
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return process, (time.perf_counter() - began) * 1e3
        except OSError:
            time.sleep(0.0005)
        finally:
            connection.close()
    process.kill()
    sys.exit("it does not become ready")


def cpu_ms(pid: int) -> float:
    """What the process has used so far."""
    # In nanoseconds, unlike the ticks of /proc/PID/stat.
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e6


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(10)


def main() -> None:
    binary = str(Path(sys.argv[1] if len(sys.argv) > 1 else BINARY).resolve())
    if not os.access(binary, os.X_OK):
        sys.exit(f"there is no {binary}; cargo build --release")
    ready = []
    for _ in range(STARTS):
        process, after = start(binary)
        end(process)
        ready.append(after)
    print(f"start to ready: {statistics.median(ready):.1f} ms (median of {STARTS}, {min(ready):.1f} to {max(ready):.1f})")
    process, _ = start(binary)
    try:
        time.sleep(1)
        before = cpu_ms(process.pid)
        time.sleep(IDLE_SECONDS)
        used = cpu_ms(process.pid) - before
        print(f"idle: {used:.2f} ms of CPU in {IDLE_SECONDS} s, {resident_kb(process.pid) / 1024:.1f} MiB resident")
    finally:
        end(process)


if __name__ == "__main__":
    main()
