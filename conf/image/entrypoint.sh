#!/bin/sh
# The image's entry point: any command, in the mounted clone. A wrong mount gives an error of one line instead of DVC's
# many.
set -eu
if [ "$1" = dvc ]; then
    if [ ! -e dvc.yaml ]; then
        echo "$PWD holds no dvc.yaml: mount a clone of Callwright with --volume \"\$PWD\":/workspace" >&2
        exit 2
    fi
    if [ ! -w . ]; then
        echo "uid $(id -u) may not write to $PWD, which belongs to uid $(stat -c %u .): add --user \"\$(id -u):\$(id -g)\"" >&2
        exit 2
    fi
fi
exec "$@"
