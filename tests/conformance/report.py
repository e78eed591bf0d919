#!/usr/bin/env python3
"""Writes docs/conformance.md: each item of the specification, its tests, and how they came out.

  report.py RESULTS...           writes the page
  report.py --check RESULTS...   says whether the committed page is the one that would be written

RESULTS are files with what the tests printed: `cargo test`, `pytest -rA`, or `pytest --junit-xml`. A test shows an item
by a name that begins with its id: n_06_n_07_total_comes_last_and_once, test_f_02_…. It ends with 1 where an item has no
test or a failed one, where a test names an item that there is not, and where the page is not what it should be.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ITEMS = ROOT / "tests/conformance/items.tsv"
PAGE = ROOT / "docs/conformance.md"

GROUPS = {
    "N": "Names and units",
    "L": "Label names and values",
    "C": "Collisions",
    "R": "Resources: job, instance, target_info",
    "S": "Scopes",
    "G": "Gauges",
    "M": "Sums",
    "D": "Deltas",
    "H": "Histograms",
    "E": "Exponential histograms",
    "Q": "Summaries",
    "X": "Exemplars",
    "T": "Start times",
    "Z": "Staleness and expiry",
    "K": "Metadata conflicts",
    "F": "Formats and negotiation",
    "V": "Translation strategies",
    "P": "OTLP",
    "B": "Limits",
    "O": "OpenMetrics 2.0",
}

HEAD = """\
# Conformance

Written by `tests/conformance/report.py` from `tests/conformance/items.tsv` and the results of the tests; not by hand.

Each item is a rule of the OpenTelemetry specification, of Prometheus' formats, or of users' needs where these are
silent. The level is that of its source; DECIDE is a choice of ours that no source settles, and – stands where the source names
none. What is in *differs, open* says where we do not follow a source or a peer, on purpose, and what is not built yet.
"""

# From good to bad: of a test that ran several times, the worst counts.
OUTCOMES = ["ok", "skipped", "failed"]
WORDS = {"ok": "ok", "FAILED": "failed", "ignored": "skipped"}
WORDS |= {"PASSED": "ok", "ERROR": "failed", "SKIPPED": "skipped", "XFAIL": "failed", "XPASS": "ok"}

LIBTEST = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b")
PYTEST = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S+\.py::\S.*)$")
NAMED = re.compile(r"^(?:test_)?((?:[a-z]_\d\d(?:_|$))+)")
DEFINED = re.compile(r"^\s*(?:pub )?(?:async )?(?:fn|def) (\w+)", re.MULTILINE)


@dataclass
class Item:
    level: str
    rule: str
    note: str
    tests: dict[tuple[str, str], str] = field(default_factory=dict)  # the outcome by file and name

    def outcome(self) -> str:
        outcomes = set(self.tests.values())
        if "failed" in outcomes:
            return "failed"
        return "ok" if "ok" in outcomes else "skipped" if outcomes else "no test"


def read_items(text: str) -> dict[str, Item]:
    head, *lines = text.splitlines()
    if head != "id\tlevel\trule\tnote":
        raise ValueError(f"{ITEMS.name}: its first line is not the names of the columns")
    items: dict[str, Item] = {}
    for number, line in enumerate(lines, 2):
        columns = line.split("\t")
        if len(columns) != 4 or columns[0] in items or columns[0][0] not in GROUPS:
            raise ValueError(f"{ITEMS.name}:{number}: not a new id of a group, and four columns")
        id_, level, rule, note = columns
        items[id_] = Item(level, rule, note)
    return items


def read_results(text: str) -> Iterator[tuple[str, str, str]]:
    """Where each test is as its runner says it, its name, and its outcome."""
    if text.lstrip().startswith("<"):
        yield from read_junit(text)
        return
    for line in text.splitlines():
        if found := LIBTEST.match(line):
            where, _, name = found[1].rpartition("::")
            yield where, name, WORDS[found[2]]
        elif found := PYTEST.match(line):
            where, _, rest = found[2].partition("::")
            # A parameter may hold anything; what is behind it is why it failed.
            name = re.split(r"\[| - ", rest)[0].rpartition("::")[2]
            yield where, name.strip(), WORDS[found[1]]


def read_junit(text: str) -> Iterator[tuple[str, str, str]]:
    for case in ElementTree.fromstring(text).iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if bad else "skipped" if case.find("skipped") is not None else "ok"
        yield case.get("classname", ""), case.get("name", "").partition("[")[0], outcome


def sources() -> Iterator[tuple[str, str]]:
    """Each file that may hold a test, and its text."""
    for folder, pattern in (("src", "*.rs"), ("tests", "*.rs"), ("tests", "*.py")):
        for path in sorted((ROOT / folder).rglob(pattern)):
            if "node_modules" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text()


def index(files: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The files in which a function of each name is."""
    found: dict[str, list[str]] = {}
    for path, text in files:
        for name in set(DEFINED.findall(text)):
            found.setdefault(name, []).append(path)
    return found


def locate(where: str, name: str, files: dict[str, list[str]]) -> str:
    """The file of a test: of those with a function of this name, the one that has most of the words of its place."""
    words = set(re.split(r"::|[./]", where))
    known = files.get(name, [])
    return max(known, key=lambda path: len(words & set(re.split(r"[./]", path))), default=where)


def assign(items: dict[str, Item], results: Iterable[tuple[str, str, str]], files: dict[str, list[str]]) -> list[str]:
    """Gives each item its tests. Returns what is wrong."""
    problems: list[str] = []
    for where, name, outcome in results:
        found = NAMED.match(name)
        for id_ in re.findall(r"[a-z]_\d\d", found[1]) if found else ():
            item = items.get(id_.upper().replace("_", "-"))
            if item is None:
                problems.append(f"{name} names {id_.upper().replace('_', '-')}, which is no item")
                continue
            key = (locate(where, name, files), name)
            item.tests[key] = max(outcome, item.tests.get(key, "ok"), key=OUTCOMES.index)
    for id_, item in items.items():
        match item.outcome():
            case "no test":
                problems.append(f"{id_} has no test")
            case "skipped":
                problems.append(f"{id_} has only tests that were skipped")
            case "failed":
                failed = [
                    f"{path}: {name}" for (path, name), outcome in sorted(item.tests.items()) if outcome == "failed"
                ]
                problems.append(f"{id_} has failed: {', '.join(failed)}")
    return list(dict.fromkeys(problems))


def page(items: dict[str, Item]) -> str:
    parts = [HEAD]
    for letter, title in GROUPS.items():
        rows = [row(id_, item) for id_, item in items.items() if id_.startswith(letter)]
        if rows:
            head = "| id | level | rule | differs, open | tests | result |\n|---|---|---|---|---|---|\n"
            parts.append(f"## {title}\n\n{head}{''.join(rows)}")
    return "\n".join(parts)


def row(id_: str, item: Item) -> str:
    by_file: dict[str, list[str]] = {}
    for path, name in sorted(item.tests):
        by_file.setdefault(path, []).append(f"`{name}`")
    tests = "<br>".join(f"[{Path(path).name}](../{path}): {', '.join(names)}" for path, names in by_file.items())
    result = item.outcome() + (", part open" if "Open: " in item.note else "")
    cells = [id_, item.level, escape(item.rule), escape(item.note), tests, result]
    return f"| {' | '.join(cells)} |\n".replace("|  |", "| |")


def escape(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    if not paths or any(path.startswith("-") for path in paths):
        print(__doc__, file=sys.stderr)
        return 2
    items = read_items(ITEMS.read_text())
    results = [result for path in paths for result in read_results(Path(path).read_text(errors="replace"))]
    problems = assign(items, results, index(sources()))
    if not results:
        problems.insert(0, f"there are no results in {', '.join(paths)}")
    made = page(items)
    if not check:
        PAGE.write_text(made)
    elif not PAGE.exists() or PAGE.read_text() != made:
        problems.append("docs/conformance.md is not what the tests say; write it anew with tests/conformance/report.py")
    for problem in problems:
        print(problem, file=sys.stderr)
    shown = sum(item.outcome() == "ok" for item in items.values())
    print(f"items: {shown} of {len(items)} shown by tests")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
