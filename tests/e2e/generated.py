"""Promise: generated changes of every shape merge to the generator's own answer, batch by batch and in one go."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/readers"))
from digest import command_same, metadata_file  # noqa: E402
from generated import Workload, checksum  # noqa: E402

SIZES = ["--rows", "3000", "--events", "1200", "--batches", "3", "--file-rows", "500"]
SHAPES = {
    "narrow": [],
    "wide": ["--profile", "wide", "--skew", "zipf"],
    "uuid keys, zstd": ["--pk", "uuid", "--format", "zst"],
    "composite keys, gzip, 3 partitions": ["--pk", "composite", "--format", "gz", "--partitions", "3"],
    "schemas, no tombstones": ["--schemas", "--tombstones", "0", "--profile", "wide"],
    "default identity, unavailable values": ["--before", "key", "--toast", "40", "--profile", "wide"],
    "key changes": ["--pk-update", "15", "--reinsert", "30"],
    "COPY, repeats": ["--copy", "30", "--replay", "40", "--noop", "20"],
    "all at once": ["--profile", "wide", "--before", "key", "--toast", "30", "--pk-update", "10", "--copy", "20",
                    "--replay", "20", "--noop", "10", "--reinsert", "30", "--skew", "latest"],
}


def merge(work, bucket, table):
    run = subprocess.run([os.environ["SURFBOARD"], "merge", "--deltas", bucket / work.topic, "--schema",
                          work.schema_file, "--table", table, "--json", "--durability", "none"],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"merge: exit {run.returncode}\n{run.stdout}{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, expected {wanted}")


def check_counts(what, summary, expected):
    """The summary must tell what happened, not only get the rows right."""
    check(f"{what}: state", summary["state"], "committed")
    changed = summary["inserted"] + summary["updated"] + summary["deleted"]
    if not expected["noops"]:
        check(f"{what}: keys changed", changed, expected["keys_changed"])
    check(f"{what}: repeats", summary["repeats"], expected["replayed"])


def in_batches(name, work, home):
    """Each batch as it arrives; a second merge of nothing new does nothing."""
    bucket, table = home / "bucket", home / "table"
    for number, expected in enumerate(work.expected):
        for file in work.files[number]:
            work.arrive(file, bucket)
        summary = merge(work, bucket, table)
        if number:
            check_counts(f"{name}, batch {number}", summary, expected)
        found = checksum(work.columns, metadata_file(str(table)), iceberg=True)
        check(f"{name}, batch {number}", found, work.answer(number))
        check(f"{name}, batch {number} again", merge(work, bucket, table)["state"], "nothing-to-do")
    if command_same(str(table), None, []):
        sys.exit(f"{name}: the readers differ")


def in_other_splits(name, work, home):
    """One file a merge, then everything in one merge: the same rows."""
    last = len(work.expected) - 1
    for split in ("file by file", "one merge"):
        bucket, table = home / f"bucket {split}", home / f"table {split}"
        for file in (file for files in work.files for file in files):
            work.arrive(file, bucket)
            if split == "file by file":
                merge(work, bucket, table)
        if split == "one merge":
            merge(work, bucket, table)
        found = checksum(work.columns, metadata_file(str(table)), iceberg=True)
        check(f"{name}, {split}", found, work.answer(last))


def main():
    for seed, (name, options) in enumerate(SHAPES.items(), 1):
        home = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test."))
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        work = Workload(home / "source", "--seed", str(seed), *SIZES, *options)
        in_batches(name, work, home)
        in_other_splits(name, work, home)
        shutil.rmtree(home)
        print(f"{name}: {work.answer(len(work.expected) - 1)[0]} rows", flush=True)


main()
