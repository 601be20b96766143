#!/usr/bin/env bash
# Checks for the Debian packages that the build or the tests need. As root it installs what is missing; otherwise it says
# in one line what to install. Only the build's packages are indispensable: a test without its tools skips itself loudly
# (and fails when CI=true).
#   tests/deps.sh build|test
set -euo pipefail
missing=()
need() { # need PACKAGE COMMAND...: the package is missing when the command fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
static_libffi() { [ -f "$("${CC:-cc}" -print-file-name=libffi.a)" ]; }

case ${1:-} in
build)
    need pkg-config command -v pkg-config
    need libffi-dev static_libffi
    ;;
test)
    need chromium command -v chromium
    need chromium-driver command -v chromedriver
    need python3-venv python3 -c 'import ensurepip, venv'
    need file command -v file
    need g++ command -v c++
    need wrk command -v wrk
    ;;
*)
    echo "usage: tests/deps.sh build|test" >&2
    exit 2
    ;;
esac

[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # Output is only of interest when it fails.
    if log=$(apt-get update 2>&1 && apt-get install -y --no-install-recommends "${missing[@]}" 2>&1); then exit 0; fi
    echo "$log" | tail -20
fi
echo "please install for the $1: apt-get install ${missing[*]}"
if [ "$1" = build ] || [ "${CI:-}" = true ]; then exit 1; fi
