"""Promise: each snapshot of each table that Trino wrote scans to the rows Trino answers."""
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/readers"))
from digest import differences, schema_of  # noqa: E402
from values import from_json, text_of  # noqa: E402

# Data files that are not Parquet: refused, by name, from the snapshot on that has the first of them.
FOREIGN_FORMATS = {"formats"}


def scan(location, *options):
    return subprocess.run([os.environ["SURFBOARD"], "scan", str(location), "--format", "json", *options],
                          capture_output=True, text=True)


def compare(what, fields, run, expected):
    """True when the scan's rows are the expected ones, cell by cell and column by column."""
    if run.returncode:
        print(f"{what}: exit {run.returncode}: {run.stderr}")
        return False
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    names = [name for name, _ in expected["columns"]]
    for row in rows:
        if list(row) != names:
            print(f"{what}: columns {list(row)}, expected {names}")
            return False
    kinds = [f["type"] for f in fields]
    ours = [text_of([from_json(k, row[n]) for k, n in zip(kinds, names)]) for row in rows]
    theirs = [text_of([from_json(k, v) for k, v in zip(kinds, row)]) for row in expected["rows"]]
    return not differences("surfboard " + what, ours, "trino " + what, theirs)


def refused(what, run):
    if run.returncode == 7 and any(word in run.stderr.lower() for word in ("orc", "avro")):
        return True
    print(f"{what}: exit {run.returncode}, expected 7 and the format's name: {run.stderr}{run.stdout}")
    return False


def check_case(case):
    """(snapshots checked, all well) of one table."""
    row = json.loads((case / "catalog-row.json").read_text())
    metadata = case / row["metadata_location"].replace("s3://", "")
    expected = json.loads((case / "expected.json").read_text())
    document = json.loads(metadata.read_text())
    schemas = {s["schema-id"]: s["fields"] for s in document["schemas"]}
    of_snapshot = {s["snapshot-id"]: s for s in document["snapshots"]}
    good = True
    for snapshot in expected["snapshots"]:
        number = snapshot["snapshot_id"]
        what = f"{case.name} at {number}"
        run = scan(metadata, "--snapshot", str(number))
        if case.name in FOREIGN_FORMATS and snapshot["rows"]:
            good &= refused(what, run)
        else:
            good &= compare(what, schemas[of_snapshot[number]["schema-id"]], run, snapshot)
    if case.name in FOREIGN_FORMATS:
        good &= refused(case.name, scan(metadata))
    else:
        good &= compare(case.name, schema_of(metadata), scan(metadata), expected["final"])
        folder = scan(metadata.parents[1])
        good &= compare(case.name + " by folder", schema_of(metadata), folder, expected["final"])
        count = subprocess.run([os.environ["SURFBOARD"], "scan", str(metadata), "--count"],
                               capture_output=True, text=True)
        if count.stdout.strip() != str(len(expected["final"]["rows"])):
            print(f"{case.name} --count: {count.stdout!r} {count.stderr}")
            good = False
    return len(expected["snapshots"]), good


def main():
    cases = sorted(p.parent for p in (ROOT / "tests/fixtures/iceberg").glob("*/catalog-row.json"))
    results = [check_case(case) for case in cases]
    print(f"{len(cases)} tables, {sum(n for n, _ in results)} snapshots, "
          f"{sum(1 for _, good in results if not good)} tables differ")
    return 0 if cases and all(good for _, good in results) else 1


sys.exit(main())
