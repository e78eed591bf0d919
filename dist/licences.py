#!/usr/bin/env python3
"""Prints the licence texts of what the binary is made of, as those licences ask of whoever passes it on.

    dist/licences.py > THIRD-PARTY-LICENCES.txt
"""

import json
import subprocess
import sys
from pathlib import Path

NAMES = ("licen", "copying", "notice", "unlicense", "copyright")


def main() -> None:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host()]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    used, pending = set(), [root]
    while pending:
        node = nodes[pending.pop()]
        for dependency in node["deps"]:
            # What only tests and builds need is not in the binary.
            if dependency["pkg"] not in used and any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                used.add(dependency["pkg"])
                pending.append(dependency["pkg"])
    without = []
    for package in sorted((packages[name] for name in used), key=lambda package: (package["name"], package["version"])):
        folder = Path(package["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(NAMES))
        print(f"{'=' * 100}\n{package['name']} {package['version']}: {package['license']}\n")
        if not files:
            without.append(package["name"])
            print(f"(its package has no text; by {', '.join(package['authors']) or 'its authors'})\n")
        for file in files:
            print(f"--- {file.name}\n{file.read_text(errors='replace')}\n")
    print(f"{len(used)} packages, {len(without)} without a text of their own", file=sys.stderr)


def host() -> str:
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return next(line.removeprefix("host: ") for line in said.splitlines() if line.startswith("host: "))


if __name__ == "__main__":
    main()
