#!/usr/bin/env python3
"""How many instructions the hottest paths take for a point, or for a series that is scraped, counted by valgrind: that does not
depend on who else is on the machine.

    benches/instructions.py            counts, and compares with what is recorded in instructions.json: 5 % more is a failure
    benches/instructions.py --write    records what it counts

It depends on the compiler: counts are compared only where the one is at hand that they were recorded with.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benches/instructions.json"
# What is known of each path stands in instructions.rs.
PATHS = ["known", "collector", "looked-up", "deltas", "mixed", "first-sight", "scrape"]
# Rounds of so many points: the difference leaves out what comes before the first.
FEW, MANY, POINTS = 3, 7, 10_000
TOLERANCE = 0.05


def build() -> str:
    command = ["cargo", "bench", "--locked", "--bench", "instructions", "--no-run", "--message-format", "json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    messages = map(json.loads, done.stdout.splitlines())
    return next(each["executable"] for each in messages if each.get("target", {}).get("name") == "instructions")


def count(program: str, path: str, rounds: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{path}: {done.stderr[-500:]}")
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("there is no valgrind")
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    compiler += f" {os.uname().machine}"
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {"compiler": "", "instructions": {}}
    program = build()
    counted, worse = {}, []
    for path in PATHS:
        counted[path] = round((count(program, path, MANY) - count(program, path, FEW)) / ((MANY - FEW) * POINTS))
        before = recorded["instructions"].get(path, 0)
        change = f"{counted[path] / before - 1:+.1%} of {before}" if before else "not recorded"
        print(f"{path:12} {counted[path]:7} instructions ({change})", flush=True)
        if before and counted[path] > before * (1 + TOLERANCE):
            worse.append(path)
    if options.write:
        RECORDED.write_text(json.dumps({"compiler": compiler, "instructions": counted}, indent=1) + "\n")
    elif recorded["compiler"] != compiler:
        print(f"not compared: recorded with {recorded['compiler'] or 'nothing'}, this is {compiler}")
    elif worse:
        sys.exit(f"more than {TOLERANCE:.0%} slower: {', '.join(worse)}; if there is a reason, record it with --write")


if __name__ == "__main__":
    main()
