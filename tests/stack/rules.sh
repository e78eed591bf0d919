#!/usr/bin/env bash
# Checks Prometheus' configuration and rules, and runs the rules' own tests, with the promtool on PATH or Debian's.
#
#   tests/stack/rules.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=$(tests/tools/prometheus.sh .cache/prometheus)
export PATH=$bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

config=prometheus
case $(promtool --version 2>&1 | head -1) in
  *"version 3.5."*)
    prometheus/for-3.5.sh "$work/prometheus"
    config=$work/prometheus
    ;;
esac

promtool check config --lint=all --lint-fatal "$config/prometheus.yml"
promtool check rules --lint=all --lint-fatal "$config"/rules/*.rules.yml
promtool test rules "$config"/tests/*.test.yml

# An alert that no test makes fire, or that no test keeps quiet, has not been tested.
sed -nE 's/^ *- alert: //p' prometheus/rules/*.rules.yml | while read -r alert; do
  after=$(grep -h -A1 "alertname: $alert\$" prometheus/tests/*.test.yml || true)
  grep -q 'exp_alerts:$' <<<"$after" || { echo "rules.sh: no test makes $alert fire" >&2; exit 1; }
  grep -q 'exp_alerts: \[\]$' <<<"$after" || { echo "rules.sh: no test shows when $alert stays quiet" >&2; exit 1; }
done
echo "ok: configuration, rules and their tests"
