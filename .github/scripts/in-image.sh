#!/usr/bin/env bash
# Runs a command in the image, on this clone and as the caller, with all GPUs:
#   IMAGE=callwright .github/scripts/in-image.sh dvc repro
# Of the environment only what is named here gets in, and of that only what has a value. What this machine itself runs of
# the clone (git with its configuration and hooks, these scripts, the image's build) cannot be changed from inside.
set -euo pipefail

storage="$(dirname "$PWD")/callwright-storage" # the default remote, at the same place inside
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

# The named volume keeps downloaded models; shared memory is what several GPUs talk over.
exec docker run --rm --init --name "callwright-${GITHUB_RUN_ID:-$$}" --gpus all --shm-size 2g \
    --user "$(id -u):$(id -g)" --volume "$PWD:/workspace" "${fixed[@]}" \
    --volume "$storage:$storage" --volume callwright-cache:/cache "${passed[@]}" "${IMAGE:-callwright}" "$@"
