# Sourced by the scripts beside it. Sets `engine` (docker if its daemon answers, else podman, else buildah), `image`,
# and the owner of a run's files: `uid`, `gid`, and `caller`, the engine's arguments for that.
# shellcheck shell=bash disable=SC2034
engine=${ENGINE:-}
if [ -z "$engine" ]; then
    if docker info >/dev/null 2>&1; then
        engine=docker
    elif command -v podman >/dev/null; then
        engine=podman
    elif command -v buildah >/dev/null; then
        engine=buildah
    else
        echo "no container engine: install docker (and start its daemon), podman or buildah" >&2
        exit 1
    fi
fi
image=${IMAGE:-callwright}
uid=$(id -u) gid=$(id -g)
if [ "$uid" = 0 ]; then
    uid=1000 gid=1000 # the image does not run as root
fi
caller=(--user "$uid:$gid")
if [ "$engine" = podman ] && [ "$(id -u)" != 0 ]; then
    caller+=(--userns keep-id) # otherwise the caller is root in the container
fi
