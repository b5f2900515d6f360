#!/usr/bin/env bash
# Installs what polar needs: Debian packages (as root or with passwordless sudo; else prints the one command) and the
# pinned Python packages in .venv. Safe to repeat; does nothing when nothing is missing.
#   POLAR_PIP_ARGS  extra pip options, such as an --extra-index-url with CPU-only LibTorch wheels
#   POLAR_PYTHON    the Python that makes .venv (default: python3; 3.11 or newer)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
python=${POLAR_PYTHON:-python3}

# One line each: Debian package, what must be there: a command, or a header in < >.
needed="g++ c++
cmake cmake
ninja-build ninja
ccache ccache
pkg-config pkg-config
${python##*/} $python
libcli11-dev <CLI/CLI.hpp>
libyaml-cpp-dev <yaml-cpp/yaml.h>
libgtest-dev <gtest/gtest.h>
libsqlite3-dev <sqlite3.h>
zlib1g-dev <zlib.h>
nlohmann-json3-dev <nlohmann/json.hpp>
libpcre2-dev <pcre2.h>
libutf8proc-dev <utf8proc.h>
libssl-dev <openssl/evp.h>
libjemalloc-dev <jemalloc/jemalloc.h>"

missing_packages() {
  local package what
  while read -r package what; do
    case $what in
      "<"*) ;;
      *) command -v "$what" >/dev/null || echo "$package" ;;
    esac
  done <<<"$needed"
  if command -v c++ >/dev/null; then  # one preprocessor run looks for all headers
    awk '$2 ~ /^</ { printf "#if !__has_include(%s)\nmissing %s\n#endif\n", $2, $1 }' <<<"$needed" | c++ -E -P -x c++ - |
      sed -n 's/^missing //p'
  else
    awk '$2 ~ /^</ { print $1 }' <<<"$needed"
  fi
  if [ ! -x .venv/bin/python ] && command -v "$python" >/dev/null && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "${python##*/}-venv"
  fi
}

install_packages() {
  local missing as_root=""
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  [ "$(id -u)" -eq 0 ] || as_root="sudo"
  # shellcheck disable=SC2086  # a list of names
  set -- $missing
  if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; }; then
    printf 'install: missing: %s\n  Install them and start again; on Debian or Ubuntu:\n  %s\n' "$*" \
      "sudo apt-get update && sudo apt-get install -y --no-install-recommends $*" >&2
    return 1
  fi
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  missing=$(missing_packages)
  [ -z "$missing" ] || { printf 'install: still missing after apt-get: %s\n' "${missing//$'\n'/ }" >&2; return 1; }
}

# check_version PYTHON REMEDY: an older one would make pip say only that it finds no such version of a package.
check_version() {
  local found
  found=$("$1" -c 'import platform, sys; print(platform.python_version()); sys.exit(sys.version_info < (3, 11))') && return
  printf 'install: %s: expected Python 3.11 or newer, found %s\n  %s\n' "$1" "${found:-none that runs}" "$2" >&2
  return 1
}

# Python packages are pinned, so the digest of the two files tells whether .venv is up to date.
install_python() {
  local digest
  digest=$(cat requirements.txt requirements-nodeps.txt | sha256sum)
  if [ -x .venv/bin/python ] && [ "$(cat .venv/polar-requirements 2>/dev/null)" = "$digest" ]; then
    return 0
  fi
  if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    check_version .venv/bin/python "Remove .venv and start again; if python3 is older, with another one: POLAR_PYTHON=python3.11 scripts/install.sh"
  else  # none, or one that was cut short
    check_version "$python" "Name another one: POLAR_PYTHON=python3.11 scripts/install.sh"
    "$python" -m venv .venv
  fi
  # Byte code is left to the first import: compiling all of LibTorch's Python side takes longer than it saves.
  local pip=(.venv/bin/python -m pip install --no-compile --progress-bar off --disable-pip-version-check -qq)
  # shellcheck disable=SC2086  # options, separated by spaces
  "${pip[@]}" ${POLAR_PIP_ARGS:-} -r requirements.txt
  # shellcheck disable=SC2086
  "${pip[@]}" ${POLAR_PIP_ARGS:-} --no-deps -r requirements-nodeps.txt
  printf '%s\n' "$digest" >.venv/polar-requirements
}

step "system packages" install_packages
step "Python packages" install_python
