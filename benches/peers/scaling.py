#!/usr/bin/env python3
"""What a point and a series cost at four sizes: `ingest.py` with Meterbridge alone, from 10,000 to 5,000,000 series.

    benches/peers/scaling.py [--bin FILE] [--markdown]

`--markdown` writes the table into docs/performance.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/performance.md"
BEGIN, END = "<!-- scaling -->", "<!-- /scaling -->"
SIZES = [10_000, 100_000, 1_000_000, 5_000_000]
ROWS = [
    # A figure, its name, by what it is divided, and whether it is a figure of each series.
    ("numbers", "a point over HTTP, ns of CPU", 1e-3, False),
    ("grpc", "over gRPC", 1e-3, False),
    ("gzip", "over HTTP with gzip", 1e-3, False),
    ("first_numbers", "a point never seen before", 1e-3, False),
    ("memory_numbers", "memory of a series, bytes", 1, False),
    ("resident_numbers", "resident in all, MB", 1e6, False),
    ("plain_cpu", "a scrape, ns of CPU a series", 1e-9, True),
    ("zipped_cpu", "with gzip", 1e-9, True),
    ("plain_first_byte", "its first byte after, ms", 1e-3, False),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    reports = []
    for size in SIZES:
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            command = [sys.executable, HERE / "ingest.py", "--only", "meterbridge", "--parts", "numbers,scrapes"]
            command += ["--series", str(size), "--rounds", "3", "--json", file.name]
            command += ["--bin", options.bin] if options.bin else []
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=1800)
            reports.append(json.loads(Path(file.name).read_text()))
    lines = [
        f"{reports[0]['date']}, {reports[0]['machine']}, one core for the server; `benches/peers/scaling.py`, medians of 3 rounds.",
        "",
        "| series | " + " | ".join(f"{size:,}" for size in SIZES) + " |",
        "|---|" + "--:|" * len(SIZES),
    ]
    for figure, name, unit, is_of_each in ROWS:
        cells = []
        for size, report in zip(SIZES, reports):
            value = statistics.median(report["subjects"]["meterbridge"]["figures"][figure]) / unit
            value /= size if is_of_each else 1
            cells.append(f"{value:,.0f}" if value >= 10 else f"{value:.2g}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    print(table)
    if options.markdown:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
