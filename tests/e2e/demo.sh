#!/usr/bin/env bash
# Promise: demo builds the whole pipeline, ends with source and lake equal, leaves no process behind, and goes on after kill -9.
. "$(dirname "$0")/lib.sh"

# Processes whose command line names the demo's folder; the guard may need a moment.
leftovers() { pgrep -f -- "$1" | grep -vx "$$" || true; }
gone() {
    for _ in $(seq 50); do
        [ -n "$(leftovers "$1")" ] || return 0
        sleep 0.2
    done
    fail "left behind: $(ps -o args= -p "$(leftovers "$1" | head -1)")"
}

# Until the report has counted its seconds: a slow machine is slow to come to life.
alive() {
    for _ in $(seq 400); do
        grep -q "^live   [$1-9] s" "$work/live" && return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.2
    done
    fail "it never came to life: $(tail -3 "$work/live")"
}

# From nothing to equal.
expect_exit 0 surf demo --dir "$work/shop" --no-screen --seconds 5 --rows 300 --json
[ "$(json "$work/out" "d['event'] == 'demo' and d['equal'] is True and d['tables'] == 6")" = True ] || fail "$(tail -1 "$work/out")"
[ "$(json "$work/out" "d['events'] > 1000 and d['dir']")" = "$work/shop" ] || fail "too few events: $(tail -1 "$work/out")"
grep -q '"event":"progress"' "$work/out" || fail "no progress was told"
gone "$work/shop"

# What it printed as the way on works without its server.
expect_exit 0 surf scan "$(ls -d "$work"/shop/warehouse/demo/shop_orders-*)" --limit 5 --json
expect_exit 0 surf peek "$work/shop/deltas/demo.public.orders/0/00000000000000000000.jsonl"
expect_exit 0 surf --profile "$work/shop/demo.yaml" runs

# A demo in which too little happens is not called equal.
expect_exit 1 surf demo --dir "$work/shop" --seconds 0 --json
[ "$(json "$work/out" "d['equal']")" = False ] || fail "equal without any change"

# Killed in the middle: children and server end too, and the next one goes on to equal.
"$SURFBOARD" demo --dir "$work/shop" --seconds 60 >"$work/live" 2>&1 &
pid=$!
children+=("$pid")
alive 2 "$pid"
expect_exit 6 surf demo --dir "$work/shop" --seconds 1
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
gone "$work/shop"
expect_exit 0 surf demo --dir "$work/shop" --seconds 4 --json
[ "$(json "$work/out" "d['equal']")" = True ] || fail "not equal after kill -9: $(tail -1 "$work/out")"

# Asked to stop, it drains, compares and ends well.
"$SURFBOARD" demo --dir "$work/shop" --seconds 60 >"$work/live" 2>&1 &
pid=$!
children+=("$pid")
alive 4 "$pid"
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 0 ] || fail "exit $code after SIGTERM: $(tail -3 "$work/live")"
expect_text "$work/live" "equal, row by row"
gone "$work/shop"

# Two runs of one folder exclude each other; an ordinary user needs nothing special.
if [ "$(id -u)" = 0 ]; then
    mkdir "$work/nobody"
    chown nobody "$work/nobody"
    cp "$SURFBOARD" "$work/nobody/surfboard"
    expect_exit 0 setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$work/nobody" XDG_STATE_HOME= \
        XDG_CACHE_HOME= XDG_CONFIG_HOME= "$work/nobody/surfboard" demo --dir "$work/nobody/shop" --seconds 4 --rows 200 --json
    [ "$(json "$work/out" "d['equal']")" = True ] || fail "not equal as nobody"
    gone "$work/nobody/shop"
fi
