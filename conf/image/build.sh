#!/usr/bin/env bash
# Builds the image for the caller's uid (`make image`).
#   BASE_IMAGE       a base other than the Dockerfile's
#   PIP_CONFIG_FILE  pip's own variable: a pip.conf for a mirror or other indexes, mounted during the build only
#   IMAGE_ARGS       more arguments for the engine, such as --volume /srv/wheels:/srv/wheels:ro
#   IMAGE, ENGINE    the image's name; docker, podman or buildah
set -euo pipefail
cd "$(dirname "$0")/../.."
source conf/image/engine.sh

arguments=(--tag "$image" --build-arg "UID=$uid" --build-arg "GID=$gid")
arguments+=(--label "org.opencontainers.image.revision=$(git rev-parse HEAD)")
if [ -n "${BASE_IMAGE:-}" ]; then
    arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
fi
if [ -n "${PIP_CONFIG_FILE:-}" ]; then
    arguments+=(--secret "id=pip,src=$PIP_CONFIG_FILE")
fi
if [ "$engine" != docker ]; then
    arguments+=(--layers)
fi
read -r -a more <<<"${IMAGE_ARGS:-}"
"$engine" build "${arguments[@]}" "${more[@]}" .
