#!/usr/bin/env bash
# Prints the folder that holds `prometheus` and `promtool` of version 3, fetching them into DIR if need be.
#
#   tests/tools/prometheus.sh DIR        e.g. PATH=$(tests/tools/prometheus.sh .cache/prometheus):$PATH
#
# Those on PATH are used if they are of version 3. Else the packages of Debian sid are unpacked into DIR (not
# installed: no root is needed and the system's own package lists stay as they are).
set -euo pipefail
dir=${1:?"usage: $0 DIR"}

version() { "$1" --version 2>&1 | sed -nE '1s/^[a-z]+, version ([0-9]+)\..*/\1/p'; }
is_three() { [ "$(version "$1")" = 3 ] && [ "$(version "$2")" = 3 ]; }

if p=$(command -v prometheus) && t=$(command -v promtool) && is_three "$p" "$t" &&
  [ "$(dirname "$p")" = "$(dirname "$t")" ]; then
  dirname "$p"
  exit
fi

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
bin=$dir/usr/bin
if [ -x "$bin/prometheus" ] && [ -x "$bin/promtool" ] && is_three "$bin/prometheus" "$bin/promtool"; then
  echo "$bin"
  exit
fi

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016 # $(REPO_URI) is for apt
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 2>/dev/null | grep -m1 '/debian/$' || true)
if [ -z "$mirror" ] || [ ! -e "$keyring" ]; then
  echo "$0: no Prometheus 3 on PATH, and this is not Debian: install prometheus and promtool 3.x yourself" >&2
  exit 1
fi

# An apt of our own, which knows nothing but sid.
apt=$dir/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
cat >"$apt/sources" <<SOURCES
deb [signed-by=$keyring] $mirror sid main
SOURCES
: >"$apt/status"
options=(
  -o Dir::Etc::SourceList="$apt/sources" -o Dir::Etc::SourceParts="$apt/empty"
  -o Dir::Etc::Preferences="$apt/empty/none" -o Dir::Etc::PreferencesParts="$apt/empty"
  -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status"
  -o Dir::Cache="$apt" -o Dir::Cache::Archives="$apt/archives"
  -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3
)
{
  apt-get "${options[@]}" update -q
  cd "$apt/archives"
  rm -f ./*.deb
  apt-get "${options[@]}" download -q prometheus promtool
  for deb in ./*.deb; do dpkg -x "$deb" "$dir"; done
} >"$apt/log" 2>&1 || {
  tail -20 "$apt/log" >&2
  echo "$0: could not fetch prometheus and promtool from $mirror" >&2
  exit 1
}
rm -rf "$apt/lists" "$apt/archives" "$apt"/*.bin

is_three "$bin/prometheus" "$bin/promtool" || {
  echo "$0: what was fetched is not version 3: $("$bin/prometheus" --version 2>&1 | head -1)" >&2
  exit 1
}
echo "$bin"
