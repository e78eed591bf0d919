#!/usr/bin/env bash
# Checks a stack that runs, from outside, as its users see it: a sample is posted and has to be in Prometheus within two scrapes;
# Grafana has to reach Prometheus and to have the four boards.
#
#   tests/stack/smoke.sh
#
# Ports and the address are those of compose (.env). GRAFANA=skip leaves Grafana out, in red.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -f .env ]; then
  set -a
  # shellcheck source=/dev/null
  . ./.env
  set +a
fi
host=${BIND:-127.0.0.1}
[ "$host" != 0.0.0.0 ] || host=127.0.0.1
bridge=http://$host:${HTTP_PORT:-9464}
otlp=http://$host:${OTLP_HTTP_PORT:-4318}
prometheus=http://$host:${PROMETHEUS_PORT:-9090}
grafana=http://$host:${GRAFANA_PORT:-3000}

ok() { echo "ok: $*"; }
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
get() { curl --silent --show-error --fail --max-time 5 "$@"; }

get --output /dev/null "$bridge/-/ready" || fail "the bridge is not ready at $bridge; just ps, just logs meterbridge"
ok "the bridge answers at $bridge"

## A sample, from OTLP to Prometheus

now=$(date +%s)
answer=$(get --header 'Content-Type: application/json' "$otlp/v1/metrics" --data-binary @- <<SAMPLE
{"resourceMetrics": [{
  "resource": {"attributes": [
    {"key": "service.name", "value": {"stringValue": "smoke"}},
    {"key": "service.instance.id", "value": {"stringValue": "smoke-1"}}
  ]},
  "scopeMetrics": [{"scope": {"name": "smoke.sh"}, "metrics": [{
    "name": "smoke.samples", "unit": "{sample}",
    "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{
      "startTimeUnixNano": "$((now - 60))000000000", "timeUnixNano": "${now}000000000", "asInt": "$now"
    }]}
  }]}]
}]}
SAMPLE
) || fail "OTLP/HTTP takes no sample at $otlp; it answers: $answer"
ok "OTLP/HTTP takes a sample at $otlp"

# query PROMQL: `label=… label=… value` of every series
query() {
  get --get --data-urlencode "query=$1" "$prometheus/api/v1/query" |
    python3 -c '
import json, sys
for series in json.load(sys.stdin)["data"]["result"]:
    labels = {k: v for k, v in series["metric"].items() if k in ("job", "instance")}
    print(*(f"{k}={v}" for k, v in sorted(labels.items())), series["value"][1])'
}

# within SECONDS WANTED PROMQL: polls until the answer has the line WANTED
within() {
  local until=$((SECONDS + $1)) got=
  while [ $SECONDS -lt $until ]; do
    got=$(query "$3" || true)
    grep -qxF "$2" <<<"$got" && return
    sleep 1
  done
  fail "$3 is not «$2» within $1 s but «$got»"
}

from=$SECONDS
# Two scrapes of 15 s, and what they take.
within 40 "instance=smoke-1 job=smoke $now" 'smoke_samples_total{job="smoke"}'
ok "Prometheus has it after $((SECONDS - from)) s, with the sender's job and instance"
within 40 '2' 'count(up{job=~"meterbridge|prometheus"} == 1)'
ok "the bridge and Prometheus itself are up"

## Grafana

if [ "${GRAFANA:-}" = skip ]; then
  printf '\033[31mSKIPPED: Grafana: its data source and its boards\033[0m\n'
  exit 0
fi
password=$(cat .secrets/grafana_admin_password) || fail "there is no password of Grafana's; just up makes it"
# Not as an argument, where everybody on the machine would read it.
api() { get --config - "$grafana/api/$1" <<<"user = \"admin:$password\""; }

get --output /dev/null "$grafana/api/health" || fail "Grafana does not answer at $grafana; just logs grafana"
health=$(api datasources/uid/prometheus/health) || fail "Grafana does not reach Prometheus, or does not take the password: $health"
ok "Grafana reaches Prometheus"
boards=$(api 'search?tag=meterbridge&type=dash-db' | python3 -c '
import json, sys
print(*sorted(board["uid"] for board in json.load(sys.stdin)))')
wanted="meterbridge-endpoints meterbridge-ingest meterbridge-latency meterbridge-prometheus"
[ "$boards" = "$wanted" ] || fail "Grafana has the boards «$boards», not «$wanted»"
ok "Grafana has the four boards"
