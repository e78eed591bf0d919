#!/usr/bin/env bash
# Builds the images of the bridge and of Prometheus, starts them with compose, sends one sample through, and pushes the
# images to a registry on this machine. Leaves nothing running; ends by itself after LIMIT seconds (default 2400).
#
#   tests/stack/containers.sh
#
# Needs docker (with compose and buildx), curl and python3. Where no registry can be reached, OFFLINE names a script that
# puts stand-ins in the places of the base images:
#   OFFLINE engine | seed {rust,debian,prometheus} TAG | registry PORT | stop
# Grafana is not started: its image has no such stand-in, and elsewhere `just up` is the test.
set -euo pipefail
[ -z "${OFFLINE:-}" ] || OFFLINE=$(realpath "$OFFLINE")
cd "$(dirname "$0")/../.."

if [ -z "${CONTAINERS_SH_BOUNDED:-}" ]; then
  CONTAINERS_SH_BOUNDED=1 exec timeout --kill-after=90 "${LIMIT:-2400}" "$PWD/tests/stack/containers.sh" "$@"
fi

# Not the names, volumes and images of a stack that somebody uses on this machine.
export COMPOSE_PROJECT_NAME=${PROJECT:-meterbridge-smoke}
export REGISTRY=docker.io NAMESPACE=$COMPOSE_PROJECT_NAME TAG=smoke BIND=127.0.0.1
export HTTP_PORT=${HTTP_PORT:-9464} OTLP_HTTP_PORT=${OTLP_HTTP_PORT:-4318} OTLP_GRPC_PORT=${OTLP_GRPC_PORT:-4317}
export PROMETHEUS_PORT=${PROMETHEUS_PORT:-9090}
registry_port=${REGISTRY_PORT:-5000}

work=$(mktemp -d)
files=(-f compose.yaml)
started_engine=
container=
registry_container=

exec 3>&1 4>&2

say() { echo "containers.sh: $*"; }
ok() { echo "ok: $*"; }
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

compose() { docker compose "${files[@]}" "$@"; }

clean() {
  local status=$?
  trap '' TERM INT # timeout sends it twice, to this and to the group
  trap - EXIT
  exec 1>&3 2>&4 # a signal may come while a function's output goes to a log
  set +e
  if [ "$status" != 0 ]; then
    say "ended with status $status; what the containers said:" >&2
    compose ps --all >&2
    compose logs --tail=20 >&2
  fi
  {
    compose down --volumes --remove-orphans --timeout 5
    [ -z "$container" ] || docker rm --force "$container"
    [ -z "$registry_container" ] || docker rm --force --volumes "$registry_container"
    docker image ls --quiet --filter "reference=$NAMESPACE/*" --filter "reference=127.0.0.1:$registry_port/$NAMESPACE/*" |
      sort -u | xargs --no-run-if-empty docker image rm --force
  } >"$work/clean.log" 2>&1
  if [ -n "$started_engine" ]; then
    "$OFFLINE" stop
  elif [ -n "${offline_registry:-}" ]; then
    kill "$offline_registry" 2>/dev/null
  fi
  rm -rf "$work"
  exit "$status"
}
trap clean EXIT
trap 'trap "" TERM; exit 143' TERM
trap 'trap "" INT; exit 130' INT

# base NAME FILE: the image that a Dockerfile asks for, without its digest
base() { sed -nE "s/^ARG $1=([^@]+).*/\1/p" "$2"; }

## The engine and the bases

if [ -n "${OFFLINE:-}" ]; then
  if ! docker info >/dev/null 2>&1; then
    started_engine=1
    "$OFFLINE" engine
  fi
  RUST=$(base RUST Dockerfile)
  BASE=$(base BASE Dockerfile)
  PROMETHEUS=$(base PROMETHEUS prometheus/Dockerfile)
  export RUST BASE PROMETHEUS
  "$OFFLINE" seed rust "$RUST"
  "$OFFLINE" seed debian "$BASE"
  "$OFFLINE" seed prometheus "$PROMETHEUS"
  prometheus/for-3.5.sh "$work/prometheus"
  export PROMETHEUS_CONTEXT=$work/prometheus
  files+=(-f tests/stack/compose.3.5.yaml)
fi
docker info >/dev/null 2>&1 || fail "no engine: start Docker, or name a script in OFFLINE"

## Images

compose --progress plain build meterbridge prometheus >"$work/build.log" 2>&1 || {
  tail -40 "$work/build.log" >&2
  fail "the images do not build"
}
ok "the images of the bridge and of Prometheus build"

bridge_image=$REGISTRY/$NAMESPACE/meterbridge:$TAG
image() { docker image inspect --format "$1" "$bridge_image"; }
[ "$(image '{{.Config.User}}')" = 65532:65532 ] || fail "the image's user is $(image '{{.Config.User}}')"
[ "$(image '{{json .Config.Entrypoint}}')" = '["/meterbridge"]' ] || fail "the entry point is not the binary"
[ "$(image '{{json .Config.Healthcheck.Test}}')" = '["CMD","/meterbridge","healthcheck"]' ] ||
  fail "the image's health check is not one without a shell"
ok "the image runs and checks /meterbridge as 65532:65532, without a shell"

# The stand-in for distroless/cc is a whole Debian and would hide a library that is missing in the real one.
container=$(docker create "$bridge_image")
docker cp "$container:/meterbridge" "$work/meterbridge" >"$work/cp.log" 2>&1 || fail "no /meterbridge: $(cat "$work/cp.log")"
docker rm "$container" >/dev/null
needs=$(ldd "$work/meterbridge" 2>&1 | awk '{print $1}' | sed 's|.*/||' | sort -u | paste -sd' ')
for library in $needs; do
  case $library in
    linux-vdso.so.1 | ld-linux-*.so.? | libc.so.6 | libm.so.6 | libgcc_s.so.1 | statically) ;;
    *) fail "the binary needs $library, which distroless/cc has not: $needs" ;;
  esac
done
ok "the binary needs nothing but $needs"

## Running

compose up --detach --wait --wait-timeout 180 --no-build meterbridge prometheus demo >"$work/up.log" 2>&1 || {
  cat "$work/up.log" >&2
  fail "the containers do not become healthy"
}
say "Grafana is not started here: its base image has no stand-in"

bridge=$(compose ps --quiet meterbridge)
inspect() { docker inspect --format "$1" "$bridge"; }
[ "$(inspect '{{.State.Health.Status}}')" = healthy ] || fail "the bridge is $(inspect '{{.State.Health.Status}}')"
ok "the bridge is healthy by its own healthcheck"

for service in meterbridge prometheus; do
  id=$(compose ps --quiet "$service")
  set -- "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' "$id")"
  [ "$1" = 'true [ALL] [no-new-privileges:true]' ] || fail "$service is not hardened: $1"
done
ok "root is read-only, without capabilities or new privileges, for the bridge and for Prometheus"

users=$(docker top "$bridge" -eo uid,pid,args | awk 'NR > 1 {print $1}' | sort -u | paste -sd' ')
[ "$users" = 65532 ] || fail "processes in the bridge's container run as $users"
ok "every process in the bridge's container runs as 65532"

GRAFANA=skip tests/stack/smoke.sh || fail "the stack does not do its work"
until_rules=$((SECONDS + 100))
until curl --silent --fail --max-time 5 --get "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" \
  --data-urlencode 'query=count(count by (__name__) ({__name__=~"job:http_server_.*"}))' | grep -q '"8"'; do
  [ $SECONDS -lt $until_rules ] || fail "the recording rules have no results after 100 s"
  sleep 1
done
ok "the recording rules have results on what the bridge says of itself"
python3 tests/stack/panels.py "http://127.0.0.1:$PROMETHEUS_PORT" 120 || fail "a panel would be empty"

compose --profile demo down --volumes --timeout 10 >"$work/down.log" 2>&1 || fail "compose down: $(cat "$work/down.log")"
ok "compose takes it all down"

## The recipes

just=${JUST:-$(command -v just || true)}
if [ -n "$just" ]; then
  # -f compose.yaml, and -f the file for 3.5 where that is used.
  COMPOSE_FILE=${files[1]}${files[3]:+:${files[3]}} tests/stack/recipes.sh "$just" || fail "a recipe does not do what it says"
else
  printf '\033[31mSKIPPED: the recipes and pushing: there is no just, and JUST does not name it\033[0m\n'
  [ "${CI:-}" != true ] || fail "there is no just"
  exit 0
fi
just=$(realpath "$just")

## Pushing

if curl --silent --max-time 2 --output /dev/null "http://127.0.0.1:$registry_port/"; then
  fail "something listens on 127.0.0.1:$registry_port already; set REGISTRY_PORT"
fi
if [ -n "${OFFLINE:-}" ]; then
  "$OFFLINE" registry "$registry_port"
  offline_registry=$(pgrep -n -f '^docker-registry serve' || true)
else
  registry_container=$(docker run --detach --publish "127.0.0.1:$registry_port:5000" registry:3)
fi
for _ in $(seq 30); do
  curl --silent --fail --max-time 2 "http://127.0.0.1:$registry_port/v2/" >/dev/null && break
  sleep 1
done

# Of a copy with a commit of its own: just push refuses what is not committed. For one platform and without attestations, which
# the engine's own builder cannot make.
git clone --quiet --shared . "$work/checkout"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then cp --parents -p "$file" "$work/checkout/"; else rm -f "$work/checkout/$file"; fi
done
cd "$work/checkout"
git add --all
git -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty --message 'as it stands'
export REGISTRY=127.0.0.1:$registry_port PLATFORMS='' ATTEST=false METADATA=$work/pushed.json
[ -z "${OFFLINE:-}" ] || export IMAGES='meterbridge prometheus'
"$just" --yes push >"$work/push.log" 2>&1 || {
  tail -30 "$work/push.log" >&2
  fail "just push"
}
grep '^tried:' "$work/push.log"
for name in meterbridge prometheus; do
  reference=$REGISTRY/$NAMESPACE/$name
  pushed=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["containerimage.digest"])' \
    "$work/pushed.json" "$name")
  docker image rm --force "$reference:$TAG" >/dev/null
  docker pull --quiet "$reference:$TAG" >/dev/null
  pulled=$(docker image inspect --format '{{index .RepoDigests 0}}' "$reference:$TAG")
  [ "$pulled" = "$reference@$pushed" ] || fail "pushed $pushed, but pulled $pulled"
  ok "$name: what was pushed is pulled back, $pushed"
done

# Names of this registry in place of the others', to see that the digest that is written is the one that was pushed.
sed "s#^ARG PROMETHEUS=.*#ARG PROMETHEUS=$reference:$TAG@sha256:$(printf '0%.0s' {1..64})#" prometheus/Dockerfile >"$work/Dockerfile"
tests/stack/update-digests.sh "$work/Dockerfile" >"$work/digests.log" 2>&1 || fail "update-digests: $(cat "$work/digests.log")"
grep -qx "ARG PROMETHEUS=$reference:$TAG@$pushed" "$work/Dockerfile" || fail "the digest in the file: $(cat "$work/Dockerfile")"
ok "update-digests writes the digest that was pushed"

git tag v1.2.3
TAG='' "$just" images 2>&1 | grep -q '/prometheus:1.2"' || fail "the images of a release are not tagged 1.2"
git -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty --message 'no release'
TAG='' "$just" images 2>&1 | grep -q '/prometheus:sha-' || fail "the images of a commit are not tagged by it"
ok "a release is tagged 1.2.3, 1.2 and latest, any other commit by its hash"
say "all checks passed"
