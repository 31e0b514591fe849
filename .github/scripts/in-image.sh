#!/usr/bin/env bash
# Runs a command in the image, on this clone and as the caller, with all GPUs:
#   IMAGE=callwright .github/scripts/in-image.sh dvc repro
# Only the environment variables named here are passed in, if they have a value. The container cannot change files of
# the clone that this machine runs (git with its configuration and hooks, these scripts, the image's build).
set -euo pipefail

storage="$(dirname "$PWD")/callwright-storage" # the default remote, at the same path in the container
mkdir -p "$storage"

passed=()
for name in TEACHER_API_KEY HF_TOKEN MLFLOW_TRACKING_URI MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD \
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
    if [[ -n "${!name:-}" ]]; then
        passed+=(--env "$name")
    fi
done

fixed=()
for name in .git .github .ci conf/image Dockerfile Makefile; do
    if [[ -e "$name" ]]; then
        fixed+=(--volume "$PWD/$name:/workspace/$name:ro")
    fi
done

# The named volume keeps downloaded models; several GPUs communicate over shared memory.
exec docker run --rm --init --name "callwright-${GITHUB_RUN_ID:-$$}" --gpus all --shm-size 2g \
    --user "$(id -u):$(id -g)" --volume "$PWD:/workspace" "${fixed[@]}" \
    --volume "$storage:$storage" --volume callwright-cache:/cache "${passed[@]}" "${IMAGE:-callwright}" "$@"
