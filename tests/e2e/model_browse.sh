#!/usr/bin/env bash
# Promise: a model is browsed without a profile: tree, object, search, each for people and for programs.
. "$(dirname "$0")/lib.sh"

model=$fixtures/models/allkinds.json
show() { surf model show "$@" --model "$model"; }

# --- the tree, and what is wrong in it
show >"$work/out"
expect_text "$work/out" "Trade" "Orders  SQLSnapshotIngestion" "waiting  no platform" "platforms" \
    "Lint" "no platform is mapped to it"

# --- an object by its path, and by its short name: the same
show Trade/Sales/Orders/customers >"$work/long"
show Orders#customers | cmp - "$work/long" || fail "short and long path differ"
expect_text "$work/long" "Reports: latest (through Masker)" "nvarchar(80)" "PC1 name" "Orders, Current, priority HIGH"
show Orders#customers --ascii >"$work/out"
LC_ALL=C grep -q '[^ -~]' "$work/out" && fail "--ascii prints more than ASCII"

# --- for programs
show Orders --json >"$work/json"
[ "$(json "$work/json" "d['goal']['goal_s'], d['goal']['group'], len(d['streams']), d['path']")" = \
    "(300, 'latest', 2, 'Trade/Sales/Orders')" ] || fail "store as JSON"
show Orders#customers --json >"$work/json"
[ "$(json "$work/json" "[(c['name'], c['type'], c['key'], c.get('class')) for c in d['columns']][:2]")" = \
    "[('id', 'bigint', 1, None), ('name', 'nvarchar(80)', 0, 'PC1 name')]" ] || fail "columns as JSON"
# Each path of the tree can be asked for.
show --json >"$work/json"
for path in $(json "$work/json" "' '.join(h['path'] for h in d['holds'])"); do
    show "$path" --json >"$work/out"
    [ "$(json "$work/out" "d['path']")" = "$path" ] || fail "$path"
done

# --- what is not there
expect_exit 3 show Trade/Sales/Ordres
expect_text "$work/err" "did you mean Orders"
expect_exit 3 surf model show --model "$work/none.json"

# --- search
surf model search orders --model "$model" >"$work/out"
head -1 "$work/out" | grep -q "^store  *Trade/Sales/Orders$" || fail "the whole name comes first"
surf model search pc1 --model "$model" --json >"$work/json"
[ "$(json "$work/json" "d['total'] >= 1 and d['hits'][0]['where']")" = class ] || fail "search by class"
expect_exit 1 surf model search nowhere-at-all --model "$model"
