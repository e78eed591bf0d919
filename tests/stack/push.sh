#!/usr/bin/env bash
# Builds the images for this platform and tries them, then builds all platforms and pushes. `just push` asks before.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${NAMESPACE:?whose images}" "${TAG:?which tag}"
REVISION=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export REVISION SOURCE_DATE_EPOCH
read -ra images <<<"${IMAGES:-meterbridge prometheus grafana}"

# An image whose program does not start is not pushed. The entry points differ: each is called by its name.
for image in "${images[@]}"; do
  PLATFORMS='' ATTEST=false docker buildx bake -f docker-bake.hcl --load "$image"
  name=$REGISTRY/$NAMESPACE/$image:$TAG
  case $image in meterbridge) program=/meterbridge ;; *) program=$image ;; esac
  version=$(docker run --rm --read-only --entrypoint "$program" "$name" --version 2>&1 | head -1) || {
    echo "not pushed: $name does not start: $version" >&2
    exit 1
  }
  echo "tried: $name: $version"
done

# The builder that comes with the engine makes neither several platforms nor attestations.
if [[ $PLATFORMS == *,* || $ATTEST == true ]] && docker buildx inspect | grep -q '^Driver: *docker$'; then
  docker buildx inspect meterbridge >/dev/null 2>&1 ||
    docker buildx create --name meterbridge --driver docker-container
  export BUILDX_BUILDER=meterbridge
fi
docker buildx bake -f docker-bake.hcl --push ${METADATA:+--metadata-file "$METADATA"} "${images[@]}"
echo "pushed: $(printf "$REGISTRY/$NAMESPACE/%s:$TAG " "${images[@]}")"
