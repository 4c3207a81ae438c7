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
    log=$cache/venv.log
    { [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"; } >"$log" 2>&1 ||
        { tail -20 "$log" >&2; exit 1; }
    cp "$requirements" "$venv/requirements.done"
fi
echo "$venv/bin/python"
