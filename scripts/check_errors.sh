#!/usr/bin/env bash
# Breaks things on purpose and checks what a user then sees: one message on standard error, exit code 1 or 2, nothing half-written.
#   scripts/check_errors.sh [POLAR] [POOL]     (default: build/release/polar pools/smollm2-135m)
# The pool is copied by hard links and never changed. A full disk needs root (a small tmpfs is mounted); without it that case is left out.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
polar=${1:-build/release/polar}
pool=${2:-pools/smollm2-135m}
[ -x "$polar" ] || { echo "check_errors: $polar: expected the program, found none: run scripts/quickstart.sh" >&2; exit 2; }
[ -f "$pool/pool.json" ] || { echo "check_errors: $pool: expected a pool, found none: scripts/export.py --smollm2 $pool" >&2; exit 2; }

# Next to the pool, because hard links do not cross file systems.
work=$(mktemp -d "$(dirname "$pool")/.check-errors.XXXXXX")
disk=$work/disk
cleanup() {
  if mountpoint -q "$disk"; then umount "$disk"; fi
  rm -rf "$work"
}
trap cleanup EXIT
failed=0

copy_pool() {
  rm -rf "$work/pool"
  cp -rl "$pool" "$work/pool"
}

own_copy() {  # FILE: parts it from the pool's, so that it can be changed
  cp "$1" "$1.own"
  mv "$1.own" "$1"
}

# expect CODE PATTERN COMMAND...: exit code, exactly one message on standard error (progress aside), and what it must mention.
expect() {
  local code=$1 pattern=$2 found=0
  shift 2
  "$@" >"$work/stdout" 2>"$work/stderr" || found=$?
  local messages
  grep '^polar: ' "$work/stderr" | sed 's/^/  /' || true
  messages=$(grep -c '^polar: ' "$work/stderr" || true)
  if [ "$found" -ne "$code" ]; then
    complain "expected exit code $code, found $found"
  elif [ "$messages" -ne 1 ]; then
    complain "expected one message on standard error, found $messages"
    cat "$work/stderr"
  elif ! grep '^polar: ' "$work/stderr" | grep -Eqi -- "$pattern"; then
    complain "expected the message to match '$pattern'"
  fi
}

finishes() {  # COMMAND...: exit code 0
  "$@" >"$work/stdout" 2>"$work/stderr" || { complain "expected exit code 0, found $?"; cat "$work/stderr"; }
}

complain() {
  printf '  FAILED: %s\n' "$1"
  failed=$((failed + 1))
}

nothing_at() {  # PATH...: the command must not have left these
  local path
  for path in "$@"; do
    [ ! -e "$path" ] || complain "left behind: $path"
  done
}

no_temporaries() {  # FOLDER: whole files only
  local left
  left=$(find "$1" -name '*.tmp*' -o -name '.*.??????' -type f 2>/dev/null)
  [ -z "$left" ] || complain "half-written: $left"
}

# config FILE KEY LINES...: a small arithmetic run, its output below $work/runs, then further lines.
config() {
  local file=$1 runs=$2
  shift 2
  {
    printf 'name: broken\npool: %s\nruns_folder: %s\n' "$pool" "$runs"
    printf 'task:\n  kind: arithmetic\n  template: "Question: What is {question}?\\nAnswer: {question} ="\n'
    printf '  train_per_level: 2\n  valid_per_level: 2\n  test_per_level: 2\n'
    printf 'search:\n  rollouts: 4\n  oracle_rollouts: 4\n'
    printf '%s\n' "$@"
  } >"$file"
}

# full_disk SIZE ROLLOUTS PATTERN [CHECKED]: a search on a tmpfs of SIZE fills it while doing PATTERN; what it left is whole (CHECKED: a store
# by then), and the same command goes on to the end once there is space.
full_disk() {
  local size=$1 rollouts=$2 pattern=$3 checked=${4:-} labels=$disk/runs/broken/labels.sqlite
  mount -t tmpfs -o size="$size" tmpfs "$disk"
  config "$work/full.yaml" "$disk/runs"
  # Random programs: the default algorithm would first try hundreds of them on a pilot.
  local search=("$polar" search "$work/full.yaml" --set search.algorithm=random --set search.rollouts="$rollouts")
  expect 1 "$pattern.*(no space|full)" "${search[@]}"
  no_temporaries "$disk"
  if [ -n "$checked" ]; then
    finishes "$polar" labels check "$labels"
  fi
  mount -o remount,size=8m "$disk"
  finishes "${search[@]}"
  finishes "$polar" labels check "$labels"
  umount "$disk"
}

# The search ended in good time, but the disk has filled since: what training writes finds no space.
full_disk_later() {
  mount -t tmpfs -o size=64m tmpfs "$disk"
  config "$work/later.yaml" "$disk/runs" "predict:" "  epochs: 1" "eval:" "  latency_examples: 0"
  local quick=("$work/later.yaml" --set search.algorithm=random)
  finishes "$polar" search "${quick[@]}"
  head -c 64M /dev/zero >"$disk/filler" 2>/dev/null || true
  truncate -s -64K "$disk/filler"
  expect 1 "$disk.*no space.*free some" "$polar" run "${quick[@]}"
  no_temporaries "$disk"
  rm "$disk/filler"
  finishes "$polar" run "${quick[@]}"
  [ -s "$disk/runs/broken/evaluation.jsonl" ] || complain "the run that went on left no evaluation"
  umount "$disk"
}

layer=$(cd "$pool" && ls layer_*.ts | sed -n 2p)

echo "flipped byte in $layer"
copy_pool
own_copy "$work/pool/$layer"
size=$(stat -c %s "$work/pool/$layer")
offset=$((size / 2))
byte=$(od -An -tu1 -j "$offset" -N 1 "$work/pool/$layer")
printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$work/pool/$layer" bs=1 seek="$offset" conv=notrunc status=none
expect 1 "$layer.*(sha-?256|digest)" "$polar" inspect "$work/pool"

echo "missing file $layer"
copy_pool
rm "$work/pool/$layer"
expect 1 "$layer" "$polar" inspect "$work/pool"

echo "truncated $layer"
copy_pool
own_copy "$work/pool/$layer"
truncate -s $((size - 1000)) "$work/pool/$layer"
expect 1 "$layer.*bytes" "$polar" inspect "$work/pool"

echo "manifest with a changed digit"
copy_pool
own_copy "$work/pool/pool.json"
sed -i -E '0,/("scale": *0\.[0-9]*)[0-9]/s//\17/' "$work/pool/pool.json"
expect 1 "pool.json.*manifest_sha256" "$polar" inspect "$work/pool"

echo "manifest of a future version"
copy_pool
own_copy "$work/pool/pool.json"
sed -i -E 's/("format_version": *)[0-9]+/\1999/' "$work/pool/pool.json"
expect 1 "pool.json.*999" "$polar" inspect "$work/pool"

echo "trials whose programs are none"
for program in '[]' '[65536]' '[1.7]' '[true]' '3'; do
  printf '{"prompt": "1 + 1 =", "answer": "2", "program": %s}\n' "$program" >"$work/trials.jsonl"
  expect 1 "trials.jsonl:1: expected" "$polar" bench trials --pool "$pool" --trials "$work/trials.jsonl"
done

echo "corrupt data row"
printf '%s\n' '{"id": "a", "question": "1 + 1", "answer": "2", "source": "made"}' '{"id": "b", "question": "1 + 2", "answer": ' >"$work/rows.jsonl"
config "$work/rows.yaml" "$work/runs"
sed -i "s|kind: arithmetic|kind: jsonl\n  train_file: $work/rows.jsonl|" "$work/rows.yaml"
expect 1 "rows.jsonl:2" "$polar" run "$work/rows.yaml"
nothing_at "$work/runs/broken/labels.sqlite" "$work/runs/broken/evaluation.jsonl"

echo "unknown configuration key"
config "$work/unknown.yaml" "$work/unknown-runs" "predict:" "  epoch: 3"
expect 2 "unknown.yaml:[0-9]+: .*epoch.*epochs" "$polar" run "$work/unknown.yaml"
nothing_at "$work/unknown-runs"

echo "output folder that is a file"
touch "$work/taken"
config "$work/taken.yaml" "$work/taken"
expect 2 "taken" "$polar" run "$work/taken.yaml"
[ ! -s "$work/taken" ] || complain "the file in the way was written to"

echo "labels: a file cut short, no layers, no store, a store of another kind"
printf '[{"question": "1 + 1"' >"$work/cut.json"
expect 1 "cut.json.*expected JSON" "$polar" labels import "$work/cut.json" --layers 4 --out "$work/imported.sqlite"
expect 2 "either --pool POOL or --layers" "$polar" labels import "$work/cut.json" --out "$work/none.sqlite"
expect 1 "none.sqlite.*no label store" "$polar" labels stats "$work/none.sqlite"
expect 1 "cut.json.*not a label store" "$polar" labels check "$work/cut.json"
expect 1 "found imported ones" "$polar" labels merge "$work/merged.sqlite" "$work/imported.sqlite"
nothing_at "$work/none.sqlite" "$work/merged.sqlite"

if [ "$(id -u)" -eq 0 ]; then
  echo "output folder on a read-only file system"
  mkdir -p "$disk"
  mount -t tmpfs -o size=64k,ro tmpfs "$disk" && mounted=yes || mounted=""
  if [ -n "$mounted" ]; then
    config "$work/readonly.yaml" "$disk/runs"
    expect 2 "$disk" "$polar" run "$work/readonly.yaml"
    umount "$disk"

    echo "full disk"
    full_disk 64k 4 "labels.sqlite: while creating"
    # The new store and what stands beside it take about 130 KB, each of the search's six steps about 30 KB: one in the middle finds no space.
    full_disk 240k 24 "labels.sqlite: while recording a batch" checked
    full_disk_later
  else
    echo "  left out: no tmpfs can be mounted here; so is the full disk"
  fi
else
  echo "output folder without permission"
  mkdir "$work/closed"
  chmod 555 "$work/closed"
  config "$work/closed.yaml" "$work/closed/runs"
  expect 2 "closed" "$polar" run "$work/closed.yaml"
  chmod 755 "$work/closed"
  echo "full disk: left out, mounting a small one needs root"
fi

[ "$failed" -eq 0 ] || { echo "$failed checks failed"; exit 1; }
echo "every error was one message with its exit code, and nothing was left half-written"
