"""Reads an exposition with the reference parser, and checks what every scrape has to hold."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, tuple[tuple[str, str], ...]]


class Exposition:
    """A scrape in text 0.0.4. Making one fails if the reference parser does, or if the rules do not hold."""

    def __init__(self, text: str) -> None:
        assert text == "" or text.endswith("\n"), f"the last line has no end: {text[-80:]!r}"
        self.text = text
        self.types: dict[str, str] = {}
        self.helps: dict[str, str] = {}
        self.samples: dict[Series, float] = {}
        blocks: list[tuple[str, str]] = []
        for family in text_string_to_metric_families(text):
            # Of a counter it is the name without _total, which in this format another family may have.
            blocks.append((family.name, family.type))
            for sample in family.samples:
                key = series(sample.name, sample.labels)
                assert key not in self.samples, f"there twice: {key}"
                self.samples[key] = sample.value
        split = [block for block, count in Counter(blocks).items() if count > 1]
        assert not split, f"families in more than one block: {split}"
        self._read_heads()
        self._check_histograms()

    def _read_heads(self) -> None:
        """The heads under the names as written: the parser renames counters."""
        current = ""
        for line in self.text.splitlines():
            if found := re.match(r"# (TYPE|HELP) (\S+) ?(.*)$", line):
                kind, current, rest = found.groups()
                into = self.types if kind == "TYPE" else self.helps
                assert current not in into, f"a second {kind} of {current}"
                into[current] = rest
                continue
            assert line and not line.startswith("#"), f"a line that means nothing: {line!r}"
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)
            assert name and name[0] in sample_names(current, self.types.get(current, "")), (
                f"{line!r} is below the head of {current}"
            )

    def _check_histograms(self) -> None:
        for family in (name for name, type_ in self.types.items() if type_ == "histogram"):
            buckets: dict[Series, list[tuple[float, float]]] = defaultdict(list)
            for (name, labels), value in self.samples.items():
                if name == f"{family}_bucket":
                    rest = tuple(label for label in labels if label[0] != "le")
                    buckets[(f"{family}_count", rest)].append((float(dict(labels)["le"]), value))
            counts = {key for key in self.samples if key[0] == f"{family}_count"}
            assert counts == set(buckets), f"{family}: counts and buckets are not of the same series"
            for key, series_buckets in buckets.items():
                ordered = sorted(series_buckets)
                values = [value for _, value in ordered]
                assert values == sorted(values), f"{key}: buckets are not cumulative: {ordered}"
                assert ordered[-1] == (math.inf, self.samples[key]), f"{key}: +Inf is not the count: {ordered}"

    def value(self, name: str, /, **labels: str) -> float | None:
        """The value of one series; all of its labels have to be given."""
        return self.samples.get(series(name, labels))

    def named(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The series of one sample name."""
        return {labels: value for (sample, labels), value in self.samples.items() if sample == name}

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The values of one sample name by one label."""
        return {dict(labels)[label]: value for labels, value in self.named(name).items()}

    def only_ascending(self) -> dict[Series, float]:
        """The samples that never go back while their source lives: counters, and what a histogram counts."""
        names: set[str] = set()
        for family, type_ in self.types.items():
            if type_ == "counter":
                names.add(family)
            elif type_ == "histogram":
                names |= {f"{family}_bucket", f"{family}_count"}
        return {key: value for key, value in self.samples.items() if key[0] in names}


def series(name: str, labels: dict[str, str]) -> Series:
    return name, tuple(sorted(labels.items()))


def sample_names(family: str, type_: str) -> Iterable[str]:
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}.get(type_, ("",))
    return [family + suffix for suffix in suffixes]


def block(text: str, family: str) -> str:
    """The lines of one family, as they were written."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if line.startswith("# "):
            inside = line.split(maxsplit=3)[2] == family
        if inside:
            lines.append(line)
    return "".join(lines)
