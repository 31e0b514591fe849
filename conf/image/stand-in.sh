#!/usr/bin/env bash
# Builds callwright-stand-in, a bare Debian or Ubuntu of the machine's release, for machines that cannot pull a CUDA
# base. Needs debootstrap and root. It has no GPU support: it is for checking the image, not for use.
set -euo pipefail
cd "$(dirname "$0")/../.."
source conf/image/engine.sh

if "$engine" inspect --type image callwright-stand-in >/dev/null 2>&1; then
    exit # exists already
fi
command -v debootstrap >/dev/null || { echo "no debootstrap: install it, or name a base with BASE_IMAGE" >&2; exit 1; }
root=$(mktemp --directory)
trap 'rm -rf "$root"' EXIT
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
debootstrap --variant=minbase "$release" "$root" >&2
if [ "$engine" = buildah ]; then
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$root" / >&2
    buildah commit --quiet --rm "$container" callwright-stand-in >&2
else
    tar --create --directory "$root" . | "$engine" import - callwright-stand-in >&2
fi
