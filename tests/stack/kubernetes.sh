#!/usr/bin/env bash
# Builds the manifests of deploy/ with Kustomize, and holds them to the schemas that kubernetes-validate brings, and to what they
# promise: no rights, limits on memory, a bridge that can read its configuration.
#
#   tests/stack/kubernetes.sh [BRIDGE]    the binary that reads the configuration, by default the release build
#
# Needs go (Kustomize is built from its module) and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
bridge=${1:-${CARGO_TARGET_DIR:-target}/release/meterbridge}
cache=$PWD/.cache/kubernetes
mkdir -p "$cache"
[ -x "$cache/kustomize" ] || GOBIN=$cache go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
[ -x "$cache/venv/bin/kubernetes-validate" ] || {
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

built=$cache/built.yaml
"$cache/kustomize" build deploy >"$built"
"$cache/venv/bin/kubernetes-validate" --strict "$built" >"$cache/log" 2>&1 || fail "$(cat "$cache/log")"
# The check finds something.
sed 's/replicas: 2/replicas: two/' "$built" >"$cache/broken.yaml"
! "$cache/venv/bin/kubernetes-validate" --strict "$cache/broken.yaml" >/dev/null 2>&1 || fail "a wrong manifest passes"

[ "$(grep -c 'readOnlyRootFilesystem: true' "$built")" = 2 ] || fail "a container may write to its root"
[ "$(grep -c 'runAsNonRoot: true' "$built")" = 2 ] || fail "a pod may run as root"
[ "$(grep -c 'memory: 512Mi' "$built")" = 2 ] || fail "a container has no limit on memory"
# The Collector knows each of the bridges by the name that the service gives it, and no other.
replicas=$(sed -n '/^kind: StatefulSet/,/^---/s/^  replicas: //p' "$built")
service=$(sed -n '/^kind: StatefulSet/,/^---/s/^  serviceName: //p' "$built")
wanted=$(for i in $(seq 0 $((replicas - 1))); do echo "bridge-$i.$service:4317"; done)
[ "$(grep -oE 'bridge-[0-9]+\.[^ ]+:4317' "$built")" = "$wanted" ] || fail "the Collector does not send to: $wanted"
! grep -q ': latest' "$built" || fail "an image has no fixed tag"

"$bridge" --config deploy/meterbridge.yaml --http-listen 127.0.0.1:0 --otlp-http-listen 127.0.0.1:0 \
  --otlp-grpc-listen 127.0.0.1:0 2>"$cache/bridge.log" &
pid=$!
sleep 2
kill "$pid" 2>/dev/null || fail "the bridge does not take its configuration: $(cat "$cache/bridge.log")"
wait "$pid" || fail "the bridge does not stop in order: $(cat "$cache/bridge.log")"
echo "ok: $(grep -c '^kind:' "$built") objects, built and valid; the bridge takes its configuration"
