#!/bin/bash
# make_venv.sh FOLDER: a virtual environment with pip, by the first Python from 3.11 on (PYTHON=… names another).
#
# Debian and Ubuntu split `ensurepip` off into python3-venv. Where it is missing, pip comes from, in order:
# the python3 that has pip, the wheel of the package python3-pip-whl if it is installed, or that package
# downloaded from the machine's own archive and unpacked (no root, nothing installed).
set -euo pipefail
folder=$1

# one that works stays as it is: the packages in it may be in use
if "$folder/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exit 0
fi

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        if usable "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ] || ! usable "$python"; then
    echo "autocom needs Python 3.11 or later; found: $(python3 -V 2>&1 || true). Install python3.11 (or set PYTHON=/path/to/it)." >&2
    exit 1
fi

if "$python" -m venv --clear "$folder" >/dev/null 2>&1; then
    exit 0
fi

"$python" -m venv --clear --without-pip "$folder" || {
    echo "this Python cannot make environments: install python3-venv" >&2
    exit 1
}
work=$(mktemp -d "${TMPDIR:-/tmp}/make-venv.XXXXXX")
trap 'rm -rf "$work"' EXIT

wheel=$(find /usr/share/python-wheels -maxdepth 1 -name 'pip-*.whl' 2>/dev/null | head -n 1 || true)
if [ -z "$wheel" ] && "$python" -m pip --version >/dev/null 2>&1; then
    (cd "$work" && "$python" -m pip download --quiet --no-deps pip) && wheel=$(find "$work" -name 'pip-*.whl' | head -n 1)
fi
if [ -z "$wheel" ] && command -v apt-get >/dev/null; then
    # an apt of our own: works before the first `apt-get update`, writes nothing of the system's
    mkdir -p "$work"/apt/{lists,cache/archives}/partial
    own=(-o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User= -o Debug::NoLocking=true)
    (cd "$work" && apt-get -qq "${own[@]}" update && apt-get -qq "${own[@]}" download python3-pip-whl &&
        dpkg-deb -x python3-pip-whl_*.deb unpacked) >&2 || true
    wheel=$(find "$work" -name 'pip-*.whl' | head -n 1)
fi
if [ -z "$wheel" ]; then
    echo "this Python has no ensurepip and no pip could be found: install python3-venv (as root: apt-get install python3-venv)" >&2
    rm -rf "$folder"
    exit 1
fi
# a wheel of pip can be run where it lies, and installs itself
"$folder/bin/python" "$wheel/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
