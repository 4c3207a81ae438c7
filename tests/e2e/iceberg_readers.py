"""Promise: tables written by our code are read by PyIceberg and DuckDB with the same rows, at each step of their life."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/readers"))
from canonical import rows  # noqa: E402
from digest import load_duckdb, metadata_file  # noqa: E402
from reachable import orphans  # noqa: E402

UUID = re.compile(r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')
TOOL = pathlib.Path(os.environ["SURFBOARD"]).parent / "tools/iceberg_rows"


def pyiceberg(table):
    from pyiceberg.table import StaticTable
    return StaticTable.from_metadata(metadata_file(table).as_uri())


def duckdb(table):
    """The rows as text; DuckDB hands uuids out as text with dashes."""
    found = load_duckdb().execute(f"SELECT * FROM iceberg_scan('{metadata_file(table)}')")
    return [UUID.sub(lambda m: m[0].replace("-", ""), line) for line in rows(found.to_arrow_table())]


def compare(what, expected, found):
    ours, theirs = sorted(expected), sorted(found)
    if ours == theirs:
        return
    missing, extra = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    sys.exit(f"{what}: {len(ours)} rows written, {len(theirs)} read\n"
             f"  only written: {missing[:2]}\n  only read:    {extra[:2]}")


def run(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"iceberg_rows {arguments}: exit {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def check_summary(table):
    """What the summary counts is what the manifests hold, as PyIceberg reads them."""
    loaded = pyiceberg(table)
    snapshot = loaded.current_snapshot()
    if snapshot is None:
        return
    entries = [entry for manifest in snapshot.manifests(loaded.io)
               for entry in manifest.fetch_manifest_entry(loaded.io, discard_deleted=True)]
    files = [entry.data_file for entry in entries]
    data = [f for f in files if f.content == 0]
    deletes = [f for f in files if f.content == 1]
    summary = snapshot.summary.additional_properties
    wanted = {"total-data-files": len(data),
              "total-delete-files": len(deletes),
              "total-records": sum(f.record_count for f in data),
              "total-position-deletes": sum(f.record_count for f in deletes),
              "total-files-size": sum(f.file_size_in_bytes for f in files)}
    for key, value in wanted.items():
        if int(summary[key]) != value:
            sys.exit(f"{table}: {key} is {summary[key]} in the summary, {value} in the manifests")
    for file in files:
        size = os.path.getsize(file.file_path.removeprefix("file://"))
        if size != file.file_size_in_bytes:
            sys.exit(f"{file.file_path}: {size} bytes, the manifest says {file.file_size_in_bytes}")
    for entry in entries:
        if not 0 < entry.sequence_number <= snapshot.sequence_number:
            sys.exit(f"{entry.data_file.file_path}: sequence number {entry.sequence_number}")


def check_partitions(table, expected):
    """Pruning by our partition values and bounds loses no row."""
    from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, IsNull
    loaded = pyiceberg(table)
    compare("pyiceberg, all rows", expected, rows(loaded.scan().to_arrow()))
    compare("duckdb, all rows", expected, duckdb(table))
    tests = {
        "name is null": (IsNull("name"), lambda line: ', null, ' in line),
        "name = a": (EqualTo("name", "a"), lambda line: ', "a", ' in line),
        "id = 17": (EqualTo("id", 17), lambda line: line.startswith("[17, ")),
        "at >= 1970": (GreaterThanOrEqual("at", "1970-01-01T00:00:00"),
                       lambda line: int(line.rsplit(", ", 1)[1].rstrip("]")) >= 0),
    }
    for what, (expression, wanted) in tests.items():
        found = loaded.scan(row_filter=expression)
        compare(f"pyiceberg, {what}", [e for e in expected if wanted(e)], rows(found.to_arrow()))
        plan = list(found.plan_files())
        everything = list(loaded.scan().plan_files())
        if not len(plan) < len(everything):
            sys.exit(f"{what}: no file was pruned ({len(plan)} of {len(everything)})")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for seed, steps in ((1, 1), (2, 3), (3, 8), (4, 20), (5, 40), (6, 40), (7, 60)):
            table = os.path.join(scratch, f"t{seed}")
            expected = run("write", seed, table, steps)
            compare(f"seed {seed}, pyiceberg", expected, rows(pyiceberg(table).scan().to_arrow()))
            compare(f"seed {seed}, duckdb", expected, duckdb(table))
            check_summary(table)
            left = orphans(table)
            if left:
                sys.exit(f"seed {seed}: files that nothing reaches: {left}")
            print(f"seed {seed}: {steps} steps, {len(expected)} rows equal in PyIceberg and DuckDB")
        table = os.path.join(scratch, "partitioned")
        check_partitions(table, run("partitioned", 1, table))
        check_summary(table)
        print("partitioned: rows equal, pruned scans lose none")


main()
