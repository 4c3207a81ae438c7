#!/usr/bin/env python3
"""digest.py: equality of tables by digest and by rows, never by counts.

    digest.py digest READER TABLE              prints {"rows": N, "digest": "…"}
    digest.py same TABLE [READER...]           all readers see the same rows (default: all three)
    digest.py diff READER TABLE READER TABLE   the same for two tables; the columns of the first

READER is surfboard (its own scan, $SURFBOARD), pyiceberg, duckdb, or rows (a file of JSON lines in
the form of `surfboard scan --format json`; its TABLE is FILE@TABLE, the table giving the types).
TABLE is a table's folder or metadata file. `--ignore COLUMN` leaves a column out (may be repeated).
The digest is the sum of each row's SHA-256, so order does not matter and repeats count.
Exit 1 on a difference, with the first rows that only one side has.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from values import from_arrow, from_json, text_of  # noqa: E402

SHOWN = 10


def metadata_file(table):
    path = pathlib.Path(table.removeprefix("file://").removeprefix("file:"))
    if path.is_file():
        return path
    folder = path / "metadata"
    hint = folder / "version-hint.text"
    versions = {int(p.name[1:].split(".")[0]): p for p in folder.glob("v*.metadata.json")}
    if versions:  # the hint may lag behind; a higher file decides
        start = int(hint.read_text()) if hint.is_file() else max(versions)
        return versions[max(v for v in versions if v >= start)]
    files = sorted(folder.glob("*.metadata.json"))
    if not files:
        sys.exit(f"digest.py: no metadata below {folder}")
    return files[-1]


def schema_of(path):
    metadata = json.loads(path.read_text())
    schemas = {s["schema-id"]: s for s in metadata["schemas"]}
    return schemas[metadata["current-schema-id"]]["fields"]


def arrow_rows(fields, table):
    columns = [from_arrow(f["type"], table.column(f["name"])) for f in fields]
    return [list(row) for row in zip(*columns)] if columns else []


def read_pyiceberg(table, fields):
    from pyiceberg.table import StaticTable
    loaded = StaticTable.from_metadata(metadata_file(table).as_uri())
    return arrow_rows(fields, loaded.scan(selected_fields=tuple(f["name"] for f in fields)).to_arrow())


def load_duckdb():
    """A connection with the Iceberg extension."""
    import duckdb
    import duckdb_extension_avro
    import duckdb_extension_iceberg
    connection = duckdb.connect()
    for module in (duckdb_extension_avro, duckdb_extension_iceberg):
        folder = pathlib.Path(module.__file__).parent / "extensions"
        for extension in folder.rglob("*.duckdb_extension"):
            connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def read_duckdb(table, fields):
    connection = load_duckdb()
    names = ", ".join('"' + f["name"].replace('"', '""') + '"' for f in fields)
    where = str(metadata_file(table)).replace("'", "''")
    found = connection.execute(f"SELECT {names} FROM iceberg_scan('{where}')").to_arrow_table()
    return arrow_rows(fields, found)


def json_rows(lines, fields):
    for line in lines:
        row = json.loads(line)
        yield [from_json(f["type"], row[f["name"]]) for f in fields]


def read_surfboard(table, fields):
    command = [os.environ["SURFBOARD"], "scan", table, "--format", "json", "--columns",
               ",".join(f["name"] for f in fields)]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return list(json_rows(run.stdout.decode().splitlines(), fields))


def read_rows(table, fields):
    with open(table.rpartition("@")[0], encoding="utf-8") as lines:
        return list(json_rows(lines, fields))


READERS = {"surfboard": read_surfboard, "pyiceberg": read_pyiceberg, "duckdb": read_duckdb,
           "rows": read_rows}


def digest_of(texts):
    total = sum(int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")
                for text in texts)
    return format(total % (1 << 256), "064x")


def read(reader, table, ignore, fields=None):
    fields = fields or schema_of(metadata_file(table.rpartition("@")[2] if reader == "rows" else table))
    fields = [f for f in fields if f["name"] not in ignore]
    return fields, [text_of(row) for row in READERS[reader](table, fields)]


def differences(left_name, left, right_name, right):
    """Prints what only one side has; true when there is anything."""
    ours, theirs = collections.Counter(left), collections.Counter(right)
    for name, only in ((left_name, ours - theirs), (right_name, theirs - ours)):
        rows = sorted(only.elements())
        for row in rows[:SHOWN]:
            print(f"only {name}: {row[:2000]}")
        if len(rows) > SHOWN:
            print(f"only {name}: {len(rows) - SHOWN} rows more")
    return ours != theirs


def command_same(table, readers, ignore):
    readers = readers or ["surfboard", "pyiceberg", "duckdb"]
    fields, first = read(readers[0], table, ignore)
    bad = False
    for reader in readers[1:]:
        other = read(reader, table, ignore, fields)[1]
        if digest_of(other) != digest_of(first):
            bad |= differences(readers[0], first, reader, other) or sys.exit("digests lie")
    names = " ".join(readers)
    print(f"{'DIFFERENT' if bad else 'same'}: {table}: {len(first)} rows, {digest_of(first)[:16]} ({names})")
    return 1 if bad else 0


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("command", choices=("digest", "same", "diff"))
    options.add_argument("words", nargs="+")
    options.add_argument("--ignore", action="append", default=[])
    chosen = options.parse_intermixed_args()
    words = chosen.words
    if chosen.command == "same":
        return command_same(words[0], words[1:], chosen.ignore)
    fields, left = read(words[0], words[1], chosen.ignore)
    if chosen.command == "digest":
        print(json.dumps({"rows": len(left), "digest": digest_of(left)}))
        return 0
    right = read(words[2], words[3], chosen.ignore, fields)[1]
    same = digest_of(left) == digest_of(right)
    if not same:
        print(f"DIFFERENT: {words[1]} ({words[0]}: {len(left)} rows) and {words[3]} ({words[2]}: {len(right)} rows)")
        differences(words[0] + " " + words[1], left, words[2] + " " + words[3], right)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
