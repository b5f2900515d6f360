# Sourced by the shell scripts: works from the project's folder, tells each step's seconds, sets up ccache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Units that use a precompiled header are cacheable only when ccache is told that its time stamps do not matter.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
# Paths below the project count from it, so that one clone is served what another one compiled.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
jobs=${POLAR_JOBS:-$(nproc)}

# step TITLE COMMAND...: runs it and prints how long it took; a failure ends the script.
step() {
  local title=$1 started=$SECONDS status
  shift
  printf '== %s\n' "$title"
  set +e
  (set -e; "$@")  # in a subshell, because "COMMAND || …" would switch off -e inside of it
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    printf '== %s: failed after %d s (exit code %d)\n' "$title" $((SECONDS - started)) "$status" >&2
    exit "$status"
  fi
  printf '== %s: %d s\n' "$title" $((SECONDS - started))
}

# The small real model, in the folder that the configurations name.
export_pool() {
  local pool=pools/smollm2-135m
  if [ ! -f "$pool/pool.json" ]; then
    .venv/bin/python scripts/export.py --smollm2 "$pool"
  elif ! grep -q manifest_sha256 "$pool/pool.json"; then  # of an exporter before manifests were sealed
    .venv/bin/python scripts/export.py --smollm2 "$pool" --force
  fi
}

build() {  # PRESET [CMAKE BUILD OPTIONS...]
  local preset=$1 log
  shift
  log=$(cmake --preset "$preset" 2>&1) || { printf '%s\n' "$log" >&2; return 1; }
  cmake --build --preset "$preset" --parallel "$jobs" "$@"
}
