#!/usr/bin/env bash
# Promise: bad input is refused with its place and a remedy, and leaves table and watermark as they were.
. "$(dirname "$0")/lib.sh"

schema=$work/schema.json table=$work/table topic=$work/deltas/shop.public.t
mkdir -p "$topic/0"
cat >"$schema" <<'JSON'
{"name": "t", "columns": [{"name": "id", "type": "bigint", "nullable": false},
  {"name": "n", "type": "integer"}, {"name": "word", "type": "text"}], "primary_key": ["id"]}
JSON

# line OFFSET KEY AFTER: a create.
line() {
    printf '{"key":%s,"value":{"before":null,"after":%s,"source":{"lsn":%d,"txId":1},"op":"c","ts_ms":1},"offset":%d,"timestamp":1,"headers":[]}\n' \
        "$2" "$3" $((1000 + $1)) "$1"
}
file() { printf '%s/0/%020d.jsonl' "$topic" "$1"; }
merge() { surf merge --deltas "$topic" --schema "$schema" --table "$table" --json "$@"; }
state_of() { digest digest surfboard "$table"; }

line 0 '{"id":1}' '{"id":1,"n":1,"word":"one"}' >"$(file 0)"
line 1 '{"id":2}' '{"id":2,"n":null,"word":null}' >>"$(file 0)"
expect_exit 0 merge
before=$(state_of)

# refused WHAT TEXT...: the line on stdin comes next, is refused with exit 7 and names its place; then
# it goes away, as if the sink had never written it.
refused() {
    local what=$1 next
    shift
    next=$(file 2)
    cat >"$next"
    expect_exit 7 merge
    expect_text "$work/out" '"state":"stopped"' '"kind"' '"remedy"'
    cat "$work/out" "$work/err" >"$work/said"
    grep -qE "partition 0 offset 2|0/$(basename "$next")" "$work/said" || fail "$what: no place: $(cat "$work/said")"
    expect_text "$work/said" "$@"
    [ "$(state_of)" = "$before" ] || fail "$what: the table changed"
    rm "$next"
    expect_exit 0 merge
    [ "$(json "$work/out" 'd["state"]')" = nothing-to-do ] || fail "$what: the watermark moved"
}

printf '{"key":{"id":3},"value":{"after":{"id":3,"n":1,"word":"\xc3\x28"},"op":"c"},"offset":2}\n' |
    refused "invalid UTF-8" "UTF-8"
line 2 '{"id":3}' '{"id":3,"n":"abc","word":"x"}' | refused "wrong type" 'column n' abc
line 2 '{"id":3}' '{"id":3,"n":3000000000,"word":"x"}' | refused "number out of range" 'column n' 3000000000
line 2 '{}' '{"n":1,"word":"x"}' | refused "missing key" id
line 2 'null' '{"id":3,"n":1,"word":"x"}' | refused "no key" key
line 2 '{"id":3}' '{"id":3,"n":1,"word":"x"' | refused "broken JSON"
printf '[1,2]\n' | refused "not an object"
line 2 '{"id":3}' '{"id":3,"n":1,"word":"x"}' | sed 's/"op":"c"/"op":"z"/' | refused "unknown operation" "op is none"

# A disk that is full: the report claims nothing that is not in the table.
line 2 '{"id":3}' '{"id":3,"n":3,"word":"three"}' >"$(file 2)"
expect_exit 8 env SURFBOARD_FAULT=merge.commit.before-publish=enospc "$SURFBOARD" merge --deltas "$topic" --schema "$schema" \
    --table "$table" --json
[ "$(json "$work/out" '[d["state"], d["error"]["kind"], d["inserted"], d["files_added"], d["bytes_written"], d["events"]]')" = \
    "['stopped', 'io', 0, 0, 0, 1]" ] || fail "full disk: $(cat "$work/out")"
json "$work/out" 'd["error"]["remedy"]' | grep -q "free space" || fail "full disk: no remedy"
snapshot=$(json "$work/out" 'd["snapshot"]["t"]')
surf scan "$table" --snapshot "$snapshot" --count >"$work/rows" || fail "full disk: snapshot $snapshot was never made"
[ "$(state_of)" = "$before" ] || fail "full disk: the table changed"
rm "$(file 2)"

# A member that the schema does not name: counted, or refused when asked for.
line 2 '{"id":3}' '{"id":3,"n":1,"word":"x","extra":1}' >"$(file 2)"
expect_exit 7 merge --on-unknown stop
expect_text "$work/out" extra
[ "$(state_of)" = "$before" ] || fail "--on-unknown stop: the table changed"
expect_exit 0 merge
expect_text "$work/out" 'extra":1'
before=$(state_of)

# A torn last line is not an end: what is whole may be there, nothing else, and the rest comes later.
line 3 '{"id":4}' '{"id":4,"n":4,"word":"four"}' >"$(file 3)"
line 4 '{"id":5}' '{"id":5,"n":5,"word":"five"}' >"$work/next"
head -c 60 "$work/next" >>"$(file 3)"
expect_exit 7 merge
surf scan "$table" --format json | grep -q '"five"' && fail "half a line became a row"
{ line 3 '{"id":4}' '{"id":4,"n":4,"word":"four"}' && cat "$work/next"; } >"$(file 3)"
expect_exit 0 merge
surf scan "$table" --format json >"$work/rows"
expect_text "$work/rows" four five
before=$(state_of)

# A file that shrinks, and one that comes again under another name: nothing new in them.
line 3 '{"id":4}' '{"id":4,"n":99,"word":"never"}' >"$(file 3)"
cp "$(file 0)" "$topic/0/00000000000000000001.jsonl"
expect_exit 0 merge
[ "$(state_of)" = "$before" ] || fail "old offsets changed the table"

# Two files with one offset range: each offset once, the first read counts.
line 5 '{"id":6}' '{"id":6,"n":6,"word":"six"}' >"$(file 5)"
line 5 '{"id":6}' '{"id":6,"n":6,"word":"six"}' >"$topic/0/00000000000000000005.copy.jsonl"
line 6 '{"id":7}' '{"id":7,"n":7,"word":"seven"}' >>"$topic/0/00000000000000000005.copy.jsonl"
expect_exit 0 merge
[ "$(json "$work/out" 'd["inserted"]')" = 2 ] || fail "two rows, not: $(cat "$work/out")"
before=$(state_of)

# A hole between files: accepted only when told so, and counted.
line 20 '{"id":20}' '{"id":20,"n":1,"word":"x"}' >"$(file 20)"
expect_exit 7 merge --gap-wait 0s
expect_text "$work/out" '"state":"stopped"' 7 20
[ "$(state_of)" = "$before" ] || fail "gap: the table changed"
expect_exit 0 merge --on-gap accept
[ "$(json "$work/out" 'd["gaps"]')" = 1 ] || fail "the gap was not counted"

# Set aside instead of stopping.
{ line 21 '{"id":21}' '{"id":21,"n":"bad","word":"x"}' && line 22 '{"id":22}' '{"id":22,"n":2,"word":"good"}'; } >"$(file 21)"
expect_exit 0 merge --on-bad-input quarantine
[ "$(json "$work/out" 'd["quarantined"]')" = 1 ] || fail "not counted as quarantined"
surf scan "$table" --format json >"$work/rows"
expect_text "$work/rows" good
grep -rq 'bad' "$table/quarantine" || fail "the line is not in the quarantine folder"

# Schema files: file, column and remedy; exit 3.
sed 's/"integer"/"nonsense"/' "$schema" >"$work/wrong.json"
expect_exit 3 surf merge --deltas "$topic" --schema "$work/wrong.json" --table "$work/other"
expect_text "$work/err" wrong.json n nonsense
sed 's/, "primary_key": \["id"\]//' "$schema" >"$work/keyless.json"
expect_exit 3 surf merge --deltas "$topic" --schema "$work/keyless.json" --table "$work/other"
expect_text "$work/err" keyless.json key
[ ! -e "$work/other" ] || fail "a refused schema left a table"
expect_exit 3 surf merge --deltas "$work/nowhere" --schema "$schema" --table "$work/other"

# An unreadable folder is an error, never an empty one. Root reads everything, so somebody else looks.
mkdir "$work/public"
cp "$SURFBOARD" "$work/public/surfboard"
cp -r "$work/deltas" "$schema" "$work/public/"
chmod -R a+rX "$work/public"
mkdir -m 777 "$work/public/home"
chmod 0 "$work/public/deltas/shop.public.t/0"
somebody() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups -- env HOME="$work/public/home" \
            XDG_CACHE_HOME="$work/public/home" "$work/public/surfboard" "$@")
    else
        "$work/public/surfboard" "$@"
    fi
}
got=0
somebody merge --deltas "$work/public/deltas/shop.public.t" --schema "$work/public/schema.json" \
    --table "$work/public/home/table" >"$work/out" 2>"$work/err" || got=$?
chmod 755 "$work/public/deltas/shop.public.t/0"
[ "$got" != 0 ] || fail "an unreadable folder was read as empty"
expect_text "$work/err" "shop.public.t/0"
