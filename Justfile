set shell := ["bash", "-euo", "pipefail", "-c"]
set dotenv-load := true
set export := true

# Where images go: REGISTRY/NAMESPACE/{meterbridge,prometheus,grafana}:TAG. See .env.example.

REGISTRY := env_var_or_default("REGISTRY", "docker.io")
NAMESPACE := env_var_or_default("NAMESPACE", "")
TAG := env_var_or_default("TAG", "")
PLATFORMS := env_var_or_default("PLATFORMS", "linux/amd64,linux/arm64")
ATTEST := env_var_or_default("ATTEST", "true")
IMAGES := env_var_or_default("IMAGES", "meterbridge prometheus grafana")

# The version of a commit that is tagged v1.2.3, else the commit.

tag_of_commit := "$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' | grep . || echo sha-$(git rev-parse --short=12 HEAD))"

[private]
default:
    @{{ quote(just_executable()) }} --list --unsorted

# Build what changed, start the stack and profiles (traces collector alertmanager demo), wait until it is healthy
[group('stack')]
up *profiles: _engine _password
    #!/usr/bin/env bash
    set -euo pipefail
    profiles='{{ profiles }}'
    for profile in $profiles; do
        case $profile in
            traces) export TRACES_ENDPOINT=${TRACES_ENDPOINT:-http://jaeger:4318/v1/traces} ;;
            collector | alertmanager | demo) ;;
            *)
                echo "There is no profile $profile; there are traces, collector, alertmanager and demo." >&2
                exit 1
                ;;
        esac
    done
    COMPOSE_PROFILES=${COMPOSE_PROFILES:-}${COMPOSE_PROFILES:+${profiles:+,}}${profiles// /,}
    export COMPOSE_PROFILES
    docker compose up --build --detach --wait || { {{ quote(just_executable()) }} _why; exit 1; }
    {{ quote(just_executable()) }} urls

# Restart all or some services
[group('stack')]
restart *services: _engine
    docker compose --profile '*' restart {{ services }}

# Stop the stack; metrics and dashboards' state stay in their volumes
[group('stack')]
down:
    docker compose --profile '*' down --remove-orphans

# Follow the logs of all or some services
[group('stack')]
logs *services:
    docker compose --profile '*' logs --follow --tail=100 {{ services }}

# Show what runs and whether it is healthy
[group('stack')]
ps:
    docker compose --profile '*' ps --all

# Say where everything is, and how to log in
[group('stack')]
urls:
    #!/usr/bin/env bash
    set -euo pipefail
    host=${BIND:-127.0.0.1}
    [ "$host" != 0.0.0.0 ] || host=localhost
    password='made by the first just up'
    [ ! -s .secrets/grafana_admin_password ] || password=$(cat .secrets/grafana_admin_password)
    printf '%-11s http://%s:%s\n' \
        Grafana "$host" "${GRAFANA_PORT:-3000}   user admin, password $password" \
        Prometheus "$host" "${PROMETHEUS_PORT:-9090}" \
        Bridge "$host" "${HTTP_PORT:-9464}   /metrics, /docs" \
        OTLP/HTTP "$host" "${OTLP_HTTP_PORT:-4318}" \
        OTLP/gRPC "$host" "${OTLP_GRPC_PORT:-4317}"

# Open Grafana in the browser
[group('stack')]
open:
    #!/usr/bin/env bash
    set -euo pipefail
    url=http://localhost:${GRAFANA_PORT:-3000}
    for program in xdg-open open wslview; do
        ! command -v "$program" >/dev/null || exec "$program" "$url"
    done
    echo "Nothing here opens a browser; the address is $url" >&2
    exit 1

# Show the password of Grafana's admin; `just password --reset` makes a new one, also for a Grafana that runs
[group('stack')]
password option="": _password
    #!/usr/bin/env bash
    set -euo pipefail
    case '{{ option }}' in
        '') ;;
        --reset)
            rm -f .secrets/grafana_admin_password
            {{ quote(just_executable()) }} _password
            # It reads the file at its first start only.
            if [ -n "$(docker compose ps --quiet grafana 2>/dev/null)" ]; then
                docker compose up --detach --force-recreate --wait grafana
                docker compose exec -T grafana sh -c 'grafana cli admin reset-admin-password "$(cat /run/secrets/grafana_admin_password)"'
            fi
            ;;
        *)
            echo "just password, or just password --reset" >&2
            exit 1
            ;;
    esac
    cat .secrets/grafana_admin_password
    echo

# Add services that push metrics, for boards with something on them
[group('stack')]
demo: (up "demo")

# Delete the stack with its volumes and the password
[confirm("Delete all recorded metrics, Grafana's state and its password? [y/N]")]
[group('stack')]
clean:
    docker compose --profile '*' down --remove-orphans --volumes
    rm -rf .secrets

# Say what is missing on this machine for the stack and for working on it
[group('check')]
doctor:
    @tests/stack/doctor.sh

# Check the stack that runs: a sample from OTLP to Prometheus, Grafana's data source and boards
[group('check')]
smoke:
    @tests/stack/smoke.sh

# Run the bridge from source in the foreground
[group('develop')]
run *args:
    cargo run --release -- {{ args }}

# Run the bridge from source, again after each change
[group('develop')]
watch *args:
    @command -v watchexec >/dev/null || { echo 'There is no watchexec: cargo install --locked watchexec-cli' >&2; exit 1; }
    watchexec --restart --watch src --watch Cargo.toml -- cargo run -- {{ args }}

# Run the tests of the crate
[group('develop')]
test *args:
    cargo test --locked {{ args }}

# Measure what it costs beside the Collector, vmagent and others; --markdown writes docs/performance.md anew
[group('develop')]
bench-peers *args:
    benches/peers/ingest.py {{ args }}

# Check Prometheus' configuration and test its rules
[group('develop')]
rules:
    tests/stack/rules.sh

# Check the dashboards and Grafana's provisioning
[group('develop')]
dashboards: _python
    .venv/bin/python tests/stack/dashboards.py

# Build the images, start the bridge and Prometheus, send a sample through, push to a local registry
[group('develop')]
containers:
    tests/stack/containers.sh

# Format the code
[group('develop')]
fmt:
    cargo fmt
    {{ quote(just_executable()) }} --unstable --fmt

# Lint the code and its documentation
[group('develop')]
lint:
    cargo fmt --check
    cargo clippy --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# Run everything that CI runs
[group('develop')]
ready:
    .ci/run

# Build the images of the stack
[group('images')]
build *services:
    docker compose build {{ services }}

# Build the images, try them, and push them; NAMESPACE=<your account> just push
[group('images')]
push: _pushable _push

[private]
_pushable:
    #!/usr/bin/env bash
    set -euo pipefail
    if [ -z "$NAMESPACE" ]; then
        echo "Say where to push: NAMESPACE=<your account or organisation> just push (REGISTRY is $REGISTRY)" >&2
        exit 1
    fi
    if [ -n "$(git status --porcelain)" ]; then
        echo "Commit or remove your changes first: a pushed image is of one commit." >&2
        git status --short >&2
        exit 1
    fi
    tag=${TAG:-{{ tag_of_commit }}}
    printf "to push: $REGISTRY/$NAMESPACE/%s:$tag\n" $IMAGES
    echo "for ${PLATFORMS:-this platform}, attestations: $ATTEST"

# Asked here and not in push, since just asks before it looks at what a recipe depends on.
[confirm("Push these images? [y/N]")]
[private]
_push:
    TAG=${TAG:-{{ tag_of_commit }}} tests/stack/push.sh

# Make an archive for this platform, with a unit for systemd, and check it
[group('images')]
dist:
    dist/test.sh
    @ls -l "${CARGO_TARGET_DIR:-target}"/dist/*.tar.gz*

# Build the Kubernetes manifests and hold them to their schemas
[group('develop')]
kubernetes:
    cargo build --release --locked
    tests/stack/kubernetes.sh

# Print what `just push` would build and where it would go
[group('images')]
images:
    TAG=${TAG:-{{ tag_of_commit }}} NAMESPACE=${NAMESPACE:-meterbridge} docker buildx bake -f docker-bake.hcl --print $IMAGES

# Ask the registries for the digests of all base images, and write them into the files
[group('images')]
update-digests: _engine
    tests/stack/update-digests.sh

# Set the version, head the changes with it, commit and tag; pushing the tag is yours
[confirm("Commit and tag a release? [y/N]")]
[group('release')]
release version:
    #!/usr/bin/env bash
    set -euo pipefail
    version='{{ version }}'
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "A version is of the form 1.2.3, not '$version'." >&2; exit 1; }
    [ -z "$(git status --porcelain)" ] || { echo 'Commit or remove your changes first: a release is of one commit.' >&2; exit 1; }
    ! git rev-parse -q --verify "refs/tags/v$version" >/dev/null || { echo "There is a v$version already." >&2; exit 1; }
    sed -i "0,/^version = .*/s//version = \"$version\"/" Cargo.toml
    sed -i "0,/^## Unreleased$/s//## Unreleased\n\n## $version, $(date +%F)/" CHANGELOG.md
    cargo check --quiet
    git commit --all --message "release: $version"
    git tag --annotate "v$version" --message "Meterbridge $version"
    echo "git push --follow-tags publishes it; NAMESPACE=you just push builds the images of it."

# A sentence in place of what compose says when there is no engine.
[private]
_engine:
    @command -v docker >/dev/null || { echo 'There is no docker: install Docker with compose 2.24 or later; just doctor says what else is missing.' >&2; exit 1; }
    @docker info >/dev/null 2>&1 || { echo 'Docker does not answer: start its engine (systemctl start docker, or Docker Desktop); just doctor has more.' >&2; exit 1; }

# What to look at when the stack does not come up.
[private]
_why:
    @docker compose --profile '*' ps --all >&2
    @docker compose --profile '*' logs --tail=15 >&2
    @tests/stack/doctor.sh >&2 || true

# Made once, for Grafana. See compose.yaml for the modes.
[private]
_password:
    #!/usr/bin/env bash
    set -euo pipefail
    [ ! -s .secrets/grafana_admin_password ] || exit 0
    mkdir -p -m 0700 .secrets
    chmod 0700 .secrets
    head -c 18 /dev/urandom | base64 >.secrets/new
    tr -d '\n' <.secrets/new >.secrets/grafana_admin_password
    rm .secrets/new
    chmod 0444 .secrets/grafana_admin_password

[private]
_python:
    @test -x .venv/bin/python || python3 -m venv .venv
    @.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/stack/requirements.txt
