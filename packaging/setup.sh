#!/bin/sh
# Makes this tree ready: `sh packaging/setup.sh run` for the program, `... test` for the tests too,
# `... bench` for the benchmarks with the programs they measure against.
#
# This half is shell because it must speak plainly where Python is missing or too old; the work is
# in setup_venv.py. It changes the system only as root, and never calls sudo.
set -eu
cd -- "$(dirname -- "$0")/.."
what=${1:-run}

# Settings of other environments must not leak into this one.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX VIRTUAL_ENV
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The quick way out: nothing changed since the last time.
if [ -x .venv/bin/python ] &&
    .venv/bin/python -E -s packaging/setup_venv.py --is-ready "$what" 2>/dev/null; then
    exit 0
fi

usable() {
    "$1" -I -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

new_enough() {
    "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

found=
find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if usable "$candidate"; then
            found=$candidate
            return 0
        fi
        # A Python that was asked for by name is never replaced by another one.
        [ -z "${PYTHON:-}" ] || return 1
    done
    return 1
}

as_root='sudo '
[ "$(id -u)" != 0 ] || as_root=
if ! find_python && [ -z "$as_root${PYTHON:-}" ] && command -v apt-get >/dev/null; then
    echo "Installing python3 and python3-venv ..."
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    apt-get update -q </dev/null &&
        apt-get install -y -q --no-install-recommends python3 python3-venv </dev/null || :
    find_python || :
fi

if [ -z "$found" ]; then
    asked=${PYTHON:-python3}
    if ! command -v "$asked" >/dev/null; then
        problem="LakeDrop needs Python 3.11 or newer, and there is no $asked here."
        packages="python3 python3-venv"
    elif new_enough "$asked"; then
        problem="LakeDrop needs Python's venv module, which $asked lacks here."
        packages="python3-venv"
    else
        problem="LakeDrop needs Python 3.11 or newer, and $asked is older or does not start."
        packages=
    fi
    if [ -n "$packages" ] && [ -z "${PYTHON:-}" ] && command -v apt-get >/dev/null; then
        cure="${as_root}apt-get update &&"
        cure="$cure ${as_root}apt-get install -y --no-install-recommends $packages"
    else
        cure="make setup PYTHON=/path/to/python3.11"
    fi
    printf '%s\nInstall it, then run make again:\n    %s\n' "$problem" "$cure" >&2
    exit 1
fi

exec "$found" -E -s packaging/setup_venv.py "$what"
