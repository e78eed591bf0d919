#!/usr/bin/env python3
"""What it costs to instrument a service, side by side: poem with nothing, with this crate, with poem's own middleware; FastAPI on
uvicorn with nothing and with prometheus_fastapi_instrumentator. One core serves, another asks (`wrk`, 16 connections), the
services in turn, so that what disturbs one disturbs all. Requests a second are medians over the rounds; the CPU that a request
takes is that of the best round, since neighbours on the machine only ever add to it.

    benches/peers/instrument.py [--rounds 7] [--seconds 2]

It needs cargo, wrk, taskset and a Python that can make a virtual environment; what is missing is left out, with a line.
"""

import argparse
import ctypes
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER, CLIENT = "0", "1"
# Seconds for what is built or fetched; the load itself is as long as it is asked to be.
LONGEST = 1800


@dataclass
class Service:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = HERE
    has_metrics: bool = False
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def start(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        command = ["taskset", "-c", SERVER, *(part.replace("PORT", str(self.port)) for part in self.command)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=os.environ | self.environment, stdin=quiet, stdout=quiet, stderr=quiet
        )
        for _ in range(100):
            try:
                self.get("/items/42")
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"{self.name} does not answer")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read()

    def seconds_of_cpu(self) -> float:
        assert self.process
        # To the nanosecond; /proc has hundredths of a second.
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.process.pid, ctypes.byref(clock)):
            sys.exit(f"{self.name} is gone")
        return time.clock_gettime(clock.value)

    def load(self, seconds: int) -> None:
        before = self.seconds_of_cpu()
        url = f"http://127.0.0.1:{self.port}/items/42"
        command = ["taskset", "-c", CLIENT, "wrk", "-t1", "-c16", f"-d{seconds}", url]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            sys.exit(f"{self.name} does not serve all requests:\n{said}")
        requests = int(re.search(r"(\d+) requests in", said)[1])
        self.rates.append(float(re.search(r"Requests/sec: *([\d.]+)", said)[1]))
        self.costs.append((self.seconds_of_cpu() - before) / requests * 1e6)
        if self.has_metrics:
            # As a scrape does now and then.
            self.get("/metrics")

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cost(self) -> float:
        return min(self.costs)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def poem() -> list[Service]:
    if not shutil.which("cargo"):
        print("left out: poem, since there is no cargo")
        return []
    folder = HERE / "poem"
    try:
        subprocess.run(["cargo", "build", "--quiet", "--release"], cwd=folder, check=True, timeout=LONGEST)
    except subprocess.SubprocessError as error:
        print(f"left out: poem, since it cannot be built: {error}")
        return []
    program = str(Path(os.environ.get("CARGO_TARGET_DIR", folder / "target")) / "release" / "peer-poem")
    ways = {"plain": "poem", "ours": "poem, this crate", "poem": "poem, its own middleware"}
    return [
        Service(name, [program, "serve", way, "PORT"], has_metrics=way == "ours") for way, name in ways.items()
    ]


def fastapi() -> list[Service]:
    folder = HERE / "fastapi"
    venv = folder / ".venv"
    pip = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=LONGEST)
        subprocess.run(pip, cwd=folder, check=True, timeout=LONGEST)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"left out: FastAPI, since its packages cannot be installed: {error}")
        return []
    uvicorn = [str(venv / "bin/uvicorn"), "app:app", "--port", "PORT", "--no-access-log", "--loop", "uvloop"]
    uvicorn += ["--http", "httptools"]
    return [
        Service("FastAPI", uvicorn, folder=folder),
        Service("FastAPI, its instrumentator", uvicorn, {"INSTRUMENT": "1"}, folder=folder, has_metrics=True),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    for program in ("wrk", "taskset"):
        if not shutil.which(program):
            sys.exit(f"there is no {program}; install it (Debian: wrk, util-linux)")
    groups = [group for group in (poem(), fastapi()) if group]
    services = [service for group in groups for service in group]
    try:
        for service in services:
            service.start()
        for number in range(options.rounds):
            for service in services if number % 2 == 0 else services[::-1]:
                service.load(options.seconds)
    finally:
        for service in services:
            service.stop()
    show(groups)


def show(groups: list[list[Service]]) -> None:
    print("| service | requests/s | of plain | CPU a request, best round | added |")
    print("|---|---|---|---|---|")
    for plain, *others in groups:
        print(f"| {plain.name} | {plain.rate:,.0f} | | {plain.cost:.1f} µs | |")
        for service in others:
            # Round by round, so that a slow one counts against both.
            ratio = statistics.median(own / other for own, other in zip(service.rates, plain.rates))
            added = service.cost - plain.cost
            print(f"| {service.name} | {service.rate:,.0f} | {ratio:.1%} | {service.cost:.1f} µs | {added:+.1f} µs |")
    if len(groups) == 2:
        ours, theirs = groups[0][1], groups[1][1]
        print(f"\nInstrumented, poem serves {ours.rate / theirs.rate:.1f} times the requests of FastAPI.")


if __name__ == "__main__":
    main()
