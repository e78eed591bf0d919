#!/usr/bin/env bash
# Runs a Collector with otel/collector.yaml between the demo and a bridge: the demo's series have to arrive, with their job and
# instance, and the Collector has to find nothing in the file that is going away.
#
#   tests/stack/collector.sh [BRIDGE]    by default the release build
#
# Needs go (the Collector is built from its modules, which takes minutes the first time) and curl.
set -euo pipefail
cd "$(dirname "$0")/../.."
bridge=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/release/meterbridge}")
work=$(mktemp -d)
started=()
clean() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean EXIT
fail() {
  echo "FAILED: $*" >&2
  tail -n 5 "$work"/*.log >&2
  exit 1
}

collector=$PWD/.cache/collector
(cd tests/stack/collector && go build -o "$collector" .)

read -r http otlp_http otlp_grpc in_grpc in_http own < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
ports = [s.getsockname()[1] for s in sockets]
for s in sockets: s.close()
print(*ports)')
"$bridge" --http-listen "127.0.0.1:$http" --otlp-http-listen "127.0.0.1:$otlp_http" --otlp-grpc-listen "127.0.0.1:$otlp_grpc" \
  2>"$work/bridge.log" &
started+=($!)
# The file as it is; only addresses are put over it.
"$collector" --config otel/collector.yaml \
  --config "yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:$in_grpc" \
  --config "yaml:receivers::otlp::protocols::http::endpoint: 127.0.0.1:$in_http" \
  --config "yaml:exporters::otlp_http/meterbridge::endpoint: http://127.0.0.1:$otlp_http" \
  --config "yaml:service::telemetry::metrics::readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: $own}}}}]" \
  2>"$work/collector.log" &
started+=($!)
for _ in $(seq 50); do
  grep -q 'Everything is ready' "$work/collector.log" && break
  sleep 0.2
done
grep -q 'Everything is ready' "$work/collector.log" || fail "the Collector does not start"
! grep -i deprecated "$work/collector.log" >&2 || fail "the Collector warns of otel/collector.yaml"

"$bridge" demo --endpoint "http://127.0.0.1:$in_grpc" --for 8s 2>"$work/demo.log" || fail "the demo cannot push to the Collector"
for _ in $(seq 50); do
  series=$(curl --silent --fail "http://127.0.0.1:$http/metrics" | grep -c '{.*instance="checkout-1",job="shop/checkout"' || true)
  [ "$series" -lt 3 ] || break
  sleep 0.2
done
[ "$series" -ge 3 ] || fail "nothing of shop/checkout arrives at the bridge"
curl --silent --fail "http://127.0.0.1:$own/metrics" | grep -q '^otelcol_exporter_sent_metric_points.*meterbridge' ||
  fail "the Collector says nothing of itself"
echo "ok: what is pushed to the Collector is in the bridge, with its job and instance"
