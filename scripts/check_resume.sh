#!/usr/bin/env bash
# A search that is killed three times at random moments and resumed each time with other workers, trees in step and cache size must end with both
# label digests of a search left alone.
#   scripts/check_resume.sh [POLAR] [EXTRA --set OPTIONS...]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
polar=${1:-build/release/polar}
shift || true
small=(--set task.train_per_level=10 --set task.valid_per_level=5 --set search.rollouts=24 "$@")

digests() { "$polar" inspect "$1" | grep -E '^  (verdicts|exact|[0-9]+ trials)'; }

search() { "$polar" search configs/quickstart.yaml --set name="$1" "${small[@]}" "${@:2}" >/dev/null; }

rm -rf runs/resume-alone runs/resume-killed
started=$(date +%s%N)
step "left alone" search resume-alone --set exec.workers=1
alone_ms=$((($(date +%s%N) - started) / 1000000))

variants=("exec.workers=2 search.trees_in_step=7 exec.cache_mb=0" "exec.workers=1 search.trees_in_step=64 exec.cache_mb=16"
          "exec.workers=2 search.trees_in_step=1 exec.cache_mb=256")
for variant in "${variants[@]}"; do
  options=()
  for setting in $variant; do options+=(--set "$setting"); done
  search resume-killed "${options[@]}" 2>/dev/null &
  victim=$!
  wait_ms=$((alone_ms / 10 + RANDOM * (alone_ms / 3) / 32768))
  sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
  pkill -KILL -P "$victim" 2>/dev/null || true  # the program, which the shell function's subshell waits for
  kill -KILL "$victim" 2>/dev/null || true
  wait "$victim" 2>/dev/null || true
  printf 'killed after %d ms with %s\n' "$wait_ms" "$variant"
  digests runs/resume-killed || true
done
step "resumed to the end" search resume-killed --set exec.workers=2 --set search.trees_in_step=16

printf 'left alone:\n%s\nkilled three times:\n%s\n' "$(digests runs/resume-alone)" "$(digests runs/resume-killed)"
[ "$(digests runs/resume-alone)" = "$(digests runs/resume-killed)" ] || { echo "the digests differ" >&2; exit 1; }
echo "Both digests are equal."
