#!/usr/bin/env bash
# Merging and importing labels, each killed ten times at random moments. After every kill the store must be whole (but that a killed import has
# not read its source to the end), hold only trials that the undisturbed result has, and not fewer than before; run again to the end, it must have
# the same digests. Then, on the small real model where it is there: a search in two parts, merged, exported, imported and judged again, must be
# the search in one piece, to the last bit.
#   scripts/check_labels.sh [POLAR] [SEED] [TRIALS]     (default: build/release/polar, 1, 300000)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
polar=${1:-build/release/polar}
seed=${2:-1}
trials=${3:-300000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

merge_into() { "$polar" labels merge "$1" "$work"/bench/shard-*.sqlite; }

import_into() { "$polar" labels import "$work/bench/merged_mcts_samples.json.gz" --layers 30 --out "$1"; }

fail() {
  printf 'check_labels: %s\n' "$*" >&2
  exit 1
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# Of the whole store and its searches, not of their levels.
digests() { "$polar" labels stats "$1" --json | grep -E '^ {2,6}"(trials|verdicts|exact|samples|programs|duplicates|problems|complete)"'; }

# Trials of a store that is being written; nothing before it has its tables.
recorded() { .venv/bin/python -c "import sqlite3, sys; print(sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True).execute('SELECT COUNT(*) FROM trials').fetchone()[0])" "$1" 2>/dev/null || echo 0; }

count() { "$polar" labels stats "$1" --json 2>/dev/null | sed -nE '0,/"trials"/s/.*"trials": ([0-9]+).*/\1/p'; }

# Trials of A that B lacks, or has with another verdict or other scores.
strangers() {  # A B
  local lines
  lines=$("$polar" labels diff "$1" "$2" --quiet 2>/dev/null || true)
  awk '/^level +both +only A/ { seen = 1; next } seen { rows += 1; sum += $(NF - 4) + $(NF - 2) + $(NF - 1) + $NF } END { print rows ? sum + 0 : "none" }' <<<"$lines"
}

# That `strangers` sees them: parts of the trials have none in common.
check_strangers() {
  local a=$work/bench/shard-0.sqlite b=$work/bench/shard-1.sqlite other same
  other=$(strangers "$a" "$b") same=$(strangers "$a" "$a")
  [[ $other =~ ^[1-9] ]] || fail "trials of one part that another has not: expected some, found $other"
  [ "$same" = 0 ] || fail "trials of one part that itself has not: expected none, found $same"
}

# What is wrong with a store after a kill, but that the source of an import was not read to its end.
faults() {  # COMMAND STORE
  local found status=0
  found=$("$polar" labels check "$2" 2>&1) || status=$?
  [ "$status" -ne 0 ] || return 0
  if [ "$1" = import_into ] && [ "$status" -eq 1 ] && [ -n "$found" ]; then
    grep -vE '^sources: .*expected to be read to its end|expected a whole store, found 1 problem,' <<<"$found" || true
  else
    printf '%s\nlabels check: exit code %d\n' "$found" "$status"
  fi
}

# Kills the command once, after a random part of the time it takes. Sets the caller's `moment` in milliseconds, `seen` to the trials that were
# committed just before, and `anew` to 1 when it had ended before, so that it began anew (else 0). Called in no subshell, where RANDOM would begin anew.
kill_once() {  # COMMAND STORE MILLISECONDS
  local command=$1 store=$2 most=$3 victim status
  anew=0
  while :; do
    moment=$((1 + RANDOM * most / 32768))
    "$command" "$store" >"$work/stdout" 2>&1 &
    victim=$!
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    seen=$(recorded "$store")
    # The function runs in a shell of its own: its child is the program.
    pkill -KILL -P "$victim" 2>/dev/null || true
    status=0
    wait "$victim" 2>/dev/null || status=$?
    [ "$status" -ne 137 ] || break
    [ "$status" -eq 0 ] || fail "$command: exit code $status: $(tail -1 "$work/stdout")"
    rm -f "$store" "$store"-*
    anew=1
  done
}

check() {  # COMMAND
  local command=$1 whole=$work/$1-whole.sqlite store=$work/$1-killed.sqlite started took expected before=0 now moment seen anew kill
  RANDOM=$seed  # here, because every subshell seeds it anew
  started=$(milliseconds)
  "$command" "$whole" >/dev/null
  took=$(($(milliseconds) - started))
  expected=$(digests "$whole")
  printf '%s left alone: %d ms\n%s\n' "$command" "$took" "$expected"
  for kill in 1 2 3 4 5 6 7 8 9 10; do
    kill_once "$command" "$store" "$took"
    [ "$anew" -eq 0 ] || before=0
    now=$(count "$store" || true)  # killed before there was a store: nothing
    now=${now:-0}
    if [ "$now" -gt 0 ]; then
      [ "$(strangers "$store" "$whole")" = 0 ] || fail "$command: after kill $kill: trials that the undisturbed store has not"
      [ -z "$(faults "$command" "$store")" ] || fail "$command: after kill $kill: $(faults "$command" "$store" | head -1)"
    fi
    [ "$now" -ge "$seen" ] && [ "$now" -ge "$before" ] || fail "$command: $seen trials were committed, $now are left"
    printf '%s: kill %d after %d ms, %d trials committed\n' "$command" "$kill" "$moment" "$now"
    before=$now
    [ $((kill % 2)) -eq 0 ] || continue  # every other kill meets a run that goes on
    "$command" "$store" >/dev/null
    "$polar" labels check "$store" >"$work/check" || fail "$command: $(head -1 "$work/check")"
    [ "$(digests "$store")" = "$expected" ] || fail "$command: digests differ: $(digests "$store")"
    rm -f "$store" "$store"-*
    before=0
  done
  echo "$command: killed ten times, equal digests each time it was run to its end"
}

step "stores of $trials trials" "$polar" bench labels --trials "$trials" --shards 3 --folder "$work/bench"
step "trials that a store has not" check_strangers
step "merge" check merge_into
step "import" check import_into

search() { "$polar" search configs/quickstart.yaml --set name="$1" "${small[@]}" "${@:2}"; }

on_the_model() {
  local small=(--set task.train_per_level=4 --set task.valid_per_level=2 --set search.rollouts=16) part semantics
  rm -rf runs/labels-whole runs/labels-part-1 runs/labels-part-2 runs/labels-merged
  search labels-whole >/dev/null
  for part in 1 2; do search labels-part-$part --part $part/2 >/dev/null; done
  "$polar" labels merge runs/labels-merged/labels.sqlite runs/labels-part-1 runs/labels-part-2
  "$polar" labels diff runs/labels-whole runs/labels-merged --quiet
  search labels-merged | tail -1
  "$polar" labels check runs/labels-merged
  "$polar" labels export runs/labels-merged "$work/samples.json.gz"
  "$polar" labels import "$work/samples.json.gz" --pool pools/smollm2-135m --out "$work/imported.sqlite"
  "$polar" labels check "$work/imported.sqlite"
  for semantics in per_step shared_slot; do
    echo "judged again, $semantics:"
    "$polar" labels rejudge "$work/imported.sqlite" configs/quickstart.yaml --cache-semantics "$semantics" \
      --out "$work/$semantics/labels.sqlite" >"$work/$semantics.txt"
    tail -1 "$work/$semantics.txt"
  done
  "$polar" labels diff runs/labels-whole "$work/per_step/labels.sqlite" --quiet
}

if [ -f pools/smollm2-135m/pool.json ]; then
  step "in parts and judged again, on the model" on_the_model
else
  echo "the model's part is left out: expected pools/smollm2-135m, which scripts/quickstart.sh makes"
fi
