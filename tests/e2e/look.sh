#!/usr/bin/env bash
# Promise: scan, query and peek print what is there, in every format, and refuse the rest with its reason.
. "$(dirname "$0")/lib.sh"

table() { echo "$fixtures/iceberg/$1/warehouse/fx/"*; }
types=$(table types) deletes=$(table deletes) formats=$(table formats)

# --- scan: projection, predicates, limits, counts
[ "$(surf scan "$deletes" --columns id --where "qty > 100 and name = 'changed'" --format csv | wc -l)" = 16 ] ||
    fail "predicate"
[ "$(surf scan "$deletes" --count)" = "$(surf scan "$deletes" --format json | wc -l)" ] || fail "--count"
[ "$(surf scan "$deletes" --count --where 'id <= 10')" = "$(surf scan "$deletes" --json --where 'id <= 10' | wc -l)" ] ||
    fail "--count --where"
[ "$(surf scan "$types" --limit 2 --format json | wc -l)" = 2 ] || fail "--limit"
[ "$(surf scan "$types" --columns s,id --where 'id = 2' --format json)" = '{"s": "", "id": 2}' ] || fail "projection"
surf scan "$types" --count --json >"$work/count"
[ "$(json "$work/count" "d['count'], d['snapshot']")" = "(4, 2365348961795492279)" ] || fail "--count --json"
surf scan "$types" --columns s --where "id = 4" --format csv >"$work/out"
printf 's\nnul\\0 tab\t\n' | cmp - "$work/out" || fail "text from data is changed in a file"

# --- time travel
[ "$(surf scan "$deletes" --as-of 2099-01-01 --count)" = "$(surf scan "$deletes" --count)" ] || fail "--as-of later"
expect_exit 3 surf scan "$deletes" --as-of 2001-01-01
expect_exit 3 surf scan "$deletes" --snapshot 1
expect_exit 2 surf scan "$deletes" --snapshot 1 --as-of 2024-01-01
expect_exit 2 surf scan "$deletes" --as-of yesterday

# --- refusals: before any row, with the reason
expect_exit 7 surf scan "$formats"
expect_text "$work/err" "AVRO format"
[ ! -s "$work/out" ] || fail "rows before the refusal"
[ "$(surf scan "$formats" --count)" = 3 ] || fail "a count needs no reading"
expect_exit 3 surf scan "$types" --columns idd
expect_text "$work/err" "did you mean id"
expect_exit 2 surf scan "$types" --where "dt = 'tomorrow'"
expect_exit 3 surf scan "$work/nothing"
expect_exit 7 surf scan hdfs://host/table
expect_exit 3 env -u AWS_ACCESS_KEY_ID "$SURFBOARD" scan s3://bucket/table
expect_text "$work/err" "AWS_ACCESS_KEY_ID"
cp -r "$types" "$work/broken"
data=$(find "$work/broken/data" -name '*.parquet')
truncate -s -1 "$data"
expect_exit 7 surf scan "$work/broken"
expect_text "$work/err" "its manifest says"
rm "$data"
expect_exit 3 surf scan "$work/broken"
{ surf scan "$deletes" 2>"$work/err" || true; } | head -1 >/dev/null
[ ! -s "$work/err" ] || fail "a closed pipe is no error to report"

# --- query over the same
[ "$(surf query "select count(*) from \"$deletes\" where id < 10" --format csv)" = "$(printf 'count\n6')" ] ||
    fail "select count(*)"
[ "$(echo "select id, name from \"$deletes\" where id = 2" | surf query --format json)" = \
    '{"id": 2, "name": "merged 2"}' ] || fail "a statement from standard input"
expect_exit 7 surf query "select max(id) from \"$deletes\""
expect_exit 2 surf query --where "id = 1" "select 1"
expect_exit 2 surf query --table "$deletes" --engine postgres

# --- query: Postgres
pg_start shop
cat >"$work/surfboard.yaml" <<YAML
format: 1
context: look
sources: {shop: {dsn: "$pg_dsn"}}
YAML
pg_sql -c "create table t (id int primary key, v text); insert into t values (1, E'a\x1b[31m'), (2, null)"
pg() { surf --profile "$work/surfboard.yaml" query --engine postgres "$@"; }
[ "$(pg "select id from t order by id" --format csv)" = "$(printf 'id\n1\n2')" ] || fail "postgres rows"
expect_exit 5 pg "delete from t"
expect_exit 5 pg "select 1; delete from t"
expect_exit 5 pg "select pg_terminate_backend(1)"
expect_exit 5 pg --write "delete from t where id = 1"
expect_text "$work/err" "--confirm look"
expect_exit 5 pg --write --confirm other "delete from t where id = 1"
expect_exit 5 surf --read-only --profile "$work/surfboard.yaml" query --engine postgres --write --confirm look "delete from t"
[ "$(pg_sql -c 'select count(*) from t')" = 2 ] || fail "refused statements changed something"
expect_exit 0 pg --write --confirm look "delete from t where id = 1"
[ "$(pg_sql -c 'select count(*) from t')" = 1 ] || fail "--write"
expect_exit 3 pg "select * from nothing"
expect_exit 2 pg "select * frm t"

# --- peek
delta=$work/d.jsonl
zcat "$fixtures/debezium/shop/objects/shop.public.orders/0/00000000000000000000.jsonl.gz" >"$delta"
surf peek "$delta" --json >"$work/peek"
[ "$(json "$work/peek" "d['kind'], d['lines'] == sum(d['ops'].values()), d['bad_lines'], d['torn']")" = \
    "('delta-file', True, 0, False)" ] || fail "peek of a delta file"
gzip -c "$delta" >"$work/d.jsonl.gz"
surf peek "$work/d.jsonl.gz" --json | cmp - "$work/peek" || fail "peek of a .gz"
head -c -20 "$work/d.jsonl.gz" >"$work/torn.jsonl.gz"
expect_exit 0 surf peek "$work/torn.jsonl.gz" --json
[ "$(json "$work/out" "d['torn']")" = True ] || fail "a torn .gz"
{ head -1 "$delta"; echo '{"offset": "x"}'; head -c 40 "$delta"; } >"$work/bad.jsonl"
expect_exit 7 surf peek "$work/bad.jsonl" --json
[ "$(json "$work/out" "d['lines'], d['bad'][0]['line'], d['torn']")" = "(2, 2, True)" ] || fail "a bad line"
surf peek "$types" --json >"$work/out"
[ "$(json "$work/out" "d['kind'], len(d['schema']), d['snapshots']")" = "('table-metadata', 20, 2)" ] || fail "peek of a table"
for kind in "snap-*.avro:manifest-list" "*-m0.avro:manifest"; do
    surf peek "$(find "$types/metadata" -name "${kind%:*}" | head -1)" --json >"$work/out"
    [ "$(json "$work/out" "d['kind']")" = "${kind#*:}" ] || fail "peek of a ${kind#*:}"
done
surf peek "$(find "$types/data" -name '*.parquet')" --json >"$work/out"
json "$work/out" "d" >/dev/null
expect_text "$work/out" ZSTD
surf peek "$fixtures/debezium/shop" --json --limit 3 >"$work/out"
[ "$(json "$work/out" "d['kind'], len(d['files']), d['more']")" = "('folder', 3, True)" ] || fail "peek of a folder"
expect_exit 7 surf peek "$root/Makefile"
expect_exit 3 surf peek "$work/nothing"
