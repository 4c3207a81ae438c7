#!/usr/bin/env bash
# Promise: work outlives its starter, a death of everything is told and gone on from, and two hosts keep out of each other's way.
. "$(dirname "$0")/lib.sh"

pg_start source wal_level=logical max_replication_slots=10 max_wal_senders=10
dsn=$pg_dsn
pg_sql -c "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 2000) g;
    CREATE TABLE lines (id bigint PRIMARY KEY, qty int); INSERT INTO lines SELECT g, g FROM generate_series(1, 500) g;"
"$PYTHON" - "$root" "$work" "$dsn" <<'PY'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/e2e")
import lib_shop
lib_shop.profile(sys.argv[2], sys.argv[3], ["orders", "lines"], catalog=sys.argv[3], generator=False)
PY
cd "$work"
runs=$work/state/runs

# Runs are nobody's children: what is left of them goes with the test.
end_runs() {
    local code=$?
    set +e
    for file in "$work"/*/runs/*.jsonl; do
        pid=$(pid_of "$(basename "$file" .jsonl)" "$(dirname "$file")" 2>/dev/null) || continue
        grep -qsF "$work" "/proc/$pid/cmdline" && kill -KILL "$pid" 2>/dev/null
    done
    mountpoint -q "$work/small" && umount "$work/small"
    (exit "$code")
    finish
}
trap end_runs EXIT

# A member of the newest run of a verb, out of the last `runs --json`.
newest() { json "$work/out" "[r for r in d['runs'] if r['verb'] == '$1'][0]['$2']"; }
state_of() {
    surf runs --json >"$work/out"
    newest "$1" state
}
await_state() { # VERB STATE
    for _ in $(seq 150); do
        [ "$(state_of "$1")" = "$2" ] && return 0
        sleep 0.1
    done
    fail "$1 did not become $2: $(state_of "$1")"
}
pid_of() { head -1 "${2:-$runs}/$1.jsonl" | "$PYTHON" -c 'import json, sys; print(json.loads(sys.stdin.readline())["pid"])'; }

# Nothing is wanted yet; looking makes nothing.
expect_exit 0 surf runs --json
[ ! -e "$runs" ] || fail "looking at runs made a folder"
expect_exit 0 surf up shop
expect_exit 0 surf resume
expect_text "$work/err" "nothing is wanted here"

# Wanted, started, alive; and once more there is nothing to start. The starter's whole session dies.
setsid "$SURFBOARD" resume shop --json >"$work/out" 2>"$work/err" || fail "resume: $(cat "$work/out" "$work/err")"
[ "$(json "$work/out" "[(w['verb'], w['action']) for w in d['work']]")" = "[('capture', 'started'), ('merge', 'started')]" ] || fail "$(cat "$work/out")"
await_state merge running
await_state capture running
merge_run=$(newest merge run)
expect_exit 0 surf resume
expect_text "$work/out" "capture shop: alive" "merge shop: alive"
ps -o sid= -p "$(pid_of "$merge_run")" | grep -qw "$(pid_of "$merge_run")" || fail "the merge is not in a session of its own"
expect_text "$work/state/wanted.yaml" "format: 1" 'verb: "merge"' 'paused: false'

# It says what it does each two seconds, and a reader can follow it.
pg_sql -c "INSERT INTO orders SELECT g, 'm' || g FROM generate_series(2001, 2500) g; UPDATE lines SET qty = qty + 1"
sleep 5
"$PYTHON" - "$runs" <<'PY'
import datetime, json, pathlib, sys
for path in pathlib.Path(sys.argv[1]).glob("*.jsonl"):
    events = [json.loads(line) for line in path.read_text().splitlines()]
    times = [datetime.datetime.fromisoformat(e["at"].replace("Z", "+00:00")) for e in events]
    gap = max([0] + [(b - a).total_seconds() for a, b in zip(times, times[1:])])
    print(path.name, events[0]["verb"], "longest silence %.2f s" % gap)
    assert gap < 2.1, (path, gap)
PY
surf runs --json >"$work/out"
[ "$(json "$work/out" "all(r['silent_s'] < 3 and not r['silent'] for r in d['runs'])")" = True ] || fail "a run is silent"

# One-shot beside the follower: somebody else is at it (6), named with host, process and time.
expect_exit 6 surf merge shop
expect_text "$work/err" "is locked" "process" "since"

# Everything dies at once.
surf runs --json >"$work/out"
for run in "$(newest merge run)" "$(newest capture run)"; do kill -KILL "$(pid_of "$run")"; done
await_state merge died
await_state capture died
expect_exit 8 surf attach "$merge_run"
expect_text "$work/err" "died without an end" "surfboard resume"
expect_exit 6 surf cancel "$merge_run"
expect_exit 0 surf doctor --json
[ "$(json "$work/out" "sorted(c['state'] for c in d['checks'] if c['service'] == 'work' and c['check'] == 'wanted')")" = "['warn', 'warn']" ] ||
    fail "doctor does not warn of wanted work that died"
[ "$(json "$work/out" "[c['remedy'] for c in d['checks'] if c['service'] == 'work' and c['check'] == 'unit'] != []")" = True ] ||
    fail "doctor says nothing of a unit"
pg_sql -c "DELETE FROM orders WHERE id <= 100; INSERT INTO lines VALUES (501, 1)"
expect_exit 0 surf resume --json
[ "$(json "$work/out" "[w['action'] for w in d['work']]")" = "['started', 'started']" ] || fail "$(cat "$work/out")"
expect_exit 0 surf verify shop --full --json
[ "$(json "$work/out" "d['equal']")" = True ] || fail "rows differ after the death of everything"
expect_exit 0 surf runs --json
[ "$(newest verify state)" = done ] || fail "verify left no run"

# A one-shot run that died in its middle goes on as well, with its own arguments.
expect_exit 0 surf pause shop
expect_text "$work/out" "merge shop: stopped and paused" "capture shop: stopped and paused"
[ "$(state_of merge)" = interrupted ] || [ "$(state_of merge)" = done ] || fail "pause did not end the merge cleanly: $(state_of merge)"
expect_exit 0 surf resume
expect_text "$work/out" "merge shop: paused"
expect_exit 0 surf status shop --json
[ "$(json "$work/out" "d['streams'][0]['state']")" = paused ] || fail "status does not say paused"
pg_sql -c "INSERT INTO orders VALUES (9001, 'late')"
expect_exit 0 surf capture shop --once
expect_exit 137 env SURFBOARD_FAULT=merge.commit.before-publish=kill "$SURFBOARD" --profile surfboard.yaml merge shop --max-events 100000
surf runs --json >"$work/out"
[ "$(newest merge state) $(newest merge resumable)" = "died True" ] || fail "a killed merge is not resumable"
dead=$(newest merge run)
"$PYTHON" - "$work/state/wanted.yaml" <<'PY'
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.write_text("".join(line for line in path.read_text().splitlines(True) if 'verb: "merge"' not in line))
PY
expect_exit 0 surf resume
expect_text "$work/out" "goes on where run $dead died"
await_state merge done
head -1 "$runs/$(newest merge run).jsonl" | grep -qF '"arguments":["merge","shop","--max-events","100000"]' || fail "not the same arguments"
expect_exit 0 surf resume
grep -q "goes on" "$work/out" && fail "it was begun twice"

# Paused work goes on by name, and its rows are all there.
expect_exit 0 surf resume shop
expect_text "$work/out" "merge shop: started"
expect_exit 0 surf verify shop --full --json
[ "$(json "$work/out" "d['equal']")" = True ] || fail "rows differ after pause and resume"
expect_exit 0 surf pause shop --json
expect_exit 0 surf history shop --json
[ "$(json "$work/out" "[m['to'] for m in d['history'] if m['kind'] == 'state'][-1]")" = paused ] || fail "history does not end paused"

# Another host, as it were: the same catalog, a state of its own. The loser is told who has it.
sed "s|state: $work/state|state: $work/other|" surfboard.yaml >other.yaml
"$SURFBOARD" merge shop --follow >/dev/null 2>"$work/first.err" &
children+=($!)
await_state merge running
expect_exit 6 surf --profile other.yaml merge shop
expect_text "$work/err" "locked in the catalog's database" "merge by" ":" "since"
kill -TERM "${children[0]}"
wait "${children[0]}" || true
expect_exit 0 surf --profile other.yaml merge shop

# What one can put into systemd.
expect_exit 0 surf unit
expect_text "$work/out" "Type=oneshot" "RemainAfterExit=yes" "--profile \"$work/surfboard.yaml\" resume" "WantedBy=multi-user.target" "ReadWritePaths=" "NoNewPrivileges=yes"
if command -v systemd-analyze >/dev/null; then
    cp "$work/out" "$work/surfboard-test.service"
    systemd-analyze verify "$work/surfboard-test.service" 2>&1 | grep -F surfboard-test.service && fail "systemd finds fault with the unit"
fi
expect_exit 0 surf unit --user
expect_text "$work/out" "WantedBy=default.target" "enable-linger"
grep -q "^User=" "$work/out" && fail "a user's unit names a user"
mkdir -p "$XDG_CONFIG_HOME/systemd/user/default.target.wants"
cp "$work/out" "$XDG_CONFIG_HOME/systemd/user/surfboard-test.service"
ln -s ../surfboard-test.service "$XDG_CONFIG_HOME/systemd/user/default.target.wants/surfboard-test.service"
surf resume shop >/dev/null
surf doctor --json >"$work/out" || true
[ "$(json "$work/out" "[c['state'] for c in d['checks'] if c['check'] == 'unit']")" = "['ok']" ] || fail "doctor does not find the unit"
expect_exit 0 surf pause shop

# A state that is full or cannot be written: an error that says so, and no half line behind it. (Mounts want root.)
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=64k tmpfs "$work/small" 2>/dev/null; then
    sed "s|state: $work/state|state: $work/small/state|" surfboard.yaml >small.yaml
    expect_exit 0 surf --profile small.yaml capture shop --once
    dd if=/dev/zero of="$work/small/filler" bs=1k 2>/dev/null || true
    expect_exit 8 surf --profile small.yaml up shop
    expect_text "$work/err" "No space left" "free space"
    expect_exit 0 surf --profile small.yaml runs
    rm "$work/small/filler"
    expect_exit 0 surf --profile small.yaml up shop --until model
    mount -o remount,ro "$work/small"
    expect_exit 8 surf --profile small.yaml capture shop --once
    expect_text "$work/err" "Read-only file system"
    expect_exit 8 surf --profile small.yaml resume shop
    expect_exit 0 surf --profile small.yaml runs --json
    expect_exit 0 surf --profile small.yaml history
    expect_exit 0 surf --profile small.yaml status
    umount "$work/small"
    # Held by another user, and not shared.
    mkdir -m 700 "$work/theirs"
    sed "s|state: $work/state|state: $work/theirs|" surfboard.yaml >theirs.yaml
    chmod 644 theirs.yaml model.json
    cp "$SURFBOARD" "$work/surfboard"
    for verb in "runs" "capture shop --once" "resume shop"; do
        # shellcheck disable=SC2086
        expect_exit 8 setpriv --reuid=65534 --regid=65534 --clear-groups "$work/surfboard" --profile theirs.yaml $verb
        expect_text "$work/err" "Permission denied" "permission"
    done
fi

# A stream that is taken down is not wanted any more.
expect_exit 0 surf down shop --confirm shop
expect_exit 0 surf resume
expect_text "$work/err" "nothing is wanted here"
echo "runs: outlive, die, go on, exclude"
