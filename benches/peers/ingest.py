#!/usr/bin/env python3
"""What it costs to take metrics in and to be scraped, side by side: Meterbridge, the OpenTelemetry Collector (OTLP receiver and
Prometheus exporter), vmagent, VictoriaMetrics, Prometheus, Pushgateway. One load generator (`load/`) sends one input to all, in
turns, so that what disturbs one disturbs all. Each server has one core, the load another. The CPU is that of the server's
process, user and system, until a second after the load. Figures are medians over the rounds.

    benches/peers/ingest.py [--series 1000000] [--rounds 3] [--only NAME,...] [--parts numbers,scrapes,mixed] [--bin FILE]
                            [--json FILE] [--markdown] [--quick]

`--markdown` writes the table into docs/performance.md, the figures to docs/peers.json and the chart to docs/peers.svg; with
`--only` it keeps what is stored of the others. `--from FILE` does so with figures that are there already. `--quick` is 20,000
series and one round, to see that it works. It needs cargo, taskset and setpriv, and go for the Collector. The other peers are
taken from the PATH, else from the newest Debian packages that apt knows, unpacked under .cache/peers. What is missing is left
out, with a line.
"""

import argparse
import ctypes
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
CACHE = ROOT / ".cache/peers"
PAGE, FIGURES, CHART = ROOT / "docs/performance.md", ROOT / "docs/peers.json", ROOT / "docs/peers.svg"
BEGIN, END = "<!-- peers -->", "<!-- /peers -->"
SERVER, CLIENT = "0", "1"
# Seconds: for what is built or fetched, for the whole run, for one subject's turns in one part, and that follow a measurement.
LONGEST_BUILD, LONGEST, LONGEST_TURNS, SETTLE = 1800, 2700, 110, 1
MIXED_AT_MOST = 200_000
PARTS = ["numbers", "scrapes", "mixed"]
NAMES = ["meterbridge", "collector", "vmagent", "victoria-metrics", "prometheus", "pushgateway"]
left_out: dict[str, str] = {}


class Broken(Exception):
    """A subject that does not do what is asked of it."""


class TooLong(Exception):
    """What was measured until then is kept."""


def leave_out(key: str, why: object) -> None:
    # What follows the colon may be a log, which does not belong on a page.
    left_out[key] = str(why).split(": ")[0]
    print(f"left out: {key}: {why}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def on_core(core: str, *command: object) -> list[str]:
    # It gets a signal when this process is gone, however that came.
    return ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", core, *map(str, command)]


def end(process: subprocess.Popen | None) -> None:
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Subject:
    """A server. In command, environment and addresses {a}, {b} and {c} are three of 127.0.0.1, {folder} is for its data."""

    key: str
    name: str
    version: str
    command: list[str]
    ready: str
    numbers: str = ""
    gzip: str = ""
    json: str = ""
    grpc: str = ""
    takes_mixed: bool = True
    scrape: str = ""
    text: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None
    places: dict[str, str] = field(default_factory=dict)
    figures: dict[str, list] = field(default_factory=dict)

    def start(self) -> None:
        folder = tempfile.mkdtemp(prefix="meterbridge-peers-")
        self.places = {letter: f"127.0.0.1:{free_port()}" for letter in "abc"} | {"folder": folder}
        environment = os.environ | {"GOMAXPROCS": "1"} | {name: self.at(text) for name, text in self.environment.items()}
        with open(f"{folder}/log", "wb") as log:
            self.process = subprocess.Popen(
                on_core(SERVER, *map(self.at, self.command)),
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(300):
            time.sleep(0.1)
            if self.process.poll() is not None:
                break
            try:
                place, path = self.at(self.ready).split("/", 1)
                with_timeout = http.client.HTTPConnection(place, timeout=2)
                with_timeout.request("GET", f"/{path}")
                if with_timeout.getresponse().status < 500:
                    self.note("empty", self.resident())
                    return
            except OSError:
                continue
        raise Broken(f"does not start: {self.log()}")

    def at(self, text: str) -> str:
        for name, place in self.places.items():
            text = text.replace("{" + name + "}", place)
        return text

    def log(self) -> str:
        return " ".join(Path(self.places["folder"], "log").read_text(errors="replace").split("\n")[-4:])[-300:]

    def stop(self) -> None:
        end(self.process)
        self.process = None
        if self.places:
            shutil.rmtree(self.places["folder"], ignore_errors=True)

    def cpu(self) -> float:
        assert self.process
        # To the nanosecond; /proc has hundredths of a second.
        clock = ctypes.c_int()
        if self.process.poll() is not None or ctypes.CDLL(None).clock_getcpuclockid(self.process.pid, ctypes.byref(clock)):
            raise Broken(f"is gone: {self.log()}")
        return time.clock_gettime(clock.value)

    def resident(self, which: str = "VmRSS") -> int:
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{which}:\s+(\d+)", status)
        if not found:
            raise Broken(f"is gone: {self.log()}")
        return int(found[1]) * 1024

    def note(self, what: str, figure: object) -> None:
        self.figures.setdefault(what, []).append(figure)

    def send(self, load: "Load", way: str, until: str, what: str = "") -> None:
        before = self.cpu()
        said = load.ask(self.at(getattr(self, way)), until)
        time.sleep(SETTLE)
        if said["refused"]:
            raise Broken(f"refuses {said['refused']} of {said['points']} points ({way})")
        if what:
            self.note(what, (self.cpu() - before) / said["points"] * 1e6)
            self.note(f"{what}_per_second", said["points"] / said["seconds"])
            say(f"{self.name}: {what} {self.figures[what][-1]:.3f} CPU-seconds a million points")


class Load:
    """The load generator. It is started when it is first needed, and anew where it ended with a server that broke."""

    def __init__(self, *arguments: object) -> None:
        self.command = on_core(CLIENT, TARGET / "release/peer-load", *arguments)
        self.process: subprocess.Popen | None = None

    def ask(self, address: str, until: str) -> dict:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.read(address)
        self.process.stdin.write(f"{address} {until}\n")
        self.process.stdin.flush()
        return self.read(address)

    def read(self, address: str) -> dict:
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(20)
            raise Broken(f"the load to {address.split('://')[0]} ends early")
        return json.loads(line)

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)


# The subjects.


def run(*command: object, folder: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=os.environ | environment, capture_output=True, text=True,
        timeout=LONGEST_BUILD,
    )  # fmt: skip
    if done.returncode:
        raise Broken(f"{Path(command[0]).name} fails: {done.stderr.strip()[-300:]}")
    return done.stdout


def debian(package: str, *programs: str) -> tuple[list[Path], str]:
    """The programs, and their version."""
    found = [shutil.which(program) for program in programs]
    if all(found):
        said = subprocess.run([found[0], "--version"], capture_output=True, text=True, timeout=30)
        version = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
        return [Path(path) for path in found], version[0] if version else ""
    if not (shutil.which("apt-cache") and shutil.which("apt-get") and shutil.which("dpkg")):
        raise Broken(f"there is no {programs[0]}, and no apt to fetch it with")
    known = [line.split("|")[1].strip() for line in run("apt-cache", "madison", package).splitlines()]
    if not known:
        raise Broken(f"there is no {programs[0]}, and apt knows no package {package} (apt-get update)")
    folder = CACHE / f"{package}_{known[0]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as place:
            run("apt-get", "download", f"{package}={known[0]}", folder=Path(place))
            (archive,) = Path(place).glob("*.deb")
            run("dpkg", "-x", archive, Path(place, "unpacked"))
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(place, "unpacked"), folder)
    paths = [folder / "usr/bin" / program for program in programs]
    for path in paths:
        if not path.exists():
            raise Broken(f"the package {package} {known[0]} has no {path.name}")
    return paths, re.match(r"[\d.]+\d", known[0])[0]


def meterbridge(options: argparse.Namespace) -> Subject:
    program = options.bin
    if not program:
        run("cargo", "build", "--release", "--locked", "--bin", "meterbridge")
        program = TARGET / "release/meterbridge"
    program = Path(program).resolve()
    listen = ["--http-listen", "{a}", "--otlp-http-listen", "{b}", "--otlp-grpc-listen", "{c}"]
    limits = ["--max-series", "0", "--max-series-per-job", "0", "--max-series-per-metric", "0", "--expiry", "1d"]
    listen += ["--log-level", "warn"]
    return Subject(
        "meterbridge", "Meterbridge", run(program, "--version").split()[-1], [str(program), *listen, *limits], "{a}/metrics",
        numbers="http://{b}/v1/metrics", gzip="gzip+http://{b}/v1/metrics", json="json+http://{b}/v1/metrics",
        grpc="grpc://{c}", scrape="scrape+http://{a}/metrics",
    )  # fmt: skip


def collector(_: argparse.Namespace) -> Subject:
    if not shutil.which("go"):
        raise Broken("there is no go")
    folder, program = HERE / "collector", CACHE / "collector"
    run("go", "build", "-o", program, ".", folder=folder)
    version = re.search(r"prometheusexporter v([\d.]+)", (folder / "go.mod").read_text())[1]
    return Subject(
        "collector", "Collector", version, [str(program), "--config", str(folder / "config.yaml")], "{a}/metrics",
        numbers="http://{b}/v1/metrics", gzip="gzip+http://{b}/v1/metrics", json="json+http://{b}/v1/metrics",
        grpc="grpc://{c}", scrape="scrape+http://{a}/metrics",
        environment={"METRICS": "{a}", "OTLP_HTTP": "{b}", "OTLP_GRPC": "{c}"},
    )  # fmt: skip


sink: subprocess.Popen | None = None


def vmagent(_: argparse.Namespace) -> Subject:
    global sink
    (program,), version = debian("victoria-metrics", "vmagent")
    command = on_core(CLIENT, TARGET / "release/peer-load", "sink")
    sink = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = sink.stdout.readline().strip()
    out = [f"-remoteWrite.url=http://127.0.0.1:{port}/", "-remoteWrite.tmpDataPath={folder}/queue"]
    push = "http://{a}/opentelemetry/v1/metrics"
    return Subject(
        "vmagent", "vmagent", version, [str(program), "-httpListenAddr={a}", *out], "{a}/metrics",
        numbers=push, gzip=f"gzip+{push}",
    )  # fmt: skip


def victoria_metrics(_: argparse.Namespace) -> Subject:
    (program,), version = debian("victoria-metrics", "victoria-metrics")
    keep = ["-storageDataPath={folder}/data", "-retentionPeriod=10y"]
    push = "http://{a}/opentelemetry/v1/metrics"
    return Subject(
        "victoria-metrics", "VictoriaMetrics", version, [str(program), "-httpListenAddr={a}", *keep], "{a}/metrics",
        numbers=push, gzip=f"gzip+{push}",
    )  # fmt: skip


def prometheus(_: argparse.Namespace) -> Subject:
    (program,), version = debian("prometheus", "prometheus")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "prometheus.yaml").write_text("global: {scrape_interval: 1h}\n")
    command = [str(program), f"--config.file={CACHE}/prometheus.yaml", "--storage.tsdb.path={folder}/data"]
    command += ["--web.listen-address={a}"]
    # Debian's is built without the receiver for OTLP.
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30)
    if "web.enable-otlp-receiver" in help_text.stdout + help_text.stderr:
        push = "http://{a}/api/v1/otlp/v1/metrics"
        return Subject(
            "prometheus", "Prometheus", version, [*command, "--web.enable-otlp-receiver"], "{a}/-/ready",
            numbers=push, gzip=f"gzip+{push}",
        )  # fmt: skip
    return Subject(
        "prometheus", "Prometheus (remote write)", version, [*command, "--web.enable-remote-write-receiver"], "{a}/-/ready",
        numbers="remote-write+http://{a}/api/v1/write", takes_mixed=False,
    )  # fmt: skip


def pushgateway(_: argparse.Namespace) -> Subject:
    (program,), version = debian("prometheus-pushgateway", "prometheus-pushgateway")
    return Subject(
        "pushgateway", "Pushgateway", version, [str(program), "--web.listen-address={a}", "--persistence.file="],
        "{a}/-/ready", text="{a}", scrape="scrape+http://{a}/metrics",
    )  # fmt: skip


MAKERS = dict(zip(NAMES, [meterbridge, collector, vmagent, victoria_metrics, prometheus, pushgateway]))


# The measurements.


def each(subjects: list[Subject], work, backwards: bool = False) -> None:
    """Who fails is left out from there on."""
    for subject in subjects[::-1] if backwards else list(subjects):
        try:
            work(subject)
        except (Broken, OSError, http.client.HTTPException) as error:
            leave_out(subject.key, error)
            subject.stop()
            subjects.remove(subject)


def in_turns(subjects: list[Subject], rounds: int, work) -> None:
    """Who is slow gets fewer turns: what lasts long is disturbed less, and somebody waits for the result."""
    taken: dict[str, list[float]] = {}

    def turn(subject: Subject) -> None:
        times = taken.setdefault(subject.key, [])
        if times and sum(times) + times[-1] > LONGEST_TURNS:
            return
        began = time.monotonic()
        work(subject)
        times.append(time.monotonic() - began)

    for number in range(rounds):
        each(subjects, turn, backwards=number % 2 == 1)


def fill(subjects: list[Subject], load: Load, series: int, name: str) -> None:
    """The first two pushes, and what they take."""
    each(subjects, Subject.start)
    each(subjects, lambda subject: subject.send(load, "numbers", "1", f"first_{name}"))
    each(subjects, lambda subject: subject.send(load, "numbers", "1"))
    each(subjects, lambda subject: remember(subject, series, name))


def remember(subject: Subject, series: int, name: str) -> None:
    resident = subject.resident()
    subject.note(f"resident_{name}", resident)
    subject.note(f"memory_{name}", (resident - subject.figures["empty"][-1]) / series)


def measure_numbers(subjects: list[Subject], options: argparse.Namespace) -> None:
    """Leaves running what is scraped."""
    running = [subject for subject in subjects if subject.numbers]
    with Load("--series", options.series, "--start", options.start) as load:
        fill(running, load, options.series, "numbers")

        def work(subject: Subject) -> None:
            for way in ("numbers", "grpc", "gzip", "json"):
                if getattr(subject, way):
                    subject.send(load, way, f"{options.at_least}s", way)

        if "numbers" in options.parts:
            in_turns(running, options.rounds, work)
        each(running, lambda subject: subject.note("peak_pushed", subject.resident("VmHWM")))
        for subject in subjects:
            if not (subject.scrape and subject in running):
                subject.stop()
        if "scrapes" in options.parts:
            scraped = [subject for subject in running if subject.scrape]
            scraped += start_pushgateway([subject for subject in subjects if subject.text], options)
            measure_scrapes(scraped, load, options)
    for subject in subjects:
        subject.stop()


def start_pushgateway(subjects: list[Subject], options: argparse.Namespace) -> list[Subject]:
    if not subjects:
        return []
    text = subprocess.run(
        [TARGET / "release/peer-load", "text", "--series", str(options.series)], capture_output=True, check=True,
        timeout=300,
    ).stdout  # fmt: skip

    def work(subject: Subject) -> None:
        subject.start()
        for what in ("first_text", "text"):
            before = subject.cpu()
            push = http.client.HTTPConnection(subject.at(subject.text), timeout=600)
            push.request("PUT", "/metrics/job/shop", text)
            answer = push.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise Broken(f"refuses the text: {said[:200]}")
            time.sleep(SETTLE)
            subject.note(what, (subject.cpu() - before) / options.series * 1e6)
        remember(subject, options.series, "numbers")

    each(subjects, work)
    return subjects


def measure_scrapes(subjects: list[Subject], load: Load, options: argparse.Namespace) -> None:
    def work(subject: Subject) -> None:
        for what in ("plain", "zipped"):
            if subject.numbers:
                # So that there is something new to show.
                subject.send(load, "numbers", "1")
            before = subject.cpu()
            said = load.ask(("gzip+" if what == "zipped" else "") + subject.at(subject.scrape), "1")
            time.sleep(0.3)
            subject.note(f"{what}_cpu", subject.cpu() - before)
            for name in ("seconds", "first_byte", "bytes"):
                subject.note(f"{what}_{name}", said[name])
            say(f"{subject.name}: scrape {what} {subject.figures[f'{what}_cpu'][-1]:.3f} CPU-seconds")
            if what == "plain" and said["lines"] < options.series:
                raise Broken(f"shows {said['lines']} lines for {options.series} series")

    in_turns(subjects, options.rounds, work)
    each(subjects, lambda subject: subject.note("peak_scraped", subject.resident("VmHWM")))
    small = min(options.series, 10_000)
    with Load("--series", small, "--resources", 1, "--connections", 1, "--start", options.start) as one:

        def suffer(subject: Subject) -> None:
            for what in ("alone", "during"):
                seconds = options.at_least
                scrapes = None
                if what == "during":
                    seconds = min(max(options.at_least, 1.2 * subject.figures["plain_seconds"][-1]), 20)
                    ask = (subject.at(subject.scrape), f"{seconds + 0.5}s")
                    scrapes = threading.Thread(target=load.ask, args=ask, daemon=True)
                    scrapes.start()
                    time.sleep(0.25)
                said = one.ask(subject.at(subject.numbers), f"{seconds}s")
                if scrapes:
                    scrapes.join()
                subject.note(f"{what}_per_second", said["points"] / said["seconds"])
                subject.note(f"{what}_p99", said["p99"])
                subject.note(f"{what}_longest", said["longest"])
            say(f"{subject.name}: {subject.figures['during_per_second'][-1]:.0f} points a second during scrapes")

        in_turns([subject for subject in subjects if subject.numbers], options.rounds, suffer)


def measure_mixed(subjects: list[Subject], options: argparse.Namespace) -> None:
    running = [subject for subject in subjects if subject.numbers and subject.takes_mixed]

    def work(subject: Subject) -> None:
        for way, what in (("numbers", "mixed"), ("grpc", "mixed_grpc")):
            if getattr(subject, way):
                subject.send(load, way, f"{options.at_least}s", what)

    with Load("--mix", "mixed", "--series", options.mixed, "--start", options.start) as load:
        fill(running, load, options.mixed, "mixed")
        in_turns(running, options.rounds, work)
    for subject in subjects:
        subject.stop()


# What is said of it.


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def plain(value: float) -> float:
    return value


def millions(value: float) -> float:
    return value / 1e6


def rate(cost: float) -> float:
    # From CPU-seconds a million points to million points a CPU-second.
    return 1 / cost


def milliseconds(value: float) -> float:
    return value * 1e3


ROWS = [
    # A figure, its name, what is shown of it, whether more of that is better.
    ("numbers", "**numbers**, OTLP/HTTP: million points a CPU-second", rate, True),
    ("grpc", "the same, OTLP/gRPC", rate, True),
    ("gzip", "the same, OTLP/HTTP, gzip in chunks", rate, True),
    ("json", "the same, OTLP/JSON", rate, True),
    ("mixed", "**mixed**, OTLP/HTTP: million points a CPU-second", rate, True),
    ("mixed_grpc", "the same, OTLP/gRPC", rate, True),
    ("first_numbers", "**first sight**, numbers: CPU-seconds a million points", plain, False),
    ("first_mixed", "the same, mixed", plain, False),
    ("memory_numbers", "**memory**, numbers: bytes a series", plain, False),
    ("resident_numbers", "the same in all, MB", millions, False),
    ("peak_pushed", "the most of it while all is pushed, MB", millions, False),
    ("peak_scraped", "the most of it with scrapes, MB", millions, False),
    ("memory_mixed", "memory, mixed: bytes a point", plain, False),
    ("plain_cpu", "**scrape**: CPU-seconds", plain, False),
    ("plain_seconds", "the same, seconds until the last byte", plain, False),
    ("plain_first_byte", "the same, seconds until the first byte", plain, False),
    ("plain_bytes", "the same, MB", millions, None),
    ("zipped_cpu", "**scrape with gzip**: CPU-seconds", plain, False),
    ("zipped_seconds", "the same, seconds until the last byte", plain, False),
    ("zipped_first_byte", "the same, seconds until the first byte", plain, False),
    ("zipped_bytes", "the same, MB", millions, None),
    ("alone_per_second", "**small requests**, one connection: points a second", plain, True),
    ("during_per_second", "the same while it is scraped without a pause", plain, True),
    ("during_p99", "the slowest of a hundred of these, ms", milliseconds, False),
]


def ratio(own: float, other: float, more_is_better: bool) -> str:
    times = own / other if more_is_better else other / own
    return f" ({times:,.0f}×)" if times >= 10 else f" ({times:.2g}×)"


def table(report: dict) -> str:
    subjects = report["subjects"]

    def shown(key: str, figure: str, show) -> float | None:
        values = subjects.get(key, {}).get("figures", {}).get(figure)
        return show(statistics.median(values)) if values else None

    def head(subject: dict) -> str:
        old = "" if subject["date"] == report["date"] else f", of {subject['date']}"
        return f"{subject['name']} {subject['version']}{old}"

    rounds = f"medians of up to {report['rounds']} rounds" if report["rounds"] > 1 else "one round"
    lines = [
        f"{report['date']}, {report['machine']}, one core for the server and one for the load; `{report['command']}`: "
        f"{report['series']:,} series of numbers, {report['mixed']:,} mixed points, {rounds}. "
        "In brackets: how many times better Meterbridge does.",
        "",
        "| | " + " | ".join(map(head, subjects.values())) + " |",
        "|---|" + "--:|" * len(subjects),
    ]
    for figure, name, show, more in ROWS:
        own = shown("meterbridge", figure, show)
        cells = []
        for key in subjects:
            value = shown(key, figure, show)
            cell = "–" if value is None else number(value)
            if value and own and key != "meterbridge" and more is not None:
                cell += ratio(own, value, more)
            cells.append(cell)
        if any(cell != "–" for cell in cells):
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if report["left_out"]:
        lines += ["", "Left out: " + "; ".join(f"{key} ({why})" for key, why in report["left_out"].items()) + "."]
    return "\n".join(lines)


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    model = re.sub(r"\((R|TM)\)| Processor", "", model[1]).strip() if model else os.uname().machine
    return f"{os.cpu_count()} cores of {model}, {int(memory[1]) / 2**20:.0f} GiB, Linux {os.uname().release.split('-')[0]}"


def publish(report: dict) -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(report)}\n\n{END}{after}")
    for subject in report["subjects"].values():
        for name, values in subject["figures"].items():
            subject["figures"][name] = [float(f"{value:.5g}") for value in values]
    # The rounds of a figure in one line.
    figures = re.sub(r"\[\s+([^][]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", json.dumps(report, indent=1))
    FIGURES.write_text(figures + "\n")
    subprocess.run([sys.executable, ROOT / "docs/charts.py", FIGURES, CHART], check=True, timeout=60)


def stored(options: argparse.Namespace) -> dict | None:
    """What is kept of the subjects that are not measured now."""
    if not options.markdown or options.only == NAMES or not FIGURES.exists():
        return None
    report = json.loads(FIGURES.read_text())
    for name, now in (("series", options.series), ("mixed", options.mixed), ("machine", machine())):
        if report[name] != now:
            sys.exit(f"docs/peers.json is of {name} {report[name]} and not {now}: measure all, without --only")
    return report


def joined(old: dict | None, new: dict, only: list[str]) -> dict:
    if not old:
        return new
    for part in ("subjects", "left_out"):
        kept = {key: value for key, value in old[part].items() if key not in only}
        kept |= new[part]
        new[part] = {key: kept[key] for key in [*NAMES, *kept] if key in kept}
    return new | {"command": old["command"]}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help=", ".join(NAMES))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--bin", help="in place of building it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--from", dest="report", type=Path)
    options = parser.parse_args()
    options.series = options.series or (20_000 if options.quick else 1_000_000)
    options.rounds = options.rounds or (1 if options.quick else 3)
    # Seconds that a measurement lasts.
    options.at_least = 1 if options.quick else 2
    options.parts = options.parts.split(",")
    options.only = options.only.split(",") if options.only else NAMES
    if unknown := (set(options.only) - set(NAMES)) | (set(options.parts) - set(PARTS)):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if options.series <= 0 or options.series % 10_000 or options.rounds < 1:
        parser.error("--series is a multiple of 10000, and there is a round at least")
    if options.markdown and set(options.parts) != set(PARTS):
        parser.error("--markdown wants all parts")
    options.mixed = min(options.series, MIXED_AT_MOST)
    # All loads send points of the same start.
    options.start = time.time_ns() - 60 * 10**9
    return options


def stop_at(*_: object) -> None:
    raise TooLong


def end_at(*_: object) -> None:
    sys.exit("it was told to end")


def measure(options: argparse.Namespace) -> dict:
    for program in ("cargo", "taskset", "setpriv"):
        if not shutil.which(program):
            sys.exit(f"there is no {program}")
    if not {int(SERVER), int(CLIENT)} <= os.sched_getaffinity(0):
        sys.exit("it needs two cores")
    say("builds")
    run("cargo", "build", "--release", "--locked", folder=HERE / "load", CARGO_TARGET_DIR=str(TARGET))
    subjects = []
    for name in NAMES:
        if name not in options.only:
            continue
        try:
            subjects.append(MAKERS[name](options))
        except (Broken, OSError, subprocess.SubprocessError) as error:
            leave_out(name, error)
    # Not from here on where the servers are.
    os.sched_setaffinity(0, {int(CLIENT)})
    signal.signal(signal.SIGALRM, stop_at)
    signal.signal(signal.SIGTERM, end_at)
    signal.alarm(LONGEST)
    try:
        if {"numbers", "scrapes"} & set(options.parts):
            measure_numbers(subjects, options)
        if "mixed" in options.parts:
            measure_mixed(subjects, options)
    except TooLong:
        leave_out("the rest", f"it was not done after {LONGEST // 60} minutes")
    finally:
        signal.alarm(0)
        for subject in subjects:
            subject.stop()
        end(sink)
    command = "just bench-peers"
    if options.quick:
        command += " --quick"
    elif (options.series, options.rounds) != (1_000_000, 3):
        command += f" --series {options.series} --rounds {options.rounds}"
    if options.only != NAMES:
        command += f" --only {','.join(options.only)}"
    # To the minute, so that a column that is of another run says so.
    date = f"{datetime.datetime.now():%d %b %Y %H:%M}"
    return {
        "date": date,
        "machine": machine(),
        "command": command,
        "series": options.series,
        "mixed": options.mixed,
        "rounds": options.rounds,
        "left_out": left_out,
        "subjects": {
            each.key: {"name": each.name, "version": each.version, "date": date, "figures": each.figures}
            for each in subjects
            if each.figures
        },
    }


def main() -> None:
    options = parse()
    if options.report:
        report = json.loads(options.report.read_text())
    else:
        kept = stored(options)
        report = joined(kept, measure(options), options.only)
    print(table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if options.markdown:
        publish(report)


if __name__ == "__main__":
    main()
