# The bridge. Builds for the platform it runs on, and from amd64 for arm64 and the other way round.
#
# The bases are arguments, so that a mirror or a newer one can take their place. They are pinned by tag only: nobody
# has looked up their digests yet (`just update-digests` on a machine that reaches the registries).
ARG RUST=rust:1.95.0-slim-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${RUST} AS build
ARG BUILDARCH TARGETARCH
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
COPY benches benches
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=meterbridge-target-$TARGETARCH,sharing=locked \
    <<'BUILD'
set -eu
# Of rust-toolchain.toml only the release counts here: rustfmt and clippy would be downloaded for nothing.
RUSTUP_TOOLCHAIN=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
export RUSTUP_TOOLCHAIN
target=
if [ "$TARGETARCH" != "$BUILDARCH" ]; then
  case $TARGETARCH in
    amd64) cpu=x86_64 ;;
    arm64) cpu=aarch64 ;;
    *) echo "no build for $TARGETARCH yet: add it here" >&2; exit 1 ;;
  esac
  target=$cpu-unknown-linux-gnu
  rustup target add "$target"
  apt-get update -q
  apt-get install -y -q --no-install-recommends "gcc-$(echo $cpu | tr _ -)-linux-gnu" "libc6-dev-$TARGETARCH-cross"
  export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_LINKER=$cpu-linux-gnu-gcc"
fi
# Cargo goes by times: files older than what another checkout left in the cache would look built.
find src -exec touch {} +
cargo build --locked --release ${target:+--target "$target"}
cp "target/${target:+$target/}release/meterbridge" /meterbridge
BUILD

# Nothing runs in this stage, and nothing in it needs a shell or a writable file system.
FROM ${BASE}
COPY --from=build /meterbridge /meterbridge
USER 65532:65532
ENV METERBRIDGE_HTTP_LISTEN=0.0.0.0:9464 \
    METERBRIDGE_OTLP_HTTP_LISTEN=0.0.0.0:4318 \
    METERBRIDGE_OTLP_GRPC_LISTEN=0.0.0.0:4317
EXPOSE 9464 4318 4317
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --start-interval=1s --retries=4 \
  CMD ["/meterbridge", "healthcheck"]
ENTRYPOINT ["/meterbridge"]
