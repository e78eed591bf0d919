#!/usr/bin/env bash
# Copies this folder to DIR without what Prometheus 3.5 does not know, and says what that was.
#
#   prometheus/for-3.5.sh DIR
#
# 3.5 takes flags in place of these settings; ../tests/stack/compose.3.5.yaml has them.
set -euo pipefail
to=${1:?"usage: $0 DIR"}
from=$(cd "$(dirname "$0")" && pwd)
mark='# not in 3\.5$'

mkdir -p "$to"
cp -R "$from/." "$to/"
sed -E "/$mark/d" "$from/prometheus.yml" >"$to/prometheus.yml"
sed -nE "s/^ *(.*) $mark/for-3.5: left out: \1/p" "$from/prometheus.yml" >&2
