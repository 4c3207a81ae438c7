#!/usr/bin/env bash
# Promise: the row digest tells one changed cell, a doubled row and a missing row; order does not matter.
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/t/metadata"
cat >"$work/t/metadata/v1.metadata.json" <<'JSON'
{"current-schema-id": 0, "schemas": [{"schema-id": 0, "fields": [
  {"id": 1, "name": "id", "type": "long"}, {"id": 2, "name": "at", "type": "timestamptz"},
  {"id": 3, "name": "price", "type": "decimal(12, 2)"}]}]}
JSON
cat >"$work/a" <<'ROWS'
{"id": 1, "at": "2024-02-29T12:34:56.789012Z", "price": "1.10"}
{"id": 2, "at": "-0043-03-15 00:00:00+00:00", "price": null}
ROWS
rows() { digest diff rows "$work/a@$work/t" rows "$work/$1@$work/t"; }

# The same rows: other order, zone, number of zeros.
cat >"$work/b" <<'ROWS'
{"id": 2, "at": "-0043-03-15T00:00:00Z", "price": null}
{"id": 1, "at": "2024-02-29 14:34:56.789012+02", "price": "1.1"}
ROWS
rows b
sed 's/1.10/1.11/' "$work/a" >"$work/cell"
sed 's/789012/789013/' "$work/a" >"$work/instant"
cat "$work/a" <(head -1 "$work/a") >"$work/doubled"
head -1 "$work/a" >"$work/missing"
for changed in cell instant doubled missing; do
    expect_exit 1 rows "$changed"
    expect_text "$work/out" "DIFFERENT" "only rows"
done
