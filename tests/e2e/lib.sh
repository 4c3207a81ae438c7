# lib.sh: sourced by every end-to-end script.
#
# Gives a scratch folder $work (removed when the test passes, kept and named when it fails), an empty
# HOME with XDG folders in it, and the helpers below. A script's first lines are
#     #!/usr/bin/env bash
#     # Promise: what the user may rely on, in one line.
#     . "$(dirname "$0")/lib.sh"
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fixtures=$root/tests/fixtures
: "${SURFBOARD:=$root/.build/gcc-faults/surfboard}" "${SURFBOARD_CDCGEN:=$root/.build/tools/cdcgen}"
: "${PYTHON:=$("$root/tests/tools/venv.sh")}"
# Below /tmp, not below TMPDIR or HOME: Postgres runs as another user and must reach it.
work=$(mktemp -d /tmp/surfboard-test.XXXXXX)
chmod 755 "$work"
export SURFBOARD SURFBOARD_CDCGEN PYTHON work
export HOME=$work/home XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
export LC_ALL=C.UTF-8 TZ=UTC
unset SURFBOARD_PROFILE SURFBOARD_CONTEXT SURFBOARD_FAULT SURFBOARD_FAULT_LOG
mkdir -p "$HOME"
clusters=()
children=()

finish() {
    local code=$?
    trap - EXIT ERR
    for pid in ${children[@]+"${children[@]}"}; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    for folder in ${clusters[@]+"${clusters[@]}"}; do
        "$root/tests/tools/pg.sh" stop "$folder" >/dev/null 2>&1 || true
    done
    if [ "$code" = 0 ] || [ "$code" = 77 ]; then rm -rf "$work"; else echo "kept: $work"; fi
    exit "$code"
}
trap finish EXIT
trap 'echo "failed: line $LINENO: $BASH_COMMAND" >&2' ERR

surf() { "$SURFBOARD" "$@"; }

fail() {
    echo "FAIL $*" >&2
    trap - ERR
    exit 1
}

# Only for what this machine can't do at all; the summary of the run repeats it.
skip() {
    echo "SKIP $*"
    exit 77
}

# expect_exit CODE COMMAND...: its output goes to $work/out and $work/err.
expect_exit() {
    local want=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" = "$want" ] || {
        tail -n 20 "$work/out" "$work/err" >&2
        fail "exit $got, not $want: $*"
    }
}

# expect_text FILE TEXT...: every TEXT stands in FILE.
expect_text() {
    local file=$1
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$file" || {
            tail -n 20 "$file" >&2
            fail "$file does not say: $text"
        }
    done
}

# json FILE EXPRESSION: evaluates a Python expression over the last JSON line of FILE, as `d`.
json() {
    "$PYTHON" -c '
import json, sys
lines = [line for line in open(sys.argv[1]) if line.startswith("{")]
d = json.loads(lines[-1])
print(eval(sys.argv[2]))' "$1" "$2"
}

# Row digests and row-by-row differences between readers: see tests/readers/digest.py.
digest() { "$PYTHON" "$root/tests/readers/digest.py" "$@"; }
cdcgen() { "$SURFBOARD_CDCGEN" "$@"; }

# --- a private Postgres ---------------------------------------------------------------------------
# pg_start NAME [SETTING...]: a cluster in $work/NAME on its own socket; sets and exports pg_dsn. The
# server listens on no port.
pg_start() {
    local folder=$work/$1
    shift
    clusters+=("$folder")
    pg_dsn=$("$root/tests/tools/pg.sh" start "$folder" "$@")
    export pg_dsn
}

pg_restart() { "$root/tests/tools/pg.sh" restart "$work/$1"; }
pg_sql() { psql -X -q -v ON_ERROR_STOP=1 -At -d "$pg_dsn" "$@"; }
