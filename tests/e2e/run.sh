#!/usr/bin/env bash
# Runs the end-to-end tests against the real binary. Arguments go to pytest, e.g. `run.sh test_sdk.py -x`.
#
#   METERBRIDGE_BIN    the binary; by default the release build, where CARGO_TARGET_DIR says or in target/
#   E2E_VENV           where the Python packages go; by default .venv
#   PROMETHEUS, PROMTOOL, CHROMIUM, CHROMEDRIVER, CURL, NODE   programs that are not on PATH
#   OPENMETRICS2_JUDGE, SDK_SENDER, TODO_API   the judge in Go, the sender and the example in Rust, by default built here
#   SCREENSHOT_DIR     keeps the screenshots of the browser
#   CI=true            a program that is missing is a failure, not a skipped test
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
cd "$repository"

if [ -z "${METERBRIDGE_BIN:-}" ]; then
  METERBRIDGE_BIN=${CARGO_TARGET_DIR:-$repository/target}/release/meterbridge
fi
if [ ! -x "$METERBRIDGE_BIN" ]; then
  echo "$0: there is no $METERBRIDGE_BIN; run 'cargo build --release' or set METERBRIDGE_BIN" >&2
  exit 2
fi
METERBRIDGE_BIN=$(realpath "$METERBRIDGE_BIN")
export METERBRIDGE_BIN

# The tests name the programs that are missing, so that a failure here only says why.
if ! { [ -n "${PROMETHEUS:-}" ] && [ -n "${PROMTOOL:-}" ]; } && [ -x tests/tools/prometheus.sh ]; then
  if bin=$(tests/tools/prometheus.sh .cache/prometheus); then
    export PROMETHEUS=${PROMETHEUS:-$bin/prometheus} PROMTOOL=${PROMTOOL:-$bin/promtool}
  fi
fi

venv=$(realpath -m "${E2E_VENV:-.venv}")
stamp=$venv/meterbridge-requirements.txt
if ! cmp -s "$here/requirements.txt" "$stamp"; then
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$stamp"
fi

if [ -z "${OPENMETRICS2_JUDGE:-}" ] && command -v go >/dev/null; then
  mkdir -p .cache
  if (cd tests/judges/openmetrics2 && go build -o "$repository/.cache/openmetrics2-judge" .); then
    export OPENMETRICS2_JUDGE=$repository/.cache/openmetrics2-judge
  fi
fi

stamp=$here/node/node_modules/meterbridge-lock.json
if command -v npm >/dev/null && ! cmp -s "$here/node/package-lock.json" "$stamp"; then
  # No package has a script to run.
  if (cd "$here/node" && npm ci --silent --ignore-scripts --no-audit --no-fund); then
    cp "$here/node/package-lock.json" "$stamp"
  fi
fi

if { [ -z "${SDK_SENDER:-}" ] || [ -z "${TODO_API:-}" ]; } && command -v cargo >/dev/null; then
  # The debug build is what `cargo test` has made already.
  if cargo build --quiet --locked --example sdk_sender --example todo-api; then
    examples=${CARGO_TARGET_DIR:-$repository/target}/debug/examples
    export SDK_SENDER=${SDK_SENDER:-$examples/sdk_sender} TODO_API=${TODO_API:-$examples/todo-api}
  fi
fi

if [ -n "${SCREENSHOT_DIR:-}" ]; then
  SCREENSHOT_DIR=$(realpath -m "$SCREENSHOT_DIR")
  export SCREENSHOT_DIR
fi

cd "$here"
# In place of this shell, so that a signal reaches the tests, which end what they started.
exec env PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest "$@"
