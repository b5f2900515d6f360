#!/usr/bin/env bash
# Installs, builds and checks everything: formatting, clang-tidy, all tests, all C++ tests again with AddressSanitizer and
# UndefinedBehaviorSanitizer, and the Python tests. A slow check whose inputs are those of its last pass is skipped; --all runs it anyway.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
run_all=${1:-}
[ -z "$run_all" ] || [ "$run_all" = "--all" ] || { echo "usage: scripts/test.sh [--all]" >&2; exit 2; }

# unless_unchanged NAME DIGEST COMMAND...: the digest of the last pass is kept in .cache/passed/NAME.
unless_unchanged() {
  local mark=.cache/passed/$1 digest=$2
  shift 2
  if [ -z "$run_all" ] && [ "$(cat "$mark" 2>/dev/null)" = "$digest" ]; then
    echo "unchanged since it passed, skipped (--all runs it)"
    return 0
  fi
  rm -f "$mark"
  "$@" || return
  mkdir -p .cache/passed
  printf '%s\n' "$digest" >"$mark"
}

digest_of() {  # FILES AND FOLDERS...
  find "$@" -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

check_format() {
  find src tests bench -name '*.cpp' -o -name '*.h' -o -name '*.inc' | xargs -P "$jobs" -n 16 .venv/bin/clang-format --dry-run -Werror
}

check_tidy() {  # file by file, so by the compile commands of dev, which need not be built
  cmake --preset dev >/dev/null
  .venv/bin/python scripts/tidy.py build/dev --jobs "$jobs"
}

# Programs in a few parts: a process for each test, as ctest has it, would load LibTorch a thousand times.
# UBSan stops at the first report by itself (-fno-sanitize-recover). Leaks: LibTorch keeps its registries until the process ends.
test_asan() {
  local parts=8 program part
  export ASAN_OPTIONS=detect_leaks=0:strict_string_checks=1 GTEST_TOTAL_SHARDS=$parts GTEST_BRIEF=1
  for program in build/asan/tests/polar_*_test; do
    for ((part = 0; part < parts; ++part)); do echo "$part $program"; done
  done | xargs -P "$jobs" -L 1 sh -c 'GTEST_SHARD_INDEX=$0 "$1" >"$1.part-$0.log" 2>&1 || { cat "$1.part-$0.log"; echo "failed: $1"; exit 1; }'
}

test_python() {
  POLAR_BINARY=$PWD/build/check/polar .venv/bin/python -m unittest discover -s tests/scripts -p '*_test.py'
}

test_check() {
  ctest --preset check --parallel "$jobs"
}

# What the test programs read beside their own code: configurations, and the real model.
read_by_tests=(tests configs scripts requirements.txt pools/smollm2-135m/pool.json)

check_inputs() {  # the installed package is built from the sources again
  digest_of build/check/tests/polar_*_test "${read_by_tests[@]}" src cmake third_party CMakeLists.txt
}

asan_inputs() {
  digest_of build/asan/tests/polar_*_test "${read_by_tests[@]}"
}

step "install" scripts/install.sh
step "formatting" check_format
step "pool pools/smollm2-135m" export_pool
step "build" build check
step "tests" unless_unchanged check "$(check_inputs)" test_check
step "clang-tidy" check_tidy
step "Python tests" unless_unchanged python "$(digest_of scripts bench tests/scripts experiments/*/*.py requirements.txt build/check/polar)" test_python
step "build with sanitizers" build asan --target polar_tests
step "tests with sanitizers" unless_unchanged asan "$(asan_inputs)" test_asan
printf 'All checks passed in %d s.\n' "$SECONDS"
