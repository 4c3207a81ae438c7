"""Promise: every captured topic merges to the source's own final state, in one go, file by file, and however else it is cut."""
import base64
import decimal
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/fixtures/debezium"
SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # one column holds a number of 9000 digits

# A table without any key: refused, with a remedy (exit 3: the schema file names none; nothing is written).
KEYLESS = {("shop", "public.audit_nopk")}


class Wrong(Exception):
    pass


def surfboard(*arguments, code=0):
    done = subprocess.run([SURFBOARD, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != code:
        raise Wrong(f"exit {done.returncode}, not {code}: {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done.stdout


def merge(deltas, schema, table, *more):
    out = surfboard("merge", "--deltas", deltas, "--schema", schema, "--table", table, "--json", "--durability", "none",
                    "--gap-wait", "0", *more)
    return json.loads(out.splitlines()[-1])


# ---- values: what the scan prints, and what Postgres' row_to_json prints, in one form ----

def moment(text):
    """Date, time or timestamp; the zone is UTC on both sides."""
    era = text.endswith(" BC")
    text = re.sub(r"( UTC|Z|\+00:00|\+00)$", "", text.removesuffix(" BC")).replace("T", " ")
    text = re.sub(r"(\.\d*?)0+$", r"\1", text).rstrip(".")
    if era:
        year, rest = text.split("-", 1)
        text = f"-{int(year) - 1:04d}-{rest}"
    return text.removeprefix("+")


def same(lake, truth, pg_type):
    if lake == "null" and pg_type in ("json", "jsonb"):
        return truth is None  # row_to_json shows the JSON null as it shows NULL
    if lake is None or truth is None or isinstance(lake, bool):
        return lake == truth
    if pg_type.endswith("[]"):
        return isinstance(truth, list) and len(lake) == len(truth) and all(
            same(a, b, pg_type[:-2]) for a, b in zip(lake, truth))
    if pg_type in ("json", "jsonb"):
        return json.loads(lake, parse_float=decimal.Decimal) == truth
    if pg_type.startswith(("numeric", "decimal")):
        return lake == truth or decimal.Decimal(lake) == decimal.Decimal(truth)
    if pg_type == "money":
        return decimal.Decimal(lake) == decimal.Decimal(re.sub("[$,]", "", truth))
    if pg_type in ("real", "double precision"):
        form = "<f" if pg_type == "real" else "<d"
        return struct.pack(form, float(lake)) == struct.pack(form, float(truth))
    if pg_type == "bytea":
        return base64.b64decode(lake) == bytes.fromhex(truth[2:])
    if pg_type.startswith(("timestamp", "date")) or re.match(r"time(\(\d\))?( without.*)?$", pg_type):
        return moment(lake) == moment(truth)
    if pg_type == "oid":
        return str(lake) == truth
    if pg_type == "point":
        return [float(part) for part in truth.strip("()").split(",")] == [float(part) for part in lake]
    return lake == truth


def scan(table):
    return [json.loads(line) for line in surfboard("scan", table, "--format", "json").splitlines()]


def compare(case, name, schema, table, truth, exceptions, what):
    """Every cell; an exception must be needed, and hold exactly."""
    key = schema["primary_key"] or sorted(set(truth[0]) & {"a", "b"})
    types = {column["name"]: column["type"] for column in schema["columns"]}
    lake = {json.dumps([row[part] for part in key]): row for row in scan(table)}
    wanted = {json.dumps([row[part] for part in key]): row for row in truth}
    if lake.keys() != wanted.keys():
        raise Wrong(f"{case} {name} {what}: rows {sorted(lake)} instead of {sorted(wanted)}")
    for row_key, row in wanted.items():
        for column, value in row.items():
            found = lake[row_key].get(column)
            excepted = [e for e in exceptions
                        if e["column"] == column and all(row[part] == e["key"][part] for part in key)]
            if excepted:
                if found != excepted[0]["lake"]:
                    raise Wrong(f"{case} {name} {what}: {row_key} {column} is {found!r}, the exception says "
                                f"{excepted[0]['lake']!r}")
                if same(found, value, types[column]):
                    raise Wrong(f"{case} {name} {what}: {row_key} {column} needs no exception")
            elif not same(found, value, types[column]):
                raise Wrong(f"{case} {name} {what}: {row_key} {column} is {found!r}, not {value!r}")


# ---- the ways to cut a topic ----

def topic_of(folder, name):
    wanted = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return next(path for path in folder.iterdir() if path.name.endswith("." + wanted))


def lines_of(topic):
    lines = {}
    for path in sorted(topic.glob("0/*")):
        for line in gzip.decompress(path.read_bytes()).decode().split("\n"):
            if line:
                lines.setdefault(json.loads(line)["offset"], line)
    return [lines[offset] for offset in sorted(lines)]


def file_by_file(topic, schema, table, home):
    bucket = home / "arriving" / topic.name
    (bucket / "0").mkdir(parents=True)
    for path in sorted(topic.glob("0/*")):
        shutil.copy(path, bucket / "0")
        merge(bucket, schema, table)
    return bucket


def random_cuts(topic, schema, table, home, seed):
    """New files of any length, batches of any size."""
    draw = random.Random(seed)
    lines = lines_of(topic)
    bucket = home / f"cut{seed}" / topic.name
    (bucket / "0").mkdir(parents=True)
    at = 0
    while at < len(lines):
        count = draw.randint(1, max(1, len(lines) // 4))
        first = json.loads(lines[at])["offset"]
        text = "\n".join(lines[at:at + count]) + draw.choice(["", "\n"])
        (bucket / "0" / f"{first:020d}.jsonl").write_text(text)
        at += count
        if draw.random() < 0.7 or at >= len(lines):
            while merge(bucket, schema, table, "--max-events", draw.choice([0, 1, 3, 20]))["more"]:
                pass
    return bucket


def check_table(case, name, folder, schema_path, expected, exceptions, home):
    schema = json.loads(schema_path.read_text())
    topic = topic_of(folder / "objects", name)
    if (case, name) in KEYLESS:
        surfboard("merge", "--deltas", topic, "--schema", schema_path, "--table", home / "keyless", code=3)
        if (home / "keyless").exists():
            raise Wrong(f"{case} {name}: a table without a key was begun")
        return 0
    truth = expected[name]
    table = home / "at-once"
    merge(topic, schema_path, table)
    compare(case, name, schema, table, truth, exceptions, "in one go")
    again = merge(topic, schema_path, table)
    if again["state"] != "nothing-to-do" or again["events"]:
        raise Wrong(f"{case} {name}: a second merge did {again}")
    table = home / "by-file"
    file_by_file(topic, schema_path, table, home)
    compare(case, name, schema, table, truth, exceptions, "file by file")
    for seed in range(3):
        table = home / f"cut-{seed}"
        random_cuts(topic, schema_path, table, home, seed)
        compare(case, name, schema, table, truth, exceptions, f"cut by seed {seed}")
    return len(truth)


def check_case(case, work):
    folder = CASES / case
    expected = json.loads((folder / "expected.json").read_text(), parse_float=decimal.Decimal)
    listed = folder / "exceptions.json"
    exceptions = json.loads(listed.read_text())["exceptions"] if listed.exists() else []
    tables = rows = 0
    for schema_path in sorted((folder / "schemas").glob("*.json")):
        name = schema_path.name.removesuffix(".json")
        home = work / case / name.replace(" ", "_")
        home.mkdir(parents=True)
        mine = [e for e in exceptions if e["table"] == name]
        rows += check_table(case, name, folder, schema_path, expected, mine, home)
        tables += 1
    print(f"{case}: {tables} tables, {rows} rows, {len(exceptions)} exceptions")


def check_loss(work):
    """binary.handling.mode=base64 sends an unchanged bytea as plain null: those cells are lost, and no others."""
    folder = CASES / "toast-base64-loss"
    expected = json.loads((folder / "expected.json").read_text(), parse_float=decimal.Decimal)
    lost = kept = 0
    for schema_path in sorted((folder / "schemas").glob("*.json")):
        name = schema_path.name.removesuffix(".json")
        schema = json.loads(schema_path.read_text())
        table = work / ("loss-" + name)
        merge(topic_of(folder / "objects", name), schema_path, table)
        types = {column["name"]: column["type"] for column in schema["columns"]}
        for row, truth in zip(sorted(scan(table), key=lambda r: r["id"]), sorted(expected[name], key=lambda r: r["id"])):
            for column, value in truth.items():
                if same(row[column], value, types[column]):
                    kept += 1
                elif row[column] is None and types[column].startswith("bytea"):
                    lost += 1
                else:
                    raise Wrong(f"toast-base64-loss {name} {column}: {row[column]!r}, not {value!r}")
    if not lost or not kept:
        raise Wrong(f"toast-base64-loss: {lost} cells lost, {kept} kept: the case shows nothing")
    print(f"toast-base64-loss: {lost} cells are lost, as they must be; {kept} are there")


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test."))
    os.environ["XDG_CACHE_HOME"] = str(work / "cache")
    try:
        for case in sys.argv[1:] or ["shop", "precise", "replay", "toast-types"]:
            check_case(case, work)
        check_loss(work)
    except Wrong as wrong:
        sys.exit(f"{wrong}\nkept: {work}")
    shutil.rmtree(work)


main()
