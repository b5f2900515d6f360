#!/usr/bin/env bash
# The measurements behind bench/README.md, each with the reference in the same run where there is one. Measure alone: anything else that
# runs on the machine changes the figures.
#
#   bench/measure.sh SECTION...     peers edits prompt words search memory ablation scaling chunks kernels generate tokenizer; all: every one of these
#   bench/measure.sh gpu            the same on a GPU
#
#   POLAR_DATA     folder with gsm8k/test.jsonl, asdiv/test.jsonl and math500/test.jsonl, for words
#   POLAR_ROUNDS   times each variant runs, in turn with the others (default 3)
#   POLAR_SECONDS  least seconds of each run of trials and answers (default 10); searches run once a round
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
rounds=${POLAR_ROUNDS:-3}
seconds=${POLAR_SECONDS:-10}
pool=pools/smollm2-135m
hf=.cache/smollm2-hf
out=.cache/bench
polar=build/release/polar

make_trials() {  # NAME OPTIONS...: $out/NAME.jsonl
  local name=$1
  shift
  .venv/bin/python bench/make_trials.py "$@" >"$out/$name.jsonl"
}

trials() {  # NAME NEW_TOKENS OPTIONS...: tables to the terminal, JSON lines to $out/NAME.result.jsonl; NAME:VARIANT of the same trials
  local name=${1%%:*} result=${1/:/-} tokens=$2
  shift 2
  "$polar" bench trials --pool "$pool" --trials "$out/$name.jsonl" --max-new-tokens "$tokens" --rounds "$rounds" --seconds "$seconds" "$@" \
    >"$out/$result.result.jsonl"
}

peers() {  # 10 random one-block programs × 60 prompts
  make_trials random --set random
  trials random 6 --compare batched --compare published
  .venv/bin/python bench/compare_trials.py "$out/random.jsonl" --rounds 1 --dtype bfloat16 --threads "$jobs"
  .venv/bin/python bench/compare_trials.py "$out/random.jsonl" --rounds 1 --dtype float32 --threads "$jobs"
}

edits() {  # 343 single edits × 60 prompts; the reference runs 24 of the programs or a few more
  make_trials edits --set edits
  trials edits 6 --compare batched --batched-programs 24
  make_trials some-edits --set edits --programs 24
  .venv/bin/python bench/compare_trials.py "$out/some-edits.jsonl" --rounds 1 --dtype bfloat16 --threads "$jobs"
}

prompt() {  # 40 single edits × 60 prompts behind five worked examples
  make_trials demonstrations --set demonstrations
  trials demonstrations 6 --without shared-prompt
}

words() {  # 10 random one-block programs × 60 word problems of each set, boxed answers of 50 tokens
  local set
  for set in gsm8k asdiv math500; do
    make_trials "$set" --set words --data "$POLAR_DATA/$set/test.jsonl"
    trials "$set" 50 --grader numeric:boxed-last --compare batched
  done
}

search() {  # a real search
  "$polar" bench search configs/ladder.yaml --set search.rollouts=200 --examples 100 --rounds "$rounds" >"$out/search.result.jsonl"
}

gpu() {  # peers, edits and a search; POLAR_ROUNDS=1 and POLAR_SECONDS=0 measure once
  make_trials random --set random
  make_trials edits --set edits
  trials random:gpu 6 --device cuda --compare batched
  trials random:gpu-float32 6 --device cuda --compare batched --dtype float32
  trials edits:gpu 6 --device cuda --compare batched --batched-programs 24
  local rows
  for rows in 2048 8192; do
    "$polar" bench search configs/ladder.yaml --set exec.device=cuda --set exec.chunk_rows=$rows --set exec.wave_mb=16384 \
      --set exec.cache_mb=4096 --set search.trees_in_step=600 --set search.rollouts=64 --set task.train_per_level=200 --examples 600 \
      --rounds "$rounds" >"$out/search-gpu-$rows.result.jsonl"
  done
}

memory() {  # 2,000 examples × 200 programs within 2 GiB beyond the weights; 400,000 rollouts take a while
  "$polar" bench search configs/ladder.yaml --set search.rollouts=200 --set task.train_per_level=1000 --examples 2000 \
    --memory-mb 2048 >"$out/memory.result.jsonl"
}

ablation() {  # every shortcut off in turn
  make_trials random --set random
  trials random 6 --ablation
  "$polar" bench search configs/ladder.yaml --set search.rollouts=100 --examples 60 --rounds "$rounds" --ablation >"$out/ablation.result.jsonl"
}

scaling() {  # rollouts/s against the number of prompts, programs and the length of the prompt
  local count
  for count in 6 60 600; do
    printf -- '-- %s prompts × 10 programs\n' "$count"
    make_trials "prompts-$count" --set random --prompts "$count"
    trials "prompts-$count" 6
  done
  for count in 2 20 200; do
    printf -- '-- %s programs × 60 prompts\n' "$count"
    make_trials "programs-$count" --set random --programs "$count"
    trials "programs-$count" 6
  done
  for count in 0 1 3 5; do
    printf -- '-- %s demonstrations before each prompt, not shared\n' "$count"
    make_trials "length-$count" --set demonstrations --demonstrations "$count" --programs 10
    trials "length-$count" 6 --without shared-prompt
  done
}

chunks() {  # R, the rows of one call of a layer
  local rows
  make_trials random --set random
  for rows in 64 128 256 512 1024; do
    printf -- '-- %s rows a call\n' "$rows"
    trials "random:chunks-$rows" 6 --chunk-rows "$rows"
  done
}

kernels() {  # what multiplies: LibTorch's products, own float32-width ones, and the best that the processor has
  local way
  make_trials random --set random
  for way in library rows auto; do
    printf -- '-- --kernels %s\n' "$way"
    trials "random:kernels-$way" 6 --kernels "$way"
  done
}

generate() {  # one answer of 50 tokens, many at once, and the price of letting the quickstart's policies choose
  "$polar" bench generate --pool "$pool" --program 0-14,12-29 --program 0-13,15-29 --policy runs/quickstart/menu --policy runs/quickstart/predictor \
    --rounds "$rounds" --seconds "$seconds" --compare >"$out/generate.result.jsonl"
  if .venv/bin/python -c 'import llama_cpp' 2>/dev/null; then
    local gguf
    gguf=$(PYTHONPATH=scripts .venv/bin/python -c 'from polar_export import source; print(source.smollm2_file())')
    .venv/bin/python bench/reference_llama_cpp.py "$gguf" --rounds "$rounds" --threads "$jobs"
  else
    echo "llama.cpp: not installed, left out; .venv/bin/pip install llama-cpp-python==$(sed -n 's/^VERSION = "\(.*\)"/\1/p' bench/reference_llama_cpp.py) builds it"
  fi
}

tokenizer() {  # characters/s beside the tokenizers library, on strange strings and on this project's pages and sources
  local corpus
  mapfile -t corpus < <(git ls-files '*.md' 'src/*')
  .venv/bin/python scripts/check_tokenizer.py "$pool" --polar "$polar" --corpus "${corpus[@]}" --skip-code-points --speed "$rounds"
}

[ $# -gt 0 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
sections="peers edits prompt words search memory ablation scaling chunks kernels generate tokenizer"
[ "$*" != all ] || eval "set -- $sections"
for section in "$@"; do
  [[ " $sections gpu " == *" $section "* ]] || { echo "bench/measure.sh: expected one of $sections gpu, found '$section'" >&2; exit 2; }
done
if [[ " $* " == *" words "* ]]; then : "${POLAR_DATA:?words needs POLAR_DATA, a folder with gsm8k, asdiv and math500}"; fi
if [[ " $* " == *" generate "* ]] && [ ! -d runs/quickstart/menu ]; then
  echo "bench/measure.sh: generate: expected the policies of runs/quickstart, found none: run scripts/quickstart.sh" >&2
  exit 1
fi
mkdir -p "$out"
[ -f "$hf/config.json" ] || .venv/bin/python scripts/export.py --smollm2 "$out/pool" --hf-folder "$hf"
for section in "$@"; do step "$section" "$section"; done
