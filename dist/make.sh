#!/usr/bin/env bash
# Makes an archive for this platform, with a checksum, in target/dist: the binary, an example configuration, a unit for systemd, the
# pages, and the licence texts of what the binary is made of.
#
#   dist/make.sh
#
# The same commit gives the same archive where the same compiler builds it: names are sorted, times are those of the commit.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
cargo build --locked --release
version=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -1)
platform=$(rustc -vV | sed -n 's/^host: //p')
name=meterbridge-$version-$platform
out=$target/dist
rm -rf "${out:?}/$name"
mkdir -p "$out/$name/docs"
install -m 0755 "$target/release/meterbridge" "$out/$name/"
install -m 0644 dist/meterbridge.yaml dist/meterbridge.service README.md CHANGELOG.md LICENSE "$out/$name/"
install -m 0644 docs/*.md "$out/$name/docs/"
python3 dist/licences.py >"$out/$name/THIRD-PARTY-LICENCES.txt"
when=$(git log -1 --format=%ct 2>/dev/null || date +%s)
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$when" -C "$out" -c "$name" | gzip -n -9 >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
rm -rf "${out:?}/$name"
echo "$out/$name.tar.gz"
