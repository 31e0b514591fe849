#!/usr/bin/env bash
# Checks the image (`make image-check`): builds it, on a stand-in base if no CUDA base can be pulled, and runs in it,
# as a user who is not root and on a fresh clone of the committed state: the fast tests, the tiny pipeline, and the tiny
# pipeline again, which must have nothing to do. Accepts the variables of build.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
source conf/image/engine.sh

if [ -z "${BASE_IMAGE:-}" ]; then
    default=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
    if ! "$engine" pull "$default" >/dev/null 2>&1; then
        echo "image-check: $default cannot be pulled; building on a stand-in, whose image has no use on a GPU"
        conf/image/stand-in.sh
        export BASE_IMAGE=callwright-stand-in
        if [ "$engine" != docker ]; then
            BASE_IMAGE=localhost/$BASE_IMAGE
        fi
    fi
fi
conf/image/build.sh

clone=$(mktemp --directory)
container=
cleanup() {
    if [ -n "$container" ]; then
        buildah rm "$container" >/dev/null
    fi
    rm -rf "$clone"
}
trap cleanup EXIT
git clone --quiet . "$clone"
if [ "$(id -u)" = 0 ]; then
    chown --recursive "$uid:$gid" "$clone"
fi

# Runs a command in the image as its users do: the clone at /workspace, the caller's uid, the entry point.
run() {
    if [ "$engine" = buildah ]; then
        # buildah runs containers made from an image, not images, and ignores their entry point.
        buildah run --user "$uid:$gid" --volume "$clone:/workspace" "$container" -- callwright-run "$@"
    else
        "$engine" run --rm --init "${caller[@]}" --volume "$clone:/workspace" "$image" "$@"
    fi
}
if [ "$engine" = buildah ]; then
    container=$(buildah from "$image")
fi

echo "== the fast tests, as uid $(run id -u)"
run pytest -n 2 --dist loadgroup -m "not slow and not gpu"
echo "== the tiny pipeline"
run cp tests/stages/tiny.yaml conf/presets/
run callwright preset tiny
run dvc repro
echo "== once more"
again=$(run dvc repro)
echo "$again" | tail -1
if echo "$again" | grep -q "Running stage"; then
    echo "image-check: the second run ran stages again" >&2
    exit 1
fi
strangers=$(find "$clone" ! -uid "$uid" -print -quit)
if [ -n "$strangers" ]; then
    echo "image-check: $strangers does not belong to uid $uid" >&2
    exit 1
fi
echo "== the layers"
if [ "$engine" = buildah ]; then
    python3 conf/image/layers.py "$image"
else
    "$engine" history --format '{{.Size}}  {{.CreatedBy}}' "$image"
fi
