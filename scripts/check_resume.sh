#!/usr/bin/env bash
# A search that is killed ten times at random moments and resumed each time with other workers, trees in step and cache size must end with both
# label digests of a search left alone.
#   SEED=1 scripts/check_resume.sh [POLAR] [EXTRA --set OPTIONS...]     (SEED draws the moments)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
polar=${1:-build/release/polar}
shift || true
small=(--set search.algorithm=transfer --set search.transfer_pilot=2 --set task.train_per_level=12 --set task.valid_per_level=6
       --set search.rollouts=24 "$@")
RANDOM=${SEED:-1}

digests() { "$polar" inspect "$1" | grep -E '^  (verdicts|exact|[0-9]+ trials)'; }

trials() { "$polar" inspect "$1" 2>/dev/null | sed -nE 's/^  ([0-9]+) trials.*/\1/p'; }

search() { "$polar" search configs/quickstart.yaml --set name="$1" "${small[@]}" "${@:2}" >/dev/null; }

rm -rf runs/resume-alone runs/resume-killed
step "left alone" search resume-alone --set exec.workers=1

variants=("exec.workers=2 search.trees_in_step=7 exec.cache_mb=0" "exec.workers=1 search.trees_in_step=16 exec.cache_mb=16"
          "exec.workers=2 search.trees_in_step=1 exec.cache_mb=256")
total=$(trials runs/resume-alone)
[ "$total" -gt 0 ]
before=0
# Killed once it has recorded a random number of further trials, so that every kill falls into the search itself.
for kill in 1 2 3 4 5 6 7 8 9 10; do
  variant=${variants[kill % 3]}
  options=()
  for setting in $variant; do options+=(--set "$setting"); done
  target=$((before + total / 22 + RANDOM * (total / 28) / 32768))
  "$polar" search configs/quickstart.yaml --set name=resume-killed "${small[@]}" "${options[@]}" >/dev/null 2>&1 &
  victim=$!
  while kill -0 "$victim" 2>/dev/null; do
    recorded=$(trials runs/resume-killed || true)
    [ "${recorded:-0}" -lt "$target" ] || break
    sleep 0.2
  done
  kill -KILL "$victim" 2>/dev/null || true
  status=0
  wait "$victim" 2>/dev/null || status=$?
  before=$(trials runs/resume-killed)
  [ "$before" -ge "${recorded:-0}" ] || { printf 'of %d recorded trials, %d were lost\n' "$recorded" "$((recorded - before))" >&2; exit 1; }
  if [ "$status" -ne 137 ] || [ "$before" -ge "$total" ]; then
    printf 'expected a kill in mid-search, found exit code %d after %d of %d trials\n' "$status" "$before" "$total" >&2
    exit 1
  fi
  printf 'killed after %d of %d trials with %s\n' "$before" "$total" "$variant"
done
step "resumed to the end" search resume-killed --set exec.workers=2 --set search.trees_in_step=64

alone=$(digests runs/resume-alone)
killed=$(digests runs/resume-killed)
printf 'left alone:\n%s\nkilled ten times:\n%s\n' "$alone" "$killed"
[ "$(wc -l <<<"$alone")" -eq 3 ] || { echo "expected the trials and two digests" >&2; exit 1; }
[ "$alone" = "$killed" ] || { echo "the digests differ" >&2; exit 1; }
echo "Both digests are equal."
