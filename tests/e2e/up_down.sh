#!/usr/bin/env bash
# Promise: up builds a stream step by step and can be run again; down takes away what was made, and only that.
. "$(dirname "$0")/lib.sh"

pg_start source wal_level=logical max_replication_slots=10 max_wal_senders=10
dsn=$pg_dsn
pg_sql -c "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 50) g;
    CREATE TABLE lines (id bigint PRIMARY KEY, qty int); INSERT INTO lines SELECT g, g FROM generate_series(1, 20) g;
    CREATE PUBLICATION foreign_pub FOR TABLE orders;"
"$PYTHON" - "$root" "$work" "$dsn" <<'PY'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/e2e")
import lib_shop
lib_shop.profile(sys.argv[2], sys.argv[3], ["orders", "lines"], catalog=sys.argv[3], generator=False)
PY
cd "$work"

# Nothing is there yet, and looking changes nothing.
expect_exit 0 surf streams --json
[ "$(json "$work/out" "d['streams'][0]['state']")" = "not built" ] || fail "a stream that is not there yet"
expect_exit 0 surf plan shop
expect_text "$work/out" "CREATE PUBLICATION" "EXPORT_SNAPSHOT" "CREATE TABLE IF NOT EXISTS iceberg_tables"
expect_exit 0 surf up shop --dry-run --json
[ "$(pg_sql -c "SELECT count(*) FROM pg_replication_slots")" = 0 ] || fail "a dry run made a slot"
[ ! -e "$work/state/runs" ] || fail "a dry run left a run"
expect_exit 1 surf status --check
expect_text "$work/out" "shop: not built"
expect_exit 0 surf status --json
[ "$(json "$work/out" "d['streams'][0]['state']")" = "not built" ] || fail "status of a stream that is not built"

# Up; again; a second time nothing is sent.
expect_exit 0 surf up shop --until publication
[ "$(pg_sql -c "SELECT count(*) FROM pg_replication_slots")" = 0 ] || fail "--until went too far"
expect_exit 0 surf up shop --json
[ "$(json "$work/out" "d['step'] + d['action']")" = filesapplied ] || fail "up did not end with files"
[ "$(pg_sql -c "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'surf_shop'")" = 1 ] || fail "no slot"
expect_exit 0 surf up shop --json
grep -q '"action":"applied"' "$work/out" && fail "a second up applied something"
expect_text "$work/err" "context test (from ./surfboard.yaml)"

# Merge, and the chain is well.
expect_exit 0 surf merge shop --json
[ "$(json "$work/out" "d['inserted']")" = 70 ] || fail "not 70 rows"
pg_sql -c "INSERT INTO orders VALUES (51, 'new')"
expect_exit 0 surf capture shop --once
expect_exit 0 surf merge shop
expect_exit 0 surf status shop --json
[ "$(json "$work/out" "d['streams'][0]['batch']")" = 2 ] || fail "status does not know the batch"
[ "$(json "$work/out" "[s['stage'] for s in d['streams'][0]['chain']] == ['source', 'captured', 'files', 'merged', 'visible']")" = True ] ||
    fail "the chain"
expect_exit 0 surf status --check --max-age 1h
expect_exit 0 surf doctor --json
[ "$(json "$work/out" "[c['check'] for c in d['checks'] if c['state'] not in ('ok', 'warn')]")" = "[]" ] || fail "doctor finds fault"
expect_exit 0 surf runs --json
[ "$(json "$work/out" "all(r['state'] == 'done' for r in d['runs'])")" = True ] || fail "a run is not done"

# What changed behind our back is seen.
pg_sql -c "ALTER PUBLICATION surf_shop DROP TABLE lines"
expect_exit 0 surf plan shop --json
[ "$(json "$work/out" "[s['state'] for s in d['steps'] if s['step'] == 'publication']")" = "['differs']" ] || fail "a table left unseen"
pg_sql -c "ALTER PUBLICATION surf_shop ADD TABLE lines"

# Down from one step on: that and what is behind it goes, what is before it stays.
expect_exit 2 surf down shop --from slt --confirm shop
expect_exit 0 surf down shop --from files --dry-run
grep -q pg_drop_replication_slot "$work/out" && fail "--from files would drop the slot"
expect_exit 0 surf down shop --from slot --confirm shop --keep-data
[ "$(pg_sql -c "SELECT count(*) FROM pg_replication_slots")" = 0 ] || fail "--from left its own step"
[ "$(pg_sql -c "SELECT count(*) FROM pg_publication WHERE pubname = 'surf_shop'")" = 1 ] || fail "--from went too far"
expect_exit 0 surf up shop

# Down: first looking, then without and with the name typed.
expect_exit 0 surf down shop --dry-run
expect_text "$work/out" "pg_drop_replication_slot" "drop table lake.shop_orders"
expect_exit 5 surf down shop
expect_exit 5 surf down shop --confirm shap
expect_exit 0 surf down shop --confirm shop --keep-data
[ "$(pg_sql -c "SELECT count(*) FROM pg_replication_slots")" = 0 ] || fail "the slot stayed"
[ "$(pg_sql -c "SELECT string_agg(pubname, ',') FROM pg_publication")" = foreign_pub ] || fail "publications"
[ -n "$(ls "$work/deltas/shop.public.orders/0")" ] || fail "--keep-data lost files"

# Up again over kept data: a new snapshot, and no row too many or too few.
pg_sql -c "DELETE FROM orders WHERE id <= 10; INSERT INTO lines VALUES (21, 21)"
expect_exit 0 surf up shop
expect_exit 0 surf merge shop
table=$(ls -d "$work"/warehouse/lake/shop_orders*)
expect_exit 0 surf scan "$table" --count
[ "$(cat "$work/out")" = 41 ] || fail "orders: $(cat "$work/out") rows, not 41"
table=$(ls -d "$work"/warehouse/lake/shop_lines*)
expect_exit 0 surf scan "$table" --count
[ "$(cat "$work/out")" = 21 ] || fail "lines: $(cat "$work/out") rows, not 21"

# Down with everything.
expect_exit 0 surf down shop --confirm shop --shared
[ -z "$(find "$work/deltas" "$work/warehouse" -name '*.jsonl' -o -name '*.parquet' 2>/dev/null)" ] || fail "data stayed"
[ "$(pg_sql -c "SELECT to_regclass('iceberg_tables') IS NULL")" = t ] || fail "the catalog's tables stayed"
[ "$(pg_sql -c "SELECT count(*) FROM orders")" = 41 ] || fail "the source was touched"
[ -z "$(ls "$work/state/receipts")" ] || fail "receipts stayed: $(ls "$work/state/receipts")"

# A server that is gone is no answer, and no harm.
"$root/tests/tools/pg.sh" stop "$work/source"
expect_exit 4 surf up shop
expect_exit 0 surf status --json
[ "$(json "$work/out" "d['streams'][0]['state']")" = unknown ] || fail "a dead server is not unknown"
expect_exit 1 surf doctor
