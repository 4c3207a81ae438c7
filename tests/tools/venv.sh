#!/bin/sh
# venv.sh: prints the Python that has the independent readers (tests/readers/requirements.txt),
# made once in the cache folder and again when the requirements change. Python on stdout, rest on stderr.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
requirements=$here/readers/requirements.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/surfboard
venv=$cache/venv
mkdir -p "$cache"
exec 9>"$cache/venv.lock"
flock 9
if ! cmp -s "$requirements" "$venv/requirements.done"; then
    echo "fetching the independent readers into $venv" >&2
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
    cp "$requirements" "$venv/requirements.done"
fi
echo "$venv/bin/python"
