"""Programs of others that judge the bridge, and what happens where one is missing."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

# What was missing, and what to do about it.
MISSING: dict[str, str] = {}

# Everything a child could be steered by, so that the tests do the same on every machine.
STEERING = ("OTEL_", "METERBRIDGE_", "RUST_LOG", "PYTHONPATH")


def clean_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment without variables that steer the bridge or an SDK, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
    return kept | (extra or {})


def find(program: str) -> str | None:
    """Where `program` is: by the variable of its name in capitals, else on PATH."""
    named = os.environ.get(program.upper())
    return shutil.which(named) if named else shutil.which(program)


def need(program: str) -> str:
    """The path of `program`; without it the test is skipped, or fails in CI."""
    path = find(program)
    if path:
        return path
    missing(program, f"put it on PATH or name it in {program.upper()}")


def missing(what: str, remedy: str) -> NoReturn:
    """Ends a test for want of something: it is skipped, or fails in CI."""
    MISSING[what] = remedy
    reason = f"{what} is missing: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def meterbridge() -> str:
    """The binary under test."""
    path = os.environ.get("METERBRIDGE_BIN")
    if not path or not os.access(path, os.X_OK):
        pytest.fail("METERBRIDGE_BIN does not name the binary; start the tests by run.sh", pytrace=False)
    return path


def run(
    command: list[str],
    *,
    stdin: bytes = b"",
    timeout: float = 30,
    environment: dict[str, str] | None = None,
    directory: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end; nothing it does may wait for a person."""
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        timeout=timeout,
        env=clean_environment(environment),
        cwd=directory,
        check=False,
    )
