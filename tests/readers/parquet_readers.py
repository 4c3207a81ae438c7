"""Cross-reader test of core/parquet: our files read by Arrow and DuckDB, theirs (and Trino's
fixtures) read by us, compared row by row as canonical text (canonical.py).

    parquet_readers.py --tool PARQUET_ROWS --fixtures FOLDER --work FOLDER

Prints what it did; exit 0 when everything is equal, 1 otherwise.
"""
import argparse
import datetime
import decimal
import math
import pathlib
import random
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import canonical
import page_index


class Run:
    def __init__(self, tool, work):
        self.tool, self.work = tool, pathlib.Path(work)
        self.checks = self.failures = 0
        self.duck = duckdb.connect()
        self.duck.sql("SET arrow_lossless_conversion = true")
        self.duck.sql("SET TimeZone = 'UTC'")

    def verdict(self, what, difference):
        self.checks += 1
        if difference:
            self.failures += 1
            print("DIFFERS %s: %s" % (what, difference))

    def ours(self, *arguments):
        """Lines of our tool; its error as the only line when it fails."""
        done = subprocess.run([self.tool, *map(str, arguments)], capture_output=True)
        if done.returncode:
            return ["exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))]
        return done.stdout.decode().split("\n")[:-1]

    def duck_rows(self, path):
        result = self.duck.sql("SELECT * FROM read_parquet('%s')" % path).arrow()
        return canonical.rows(result if isinstance(result, pa.Table) else result.read_all())


# ---- ours, read by others ----

def statistics_difference(path):
    """Whether the footer's bounds and null counts are those of the values, by Arrow."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        for i, field in enumerate(file.schema_arrow):
            leaves = [c for c in range(file.metadata.num_columns)
                      if file.metadata.row_group(group).column(c).path_in_schema == field.name]
            if not leaves:
                continue  # nested
            found = file.metadata.row_group(group).column(leaves[0]).statistics
            values = [v for v in table.column(i).to_pylist() if v is not None]
            if found.null_count != table.num_rows - len(values):
                return "null count of %s in group %d" % (field.name, group)
            values = [v for v in values if not (isinstance(v, float) and math.isnan(v))]
            if isinstance(field.type, pa.UuidType):
                values = [v.bytes for v in values]
            if found.has_min_max != bool(values):
                return "bounds of %s in group %d: there or not" % (field.name, group)
            if not values:
                continue
            low, high = found.min, found.max
            if (low, high) != (min(values), max(values)):
                return "bounds of %s in group %d: %r .. %r, not %r .. %r" % (
                    field.name, group, low, high, min(values), max(values))
    return None


def check_written(run):
    for seed in range(16):
        rows = (0, 1, 7, 900, 1300)[seed % 5]
        path = run.work / ("ours-%d.parquet" % seed)
        text = run.ours("write", seed, rows, path)
        what = "our file, seed %d, %d rows" % (seed, rows)
        run.verdict(what + ", by us", canonical.first_difference(run.ours("read", path), text))
        table = pq.read_table(path, page_checksum_verification=True)
        run.verdict(what + ", by Arrow", canonical.first_difference(text, canonical.rows(table)))
        run.verdict(what + ", by DuckDB", canonical.first_difference(text, run.duck_rows(path)))
        run.verdict(what + ", statistics", statistics_difference(path))
        fault, checked = page_index.difference(path)
        run.verdict(what + ", page index", fault or (rows and not checked and "no index was found"))
        # DuckDB prunes by our statistics: every value must still be found.
        if rows:
            for column in ("c1", "c2", "c6", "c10"):
                lost = run.duck.sql(
                    "WITH v AS MATERIALIZED (SELECT DISTINCT %s AS k FROM read_parquet('%s') "
                    "WHERE %s IS NOT NULL ORDER BY k LIMIT 1) SELECT count(*) FROM v "
                    "WHERE (SELECT count(*) FROM read_parquet('%s') p WHERE p.%s = v.k) = 0"
                    % (column, path, column, path, column)).fetchone()[0]
                run.verdict(what + ", pruning " + column, "a value is lost" if lost else None)


# ---- theirs, read by us ----

def sample(rows, seed):
    """A table of every kind of column that Arrow can write."""
    draw = random.Random(seed)

    def column(kind, make, holes=0.2):
        return pa.array([None if draw.random() < holes else make() for _ in range(rows)], kind)

    def words():
        return " ".join(draw.choice(["surf", "board", "été", "", "波"]) for _ in range(draw.randint(0, 4)))

    day = datetime.date(2024, 2, 29)
    instant = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    utc = instant.replace(tzinfo=datetime.timezone.utc)

    def later(base):
        return base + datetime.timedelta(days=draw.randint(-20000, 20000),
                                         microseconds=draw.randint(0, 10**10))

    return pa.table({
        "bool": column(pa.bool_(), lambda: draw.random() < 0.5),
        "required": pa.array(range(rows), pa.int64()),
        "int8": column(pa.int8(), lambda: draw.randint(-128, 127)),
        "uint16": column(pa.uint16(), lambda: draw.randint(0, 65535)),
        "int32": column(pa.int32(), lambda: draw.randint(-2**31, 2**31 - 1)),
        "uint32": column(pa.uint32(), lambda: draw.randint(0, 2**32 - 1)),
        "int64": column(pa.int64(), lambda: draw.choice([-2**63, 2**63 - 1, draw.randint(-9, 9)])),
        "uint64": column(pa.uint64(), lambda: draw.randint(0, 2**64 - 1)),
        "half": column(pa.float16(), lambda: draw.choice([0.0, -1.5, 65504.0, 6e-8])),
        "float": column(pa.float32(), lambda: draw.choice([float("nan"), float("inf"), -0.0, 1.25])),
        "double": column(pa.float64(), lambda: draw.uniform(-1e9, 1e9)),
        "dec5": column(pa.decimal128(5, 2), lambda: decimal.Decimal(draw.randint(-99999, 99999)) / 100),
        "dec15": column(pa.decimal128(15, 0), lambda: decimal.Decimal(draw.randint(-10**14, 10**14))),
        "dec38": column(pa.decimal128(38, 9), lambda: decimal.Decimal(draw.randint(-10**28, 10**28))),
        "text": column(pa.string(), words),
        "few": column(pa.string(), lambda: draw.choice(["a", "b", "c"])),
        "bytes": column(pa.binary(), lambda: draw.randbytes(draw.randint(0, 9))),
        "fixed": column(pa.binary(5), lambda: draw.randbytes(5)),
        "date": column(pa.date32(), lambda: day + datetime.timedelta(draw.randint(-90000, 90000))),
        "time_ms": column(pa.time32("ms"), lambda: datetime.time(draw.randint(0, 23), 5, 6, 7000)),
        "time_us": column(pa.time64("us"), lambda: datetime.time(draw.randint(0, 23), 5, 6, 7)),
        "ts_us": column(pa.timestamp("us"), lambda: later(instant)),
        "tz_us": column(pa.timestamp("us", "UTC"), lambda: later(utc)),
        "ts_ms": column(pa.timestamp("ms"), lambda: instant.replace(microsecond=5000)),
        "ts_ns": column(pa.timestamp("ns"), lambda: later(instant)),
        "nulls": pa.array([None] * rows, pa.int32()),
        "list": column(pa.list_(pa.int32()), lambda: [draw.choice([None, 1, 2]) for _ in range(draw.randint(0, 5))]),
        "lists": column(pa.list_(pa.list_(pa.string())),
                        lambda: [draw.choice([None, [], ["x", None]]) for _ in range(draw.randint(0, 3))]),
        "map": column(pa.map_(pa.string(), pa.int64()),
                      lambda: [(k, draw.choice([None, 7])) for k in draw.sample("abc", draw.randint(0, 3))]),
        "struct": column(pa.struct([("x", pa.int32()), ("y", pa.struct([("z", pa.list_(pa.bool_()))]))]),
                         lambda: {"x": draw.choice([None, 3]),
                                  "y": draw.choice([None, {"z": None}, {"z": [True, None]}])}),
    })


ARROW = {
    "v1": {},
    "v2 pages": {"data_page_version": "2.0", "compression": "zstd"},
    "gzip": {"compression": "gzip", "data_page_size": 500},
    "lz4": {"compression": "lz4", "data_page_version": "2.0"},
    "no codec, plain": {"compression": "none", "use_dictionary": False},
    "v2, no codec": {"compression": "none", "data_page_version": "2.0", "data_page_size": 300},
    "page index": {"write_page_index": True, "data_page_size": 200, "row_group_size": 300},
    "checksums": {"write_page_checksum": True, "compression": "zstd"},
    "small dictionary": {"dictionary_pagesize_limit": 100, "data_page_size": 400},
    "deltas": {"use_dictionary": False, "data_page_version": "2.0", "column_encoding": {
        "int32": "DELTA_BINARY_PACKED", "int64": "DELTA_BINARY_PACKED", "required": "DELTA_BINARY_PACKED",
        "date": "DELTA_BINARY_PACKED", "ts_us": "DELTA_BINARY_PACKED", "bool": "RLE",
        "text": "DELTA_BYTE_ARRAY", "few": "DELTA_LENGTH_BYTE_ARRAY", "bytes": "DELTA_BYTE_ARRAY",
        "fixed": "DELTA_BYTE_ARRAY", "dec38": "DELTA_BYTE_ARRAY", "nulls": "DELTA_BINARY_PACKED"}},
    "split": {"use_dictionary": False, "column_encoding": {
        "float": "BYTE_STREAM_SPLIT", "double": "BYTE_STREAM_SPLIT", "int32": "BYTE_STREAM_SPLIT",
        "int64": "BYTE_STREAM_SPLIT", "fixed": "BYTE_STREAM_SPLIT", "half": "BYTE_STREAM_SPLIT",
        "text": "DELTA_LENGTH_BYTE_ARRAY"}},
    "decimals as integers": {"store_decimal_as_integer": True},
}


def check_arrow(run):
    table = sample(1200, 7)
    for name, options in ARROW.items():
        path = run.work / "arrow.parquet"
        options = {"row_group_size": 500, "store_schema": False, **options}
        pq.write_table(table, path, **options)
        theirs = canonical.rows(pq.read_table(path))
        run.verdict("Arrow's file, %s" % name, canonical.first_difference(run.ours("read", path), theirs))
        for first, count in ((0, 1), (499, 2), (777, 100), (1199, 1)):
            run.verdict("Arrow's file, %s, rows %d + %d" % (name, first, count), canonical.first_difference(
                run.ours("read", path, first, count), theirs[first:first + count]))
    # INT96, which has no zone and nanoseconds.
    path = run.work / "int96.parquet"
    pq.write_table(table.select(["ts_us", "ts_ns"]), path, use_deprecated_int96_timestamps=True)
    run.verdict("Arrow's file, INT96", canonical.first_difference(
        run.ours("read", path), canonical.rows(pq.read_table(path))))


DUCK = """
SELECT i::INTEGER AS i, (i * 7919 %% 1000)::BIGINT AS few, hash(i) AS unsigned64,
    CASE WHEN i %% 5 = 0 THEN NULL ELSE 'text ' || (i %% 97) END AS t, (i / 7.0)::DOUBLE AS d, (i / 3.0)::FLOAT AS f,
    (i %% 3 = 0) AS b, (i / 100.0)::DECIMAL(9, 2) AS dec9, (i * 1000003)::DECIMAL(30, 5) AS dec30,
    md5(i::VARCHAR)::UUID AS u, DATE '2024-02-29' + i::INTEGER AS day, TIME '10:20:30.5' AS clock,
    TIMESTAMP '2024-02-29 12:00:00' + to_microseconds(i * 1234567) AS ts,
    TIMESTAMPTZ '1969-02-28 12:00:00+00' + to_microseconds(i * 1234567) AS tz,
    encode(repeat('x', (i %% 20)::INTEGER)) AS raw, [i, NULL, i + 1] AS list,
    CASE WHEN i %% 4 = 0 THEN NULL ELSE {'a': i, 'b': ['x', NULL]} END AS st, MAP {'k': i, 'l': NULL} AS m
FROM range(%d) r(i)
"""


def check_duckdb(run):
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "lz4_raw"):
        for version in ("V1", "V2"):
            path = run.work / "duck.parquet"
            run.duck.sql("COPY (%s) TO '%s' (FORMAT parquet, COMPRESSION '%s', PARQUET_VERSION '%s', "
                         "ROW_GROUP_SIZE 2048)" % (DUCK % 5000, path, codec, version))
            run.verdict("DuckDB's file, %s, %s" % (codec, version),
                        canonical.first_difference(run.ours("read", path), run.duck_rows(path)))


def check_fixtures(run, fixtures):
    files = sorted(pathlib.Path(fixtures).rglob("*.parquet"))
    if not files:
        run.verdict("fixtures", "no Parquet file below %s" % fixtures)
    for path in files:
        table = pq.ParquetFile(path).read()
        run.verdict("Trino's %s" % path.name, canonical.first_difference(
            run.ours("read", path), canonical.rows(table)))
    return len(files)


def main():
    options = argparse.ArgumentParser()
    for name in ("--tool", "--fixtures", "--work"):
        options.add_argument(name, required=True)
    chosen = options.parse_args()
    run = Run(chosen.tool, chosen.work)
    check_written(run)
    print("ours, read by Arrow %s and DuckDB %s: %d checks" % (pa.__version__, duckdb.__version__, run.checks))
    before = run.checks
    check_arrow(run)
    check_duckdb(run)
    print("theirs, read by us: %d checks" % (run.checks - before))
    print("Trino's fixtures, read by us: %d files" % check_fixtures(run, chosen.fixtures))
    print("%d checks, %d differ" % (run.checks, run.failures))
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
