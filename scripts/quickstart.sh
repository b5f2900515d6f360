#!/usr/bin/env bash
# From an empty clone to a report: installs, builds, exports SmolLM2-135M and runs the whole method on it. Safe to repeat:
# what is up to date is skipped, and an interrupted run goes on where it stopped.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
run=runs/quickstart

step "install" scripts/install.sh
step "build" build release --target polar_cli
step "pool pools/smollm2-135m" export_pool
step "run" build/release/polar run configs/quickstart.yaml
step "report" .venv/bin/python scripts/report.py "$run"
printf 'Done in %d s. The table is above; open %s/report/index.html for the whole report.\n' "$SECONDS" "$run"
