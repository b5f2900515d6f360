#!/usr/bin/env bash
# From an empty clone to a report: installs, builds, exports SmolLM2-135M and runs the whole method on it. Safe to repeat:
# what is up to date is skipped, and an interrupted run goes on where it stopped.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
pool=pools/smollm2-135m
run=runs/quickstart

export_pool() {
  if [ ! -f "$pool/pool.json" ]; then
    .venv/bin/python scripts/export.py --smollm2 "$pool"
  elif ! grep -q manifest_sha256 "$pool/pool.json"; then  # of an exporter before manifests were sealed
    .venv/bin/python scripts/export.py --smollm2 "$pool" --force
  fi
}

step "install" scripts/install.sh
step "build" build release --target polar_cli
step "pool $pool" export_pool
step "run" build/release/polar run configs/quickstart.yaml
step "report" .venv/bin/python scripts/report.py "$run"
printf 'Done in %d s. The table is above; open %s/report/index.html for the whole report.\n' "$SECONDS" "$run"
