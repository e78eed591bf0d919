#!/usr/bin/env bash
# Makes the JSON Schema that dashboards are checked against, from dashboard.ts and Grafana's published types, and prints
# where it is. What npm fetches and what is made of it stay in .cache: they are Grafana's, not ours to hand on.
#
#   tests/stack/schema.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
types=@grafana/schema@13.2.3
tools=(ts-json-schema-generator@2.4.0 typescript@5.9.3)

made=$PWD/.cache/grafana-types/$( (cat tests/stack/dashboard.ts && echo "$types ${tools[*]}") | sha256sum | cut -c1-16)
schema=$made/dashboard.schema.json
if [ ! -s "$schema" ]; then
  mkdir -p "$made"
  cp tests/stack/dashboard.ts "$made/"
  (
    cd "$made"
    # React and the like are peers of the package's code; its types need none of them.
    npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps "$types" "${tools[@]}"
    npx --no-install ts-json-schema-generator --path dashboard.ts --type Checked --expose none --no-type-check --minify \
      --out schema.new
    mv schema.new dashboard.schema.json
    rm -rf node_modules
  ) >"$made/log" 2>&1 || {
    tail -20 "$made/log" >&2
    echo "$0: cannot make the schema from $types; it needs node and npm's registry" >&2
    exit 1
  }
fi
echo "$schema"
