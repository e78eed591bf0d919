#!/usr/bin/env bash
# Uses the recipes of the Justfile as somebody does who has a stack, with an engine that runs and without Grafana, and makes the
# mistakes that have a sentence of their own. tests/stack/containers.sh calls it, with the images built and the ports free.
#
#   tests/stack/recipes.sh JUST
set -euo pipefail
cd "$(dirname "$0")/../.."
just=$1
export COMPOSE_FILE=${COMPOSE_FILE:-compose.yaml}:tests/stack/compose.no-grafana.yaml GRAFANA=skip
work=$(mktemp -d)
busy=
clean() {
  local status=$?
  trap - EXIT
  [ -z "$busy" ] || kill "$busy" 2>/dev/null
  docker compose --profile '*' down --volumes --timeout 5 >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap clean EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# runs RECIPE...: it ends well.
runs() { "$just" "$@" >"$work/out" 2>&1 </dev/null || fail "just $*: $(tail -20 "$work/out")"; }
# says TEXT RECIPE...: it fails, and says so.
says() {
  local text=$1
  shift
  ! "$just" "$@" >"$work/out" 2>&1 </dev/null || fail "just $* does not fail"
  grep -q -- "$text" "$work/out" || fail "just $* does not say «$text» but: $(tail -20 "$work/out")"
}
has() { grep -q -- "$1" "$work/out" || fail "there is no «$1» in: $(cat "$work/out")"; }

"$just" >"$work/out"
has 'up \*profiles'
had_secret=
[ ! -e .secrets/grafana_admin_password ] || had_secret=1

# Somebody else has a port.
port=${HTTP_PORT:-9464}
python3 -c 'import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))): time.sleep(300)' "$port" &
busy=$!
sleep 1
says "port $port is in use" doctor
says "port $port is in use" up
kill "$busy" && busy=
runs doctor

runs up demo
has "/metrics, /docs"
has "password $(cat .secrets/grafana_admin_password)"
runs ps
has demo
runs smoke
has 'SKIPPED: Grafana'
runs restart meterbridge
runs password
timeout 5 "$just" logs demo >"$work/out" 2>&1 </dev/null || [ $? = 124 ] || fail "just logs: $(cat "$work/out")"
says 'There is no profile trace' up trace
says 'just password' password --rest
runs down
[ -z "$(docker compose --profile '*' ps --quiet)" ] || fail "just down leaves containers"
docker volume ls --quiet | grep -q prometheus-data || fail "just down deletes the data"
says 'y/N' clean
if [ -z "$had_secret" ]; then
  runs --yes clean
  ! docker volume ls --quiet | grep -q "^${COMPOSE_PROJECT_NAME:-meterbridge}_" || fail "just clean leaves volumes"
  [ ! -e .secrets ] || fail "just clean leaves the password"
fi

# No engine, and no docker at all.
DOCKER_HOST=unix://$work/nobody.sock says 'Docker does not answer' up
mkdir "$work/bin"
for program in bash sh env cat sed grep dirname; do ln -s "$(command -v $program)" "$work/bin/"; done
PATH=$work/bin says 'There is no docker' up
says 'A version is of the form' --yes release one
PATH=$work/bin says 'Nothing here opens a browser' open
echo "ok: the recipes do what they say, and say what is wrong"
