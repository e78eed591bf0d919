"""F-12: arbitrary OTLP makes scrapes that the parsers of others read, in every format.

The property test of the repository (tests/conformance/poison.rs) makes them, the same ones each time, and holds them to its own
grammars. Here they are given to Prometheus' parser, to the reference parsers and to promtool.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client import parser as text_parser

import programs

REPOSITORY = Path(__file__).parents[2]
FORMATS = ("text", "text1", "openmetrics", "openmetrics2", "protobuf")
PROPERTY = "f_12_whatever_comes_in_every_format_is_valid"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for each format, with one exposition behind the other."""
    cargo = programs.need("cargo")
    folder = tmp_path_factory.mktemp("poison")
    made = programs.run(
        [cargo, "test", "--quiet", "--locked", "--test", "conformance", PROPERTY],
        timeout=1200,
        environment={"METERBRIDGE_DUMP": str(folder)},
        directory=REPOSITORY,
    )
    assert made.returncode == 0, (made.stdout + made.stderr).decode(errors="replace")[-4000:]
    return folder


def expositions(file: Path) -> Iterator[tuple[str, str]]:
    """The text of each with its content type, behind a line that says how long it is."""
    rest = file.read_bytes()
    while rest:
        head, rest = rest.split(b"\n", 1)
        length, content_type, _ = head.decode().split("\t")
        yield content_type, rest[: int(length)].decode()
        rest = rest[int(length) :]


@pytest.mark.parametrize("options", [[], ["-ignore-native"]], ids=["native", "classic"])
@pytest.mark.parametrize("name", FORMATS)
def test_f_12_prometheus_own_parser_reads_all_of_it(folder: Path, name: str, options: list[str]) -> None:
    judge = programs.need("openmetrics2_judge")
    judged = programs.run([judge, *options, "-joined"], stdin=(folder / name).read_bytes(), timeout=300)
    assert judged.returncode == 0, judged.stderr.decode(errors="replace")[:4000]
    # The last line: "412 judged, 0 at fault".
    assert int(judged.stdout.split()[0]) > 100


@pytest.mark.parametrize("name", ["text", "text1"])
def test_f_12_the_reference_parser_reads_all_text(folder: Path, name: str) -> None:
    count = 0
    for content_type, text in expositions(folder / name):
        read(text_parser, content_type, text)
        count += 1
    assert count > 100


def test_f_12_the_strict_reference_parser_reads_all_openmetrics(folder: Path) -> None:
    count = 0
    for content_type, text in expositions(folder / "openmetrics"):
        # It loses its way in the labels of an exemplar behind an escaped quote, so it gets another sign for each.
        without = re.sub(r"\\.", lambda found: "'" if found[0] == '\\"' else found[0], text)
        read(openmetrics_parser, content_type, without)
        count += 1
    assert count > 100


def read(parser: ModuleType, content_type: str, text: str) -> None:
    try:
        list(parser.text_string_to_metric_families(text))
    except ValueError as error:
        pytest.fail(f"{content_type}: {error} in\n{text}", pytrace=False)


def test_f_12_promtool_reads_text(folder: Path) -> None:
    promtool = programs.need("promtool")
    legacy = [text for content_type, text in expositions(folder / "text") if "underscores" in content_type]
    assert len(legacy) > 50
    # Each is a process of its own; every other one is enough.
    for text in legacy[::2]:
        checked = programs.run([promtool, "check", "metrics"], stdin=text.encode())
        # 3 is what it would name otherwise, which is the sender's choice.
        assert checked.returncode in (0, 3), f"{checked.stderr.decode()} in\n{text}"
