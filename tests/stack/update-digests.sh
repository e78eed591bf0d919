#!/usr/bin/env bash
# Asks the registries for the digest of each image that the stack is made of, and writes tag@digest into the files.
#
#   tests/stack/update-digests.sh [FILE...]     default: the Dockerfiles and compose.yaml
#
# Only digests move; a newer tag is for a person to write.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# != 0 ] || set -- Dockerfile prometheus/Dockerfile grafana/Dockerfile compose.yaml

failed=0
for file in "$@"; do
  # ARG NAME=image:tag[@digest] in a Dockerfile, image: ${NAME:-image:tag[@digest]} in a compose file
  for image in $(sed -nE -e 's/^ARG [A-Z]+=([^@]+:[^@]+).*/\1/p' -e 's/^ *image: \$\{[A-Z]+:-([^@}]+:[^@}]+).*\}( +#.*)?$/\1/p' "$file"); do
    # Of what it prints for people: the format {{.Manifest.Digest}} of buildx 0.13 prints the same, and not the digest alone.
    if said=$(docker buildx imagetools inspect "$image" 2>&1) && digest=$(sed -n 's/^Digest: *\(sha256:[0-9a-f]*\)$/\1/p' <<<"$said" | head -1) &&
      [ -n "$digest" ]; then
      name=$(printf %s "$image" | sed 's/[.]/\\./g')
      sed -i -E "s#([=-])$name(@sha256:[0-9a-f]+)?(\}.*)?\$#\1$image@$digest\3#" "$file"
      echo "$file: $image@$digest"
    else
      echo "$file: $image: not found: $(tail -1 <<<"$said")" >&2
      failed=1
    fi
  done
done
exit $failed
