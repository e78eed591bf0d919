#!/usr/bin/env bash
# Says what this machine lacks for the stack, and what to do about each thing. Ends with 1 where something that is needed is
# missing.
#
#   tests/stack/doctor.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
if [ -f .env ]; then
  set -a
  # shellcheck source=/dev/null
  . ./.env
  set +a
fi

missing=0
ok() { printf 'ok       %s\n' "$*"; }
# needed WHAT WHAT_TO_DO
needed() {
  printf '\033[31mMISSING  %s\033[0m\n         %s\n' "$1" "$2"
  missing=1
}
# better WHAT WHY
better() { printf 'better   %s\n         %s\n' "$1" "$2"; }

# at_least WANTED GOT: versions
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }

if ! command -v docker >/dev/null; then
  needed docker "install Docker Engine or Docker Desktop: https://docs.docker.com/get-docker/"
else
  ok "docker: $(docker --version)"
  if docker info >/dev/null 2>&1; then
    ok "the engine answers"
    memory=$(docker info --format '{{.MemTotal}}' 2>/dev/null || echo 0)
    if [ "${memory:-0}" -ge 2000000000 ]; then
      ok "memory of the engine: $((memory / 1000000)) MB"
    else
      needed "memory: the engine has $((memory / 1000000)) MB" "give it 2 GB: Grafana, Prometheus and the bridge have limits of 2.3 GB together"
    fi
  else
    needed "the engine does not answer" "start it (systemctl start docker, or Docker Desktop), and be in the group docker"
  fi
  compose=$(docker compose version --short 2>/dev/null | sed 's/^v//')
  if [ -z "$compose" ]; then
    needed "docker compose" "install the compose plug-in, 2.24 or later: https://docs.docker.com/compose/install/"
  elif at_least 2.24 "$compose"; then
    ok "compose $compose"
  else
    needed "compose 2.24; there is $compose" "install a newer plug-in: https://docs.docker.com/compose/install/"
  fi
  if docker buildx version >/dev/null 2>&1; then
    ok "buildx"
  else
    needed "docker buildx" "install the buildx plug-in, which builds the images: https://docs.docker.com/build/"
  fi
fi

# What the stack publishes; `just up` cannot bind what somebody else holds.
own=$(docker compose ps --format '{{.Ports}}' 2>/dev/null)
for pair in GRAFANA_PORT=3000 PROMETHEUS_PORT=9090 HTTP_PORT=9464 OTLP_GRPC_PORT=4317 OTLP_HTTP_PORT=4318; do
  name=${pair%=*} default=${pair#*=}
  port=${!name:-$default}
  if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    ok "port $port is free"
  elif grep -q ":$port->" <<<"$own"; then
    ok "port $port is held by the stack itself"
  else
    needed "port $port is in use" "stop who holds it (ss -ltnp 'sport = :$port'), or set $name in .env"
  fi
done

free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1048576)}')
if [ "$free" -ge 5 ]; then ok "disk: $free GB free"; else needed "disk: $free GB free" "images and their build need about 5 GB"; fi

for pair in "cargo=to build and test the bridge: https://rustup.rs" "python3=for the checks of boards and the end-to-end tests" \
  "curl=for just smoke"; do
  if command -v "${pair%%=*}" >/dev/null; then ok "${pair%%=*}"; else better "${pair%%=*} is not there" "${pair#*=}"; fi
done
exit $missing
