#!/usr/bin/env bash
# Installs BUILD into a folder of its own, then builds and runs the project beside this script with what was installed.
set -euo pipefail
build=$1
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix/polar" >/dev/null
log=$(cmake -S "$(dirname "$0")" -B "$prefix/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix/polar" 2>&1) || { echo "$log"; exit 1; }
cmake --build "$prefix/build"
"$prefix/build/polar_user"
"$prefix/polar/bin/polar" --version
