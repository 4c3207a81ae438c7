"""generated.py: workloads of tests/tools/cdcgen, which come with the answer, and its checksum.

The sum over all rows of the first 15 hex digits of the MD5 of the row's canonical text, taken by
DuckDB over a Parquet file or an Iceberg table (its own reader, not ours).
"""
import json
import os
import pathlib
import subprocess
import threading

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg

# How each of the generator's types becomes text for the checksum, where a plain cast won't do.
TEXT = {"timestamp": "epoch_us({})::VARCHAR", "date": "({}::DATE - DATE '1970-01-01')::VARCHAR",
        "double": "({} * 64)::BIGINT::VARCHAR"}


OPEN = threading.local()  # loading the extensions takes longer than most reads


def connect(iceberg=False):
    if iceberg and hasattr(OPEN, "connection"):
        return OPEN.connection
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET threads = 2; SET preserve_insertion_order = false")
    # A test puts other files under the same names.
    connection.execute("SET enable_external_file_cache = false")
    if iceberg:
        OPEN.connection = connection
    for module in (duckdb_extension_avro, duckdb_extension_iceberg) if iceberg else ():
        for extension in pathlib.Path(module.__file__).parent.rglob("*.duckdb_extension"):
            connection.execute(f"LOAD '{extension}'")
    return connection


def checksum(columns, path, iceberg=False):
    """(rows, sum as text) of a Parquet file, or of an Iceberg metadata file."""
    texts = []
    for column in columns:
        name = f'"{column["name"]}"'
        texts.append(f"coalesce({TEXT.get(column['type'], '{}::VARCHAR').format(name)}, '\\N')")
    relation = f"iceberg_scan('{path}')" if iceberg else f"'{path}'"
    return connect(iceberg).execute(
        f"SELECT count(*), coalesce(sum(('0x' || substr(md5(concat_ws('|', {', '.join(texts)})), 1, 15))::BIGINT"
        f"::HUGEINT), 0)::VARCHAR FROM {relation}").fetchone()


class Workload:
    """One run of the generator in `folder`, all batches in one tree (--layout flat)."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        generator = os.environ.get("SURFBOARD_CDCGEN", ".build/tools/cdcgen")
        mark = self.folder / "options"
        if not (mark.is_file() and mark.read_text() == " ".join(options)):
            subprocess.run([generator, "--out", self.folder, "--layout", "flat", *options], check=True,
                           stdout=subprocess.DEVNULL)
            mark.write_text(" ".join(options))
        document = json.loads((self.folder / "schema.json").read_text())
        self.topic, self.columns, self.keys = document["topic"], document["columns"], document["primary_key"]
        self.schema_file = self.folder / "surfboard.json"
        self.expected = [json.loads(line) for line in (self.folder / "expect.jsonl").read_text().splitlines()]
        names = (self.folder / "files.txt").read_text().split()
        self.files = []  # of each batch, in arrival order
        for line in self.expected:
            self.files.append(names[:line["files"]])
            names = names[line["files"]:]
        assert not names, "files.txt and expect.jsonl disagree"

    def answer(self, batch):
        return self.expected[batch]["rows"], self.expected[batch]["sum"]

    def arrive(self, name, bucket):
        """One file lands in `bucket`, visible at once as a whole."""
        target = pathlib.Path(bucket) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(self.folder / name, target)
