#!/usr/bin/env bash
# Makes the archive and follows docs/install.md with it, in a folder instead of the system: the checksum, what is inside, the
# binary with the example configuration, and the unit by systemd-analyze.
#
#   dist/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
archive=$(dist/make.sh | tail -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$(dirname "$archive")" && sha256sum --check --quiet "$(basename "$archive").sha256") || fail "the checksum is not right"
tar -xzf "$archive" -C "$work"
folder=$(echo "$work"/meterbridge-*)
for file in meterbridge meterbridge.yaml meterbridge.service README.md LICENSE THIRD-PARTY-LICENCES.txt docs/install.md; do
  [ -s "$folder/$file" ] || fail "$file is not in the archive"
done
grep -q '^tokio .*MIT' "$folder/THIRD-PARTY-LICENCES.txt" || fail "the licences of the dependencies are not in it"

"$folder/meterbridge" serve --config "$folder/meterbridge.yaml" --http-listen 127.0.0.1:0 --otlp-http-listen 127.0.0.1:0 \
  --otlp-grpc-listen 127.0.0.1:0 2>"$work/log" &
pid=$!
for _ in $(seq 50); do
  grep -q 'Swagger UI' "$work/log" && break
  sleep 0.1
done
kill "$pid" 2>/dev/null || fail "it does not start with the example configuration: $(cat "$work/log")"
wait "$pid" || fail "it does not stop in order: $(cat "$work/log")"

if command -v systemd-analyze >/dev/null; then
  # With the paths of this folder, since nothing is installed here.
  sed "s|/usr/local/bin/meterbridge|$folder/meterbridge|; /^Documentation=/d" "$folder/meterbridge.service" >"$work/meterbridge.service"
  systemd-analyze verify "$work/meterbridge.service" 2>"$work/verify" || fail "$(cat "$work/verify")"
  ! grep meterbridge "$work/verify" || fail "systemd-analyze verify complains"
  exposure=$(systemd-analyze security --offline=true "$work/meterbridge.service" 2>/dev/null | sed -nE 's/.*exposure level for .*: ([0-9.]+).*/\1/p')
  [ -n "$exposure" ] || fail "systemd-analyze security says nothing"
  awk -v level="$exposure" 'BEGIN { exit !(level <= 2.0) }' || fail "the unit is exposed at $exposure of 10"
  echo "ok: the unit is valid, and exposed at $exposure of 10"
elif [ "${CI:-}" = true ]; then
  fail "there is no systemd-analyze"
else
  printf '\033[31mSKIPPED: the unit: there is no systemd-analyze\033[0m\n'
fi
echo "ok: $(basename "$archive"), $(($(stat -c %s "$archive") / 1024)) KiB"
