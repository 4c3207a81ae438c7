"""Promise: a table follows its source: columns come, widen and go; rollbacks, small memory, many batches, lost values."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))


def fail(text):
    sys.exit(text)


class Table:
    def __init__(self, home):
        self.home, self.topic, self.offset = home, home / "p.public.t", 0
        (self.topic / "0").mkdir(parents=True)
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")

    def schema(self, **columns):
        """The schema file as it is from now on."""
        (self.home / "schema.json").write_text(json.dumps({
            "name": "t", "primary_key": ["id"],
            "columns": [{"name": "id", "type": "integer"}] +
                       [{"name": name, "type": kind} for name, kind in columns.items()]}))

    def change(self, op, number, **values):
        lsn = 1000 + self.offset
        line = {"key": {"id": number}, "offset": self.offset, "value": {
            "op": op, "before": None, "after": {"id": number, **values} if op != "d" else None,
            "source": {"sequence": json.dumps([str(lsn), str(lsn)]), "lsn": lsn, "txId": lsn, "ts_us": lsn}}}
        (self.topic / "0" / f"{self.offset:020d}.jsonl").write_text(json.dumps(line))
        self.offset += 1

    def merge(self, *more, code=0):
        done = subprocess.run([SURFBOARD, "merge", "--deltas", self.topic, "--schema", self.home / "schema.json",
                               "--table", self.home / "table", "--json", "--durability", "none", *more],
                              capture_output=True, text=True)
        if done.returncode != code:
            fail(f"merge: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def expect(self, *rows):
        done = subprocess.run([SURFBOARD, "scan", self.home / "table", "--format", "json"], capture_output=True,
                              text=True)
        found = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda row: row["id"])
        for row in found:
            row.pop("ds_surf_batch_id")
        if found != list(rows):
            fail(f"rows are\n{found}\nnot\n{list(rows)}\n{done.stderr}")

    def fields(self):
        from pyiceberg.table import StaticTable
        version = (self.home / "table/metadata/version-hint.text").read_text().strip()
        table = StaticTable.from_metadata((self.home / f"table/metadata/v{version}.metadata.json").as_uri())
        return {field.name: (field.field_id, str(field.field_type)) for field in table.schema().fields}

    def property(self):
        version = (self.home / "table/metadata/version-hint.text").read_text().strip()
        metadata = json.loads((self.home / f"table/metadata/v{version}.metadata.json").read_text())
        return metadata


def play(home):
    table = Table(home)
    table.schema(a="integer", b="text", p="numeric(5,2)")
    table.change("c", 1, a=1, b="one", p="1.50")
    table.change("c", 2, a=2, b="two", p="2.50")
    table.merge()
    first = table.fields()

    # Added and widened: old rows keep their values, ids of old columns stay.
    table.schema(a="bigint", b="text", p="numeric(9,2)", c="date")
    table.change("u", 2, a=5_000_000_000, b="two", p="1234567.89", c=19000)
    table.merge()
    table.expect({"id": 1, "a": 1, "b": "one", "p": "1.50", "c": None},
                 {"id": 2, "a": 5_000_000_000, "b": "two", "p": "1234567.89", "c": "2022-01-08"})
    second = table.fields()
    if second["a"] != (first["a"][0], "long") or second["p"] != (first["p"][0], "decimal(9, 2)"):
        fail(f"widened columns are {second}, after {first}")

    # Dropped: stays, and is null in every row that is written from now on.
    table.schema(a="bigint", p="numeric(9,2)", c="date")
    table.change("u", 2, a=3, p="3.00", c=None)
    table.change("c", 3, a=4, p=None, c=None)
    table.merge()
    table.expect({"id": 1, "a": 1, "b": "one", "p": "1.50", "c": None},
                 {"id": 2, "a": 3, "b": None, "p": "3.00", "c": None},
                 {"id": 3, "a": 4, "b": None, "p": None, "c": None})

    # Dropped and added again: another column, with another id; old values do not come back.
    table.schema(a="bigint", p="numeric(9,2)", c="date", b="boolean")
    table.change("u", 3, a=4, p=None, c=None, b=True)
    table.merge()
    table.expect({"id": 1, "a": 1, "p": "1.50", "c": None, "b": None},
                 {"id": 2, "a": 3, "p": "3.00", "c": None, "b": None},
                 {"id": 3, "a": 4, "p": None, "c": None, "b": True})
    third = table.fields()
    if third["b"][0] <= max(identity for identity, _ in second.values()) or third["b"][1] != "boolean":
        fail(f"a column that came again is {third['b']}, before {second['b']}")

    # What Iceberg does not allow: refused with the reason, nothing changed.
    table.schema(a="text", p="numeric(9,2)", c="date", b="boolean")
    table.change("c", 4, a="x", p=None, c=None, b=None)
    summary = table.merge(code=3)
    if "column \"a\"" not in summary["error"]["message"] or not summary["error"]["remedy"]:
        fail(f"the error does not say what to do: {summary['error']}")
    table.schema(a="bigint", p="numeric(9,2)", c="date", b="boolean")
    table.change("c", 4, a=4, p=None, c=None, b=None)
    print("columns followed")


def roll_back(home):
    """A rolled back table is merged again from where it then stands."""
    table = Table(home)
    table.schema(v="text")
    versions = []
    for number in range(3):
        table.change("c", number, v=f"v{number}")
        versions.append(table.merge()["snapshot"]["t"])
    metadata = table.property()
    version = int((home / "table/metadata/version-hint.text").read_text())
    metadata["current-snapshot-id"] = versions[0]
    metadata["refs"]["main"]["snapshot-id"] = versions[0]
    metadata["snapshot-log"].append({"snapshot-id": versions[0], "timestamp-ms": metadata["last-updated-ms"] + 1})
    metadata["last-updated-ms"] += 1
    (home / f"table/metadata/v{version + 1}.metadata.json").write_text(json.dumps(metadata))
    (home / "table/metadata/version-hint.text").write_text(str(version + 1))
    table.expect({"id": 0, "v": "v0"})
    summary = table.merge()
    if summary["inserted"] != 2 or summary["batch"] != 2:
        fail(f"after a rollback: {summary}")
    table.expect({"id": 0, "v": "v0"}, {"id": 1, "v": "v1"}, {"id": 2, "v": "v2"})
    print("rolled back and merged again")


def small_memory(home):
    """--memory: a large batch is cut into several, each committed."""
    table = Table(home)
    table.schema(v="text")
    lines = [json.dumps({"key": {"id": number}, "offset": number, "value": {
        "op": "c", "before": None, "after": {"id": number, "v": "x" * 900},
        "source": {"sequence": json.dumps([str(number), str(number)]), "ts_us": 1}}}) for number in range(40000)]
    (table.topic / "0" / f"{0:020d}.jsonl").write_text("\n".join(lines))
    done = subprocess.run([SURFBOARD, "merge", "--deltas", table.topic, "--schema", home / "schema.json", "--table",
                           home / "table", "--json", "--durability", "none", "--memory", "16MiB"],
                          capture_output=True, text=True)
    summary = json.loads(done.stdout.splitlines()[-1])
    if done.returncode or summary["inserted"] != 40000 or summary["batches"] < 3 or summary["batch"] < 3:
        fail(f"--memory 16MiB: {done.stdout}{done.stderr}")
    if summary["peak_rss_bytes"] > 120 << 20:
        fail(f"--memory 16MiB took {summary['peak_rss_bytes']} bytes")
    print(f"16 MiB: {summary['batches']} batches")


def many_batches(home):
    """However many batches, files stay few: small ones fold, deletes fold."""
    table = Table(home)
    table.schema(v="integer")
    for number in range(50):
        table.change("c", number, v=0)
    table.merge()
    for turn in range(1, 60):
        table.change("u", turn % 50, v=turn)
        table.change("c", 50 + turn, v=turn)
        table.merge()
    rows = {**{number: 0 for number in range(50)}, **{turn % 50: turn for turn in range(1, 60)},
            **{50 + turn: turn for turn in range(1, 60)}}
    table.expect(*({"id": number, "v": value} for number, value in sorted(rows.items())))
    from pyiceberg.table import StaticTable
    version = (home / "table/metadata/version-hint.text").read_text().strip()
    static = StaticTable.from_metadata((home / f"table/metadata/v{version}.metadata.json").as_uri())
    files = static.inspect.files()
    data = sum(content == 0 for content in files["content"].to_pylist())
    deletes = len(files) - data
    if data > 24 or deletes > 40:
        fail(f"after 60 batches: {data} data files, {deletes} delete files")
    print(f"60 batches: {data} data files, {deletes} delete files")


def lost_values(home):
    """A value that was never sent is refused, never stored as its mark; or its row is set aside."""
    table = Table(home)
    table.schema(v="text", n="integer")
    table.change("c", 1, v="one", n=1)
    table.merge()
    table.change("u", 1, v="__debezium_unavailable_value", n=2)
    table.merge()
    table.expect({"id": 1, "v": "one", "n": 2})
    table.change("u", 2, v="__debezium_unavailable_value", n=9)  # nobody knows row 2
    table.change("u", 1, v="two", n=3)
    summary = table.merge(code=7)
    if "column \"v\"" not in summary["error"]["message"] or "offset 2" not in summary["error"]["message"]:
        fail(f"the error does not say where: {summary['error']}")
    table.expect({"id": 1, "v": "one", "n": 2})
    summary = table.merge("--on-bad-input", "quarantine")
    if summary["quarantined"] != 1 or summary["updated"] != 1:
        fail(f"one row was to be set aside: {summary}")
    table.expect({"id": 1, "v": "two", "n": 3})
    aside = [json.loads(line) for path in (home / "table/quarantine").iterdir() for line in path.read_text().splitlines()]
    if len(aside) != 1 or aside[0]["offset"] != 2 or json.loads(aside[0]["line"])["key"] != {"id": 2}:
        fail(f"set aside: {aside}")
    print("lost values refused, or set aside")


def went_back(home):
    """A source that was restored is told from a repeat: exit 7, until it is reloaded."""
    table = Table(home)
    table.schema(v="text")

    def record(op, number, value, lsn, ts_us, snapshot=None):
        line = {"key": {"id": number}, "offset": table.offset, "value": {
            "op": op, "before": None, "after": {"id": number, "v": value},
            "source": {"sequence": json.dumps([None, str(lsn)]), "lsn": lsn, "txId": lsn, "ts_us": ts_us,
                       "snapshot": snapshot}}}
        (table.topic / "0" / f"{table.offset:020d}.jsonl").write_text(json.dumps(line))
        table.offset += 1

    for number in range(3):
        record("c", number, "old", 1000 + number, 5000 + number)
    table.merge()
    record("u", 1, "repeated", 1001, 5001)
    if table.merge()["repeats"] != 1:
        fail("a repeat was not told")
    record("u", 1, "restored", 900, 9000)
    summary = table.merge(code=7)
    if "went back" not in summary["error"]["message"] or "reload" not in summary["error"]["remedy"]:
        fail(f"a source that went back: {summary}")
    (table.topic / "0" / f"{table.offset - 1:020d}.jsonl").unlink()
    table.offset -= 1
    record("r", 1, "reloaded", 900, 8000, "first")
    record("r", 7, "reloaded", 900, 8000, "last")
    record("u", 7, "after", 950, 9500)
    summary = table.merge("--max-events", "1")
    table.expect({"id": 1, "v": "reloaded"}, {"id": 7, "v": "after"})
    if list((home / "table/reload").iterdir()):
        fail("the keys of a reload that ended are still there")
    print("a restored source stopped; the reload went through")


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test."))
    for part in (play, roll_back, small_memory, many_batches, lost_values, went_back):
        (work / part.__name__).mkdir()
        part(work / part.__name__)
    shutil.rmtree(work)


main()
