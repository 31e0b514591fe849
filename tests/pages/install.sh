#!/usr/bin/env bash
# Installs what the tests of pages need and this machine lacks: Chromium and npm by apt-get, and the packages of
# package.json beside this file, or in the folder that CALLWRIGHT_PAGE_CHECK names.
set -euo pipefail

has() { command -v "$1" >/dev/null; }

wanted=()
has chromium || has chromium-browser || has google-chrome || wanted+=(chromium)
has npm || wanted+=(npm)
if [ "${#wanted[@]}" != 0 ]; then
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get update --quiet
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${wanted[@]}"
fi

here=$(cd "$(dirname "$0")" && pwd)
folder=${CALLWRIGHT_PAGE_CHECK:-$here}
if [ ! -d "$folder/node_modules/axe-core" ] || [ ! -d "$folder/node_modules/playwright-core" ]; then
    mkdir -p "$folder"
    [ "$folder" -ef "$here" ] || cp "$here/package.json" "$folder"
    cd "$folder"
    npm install --no-audit --no-fund --no-package-lock --ignore-scripts
fi
