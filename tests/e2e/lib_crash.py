"""lib_crash.py: scenarios of the crash matrix. A scenario builds one state once, and then again and
again puts it back, runs its command with a fault point armed, runs it plainly, and compares."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/readers"))
from digest import metadata_file  # noqa: E402
from generated import Workload, checksum, connect  # noqa: E402
from reachable import missing, orphans  # noqa: E402

# run.py says which program; by hand it is the one with fault points.
os.environ.setdefault("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
os.environ.setdefault("SURFBOARD_CDCGEN", str(ROOT / ".build/tools/cdcgen"))
KILLED = -9
FAILED = (8, 4)  # exit codes of EIO and ENOSPC: of the machine, of a connection


class Broken(Exception):
    """A cell that does not hold; the text says what a user would have met."""


class Cell:
    """One fault: the N-th time the program comes by `point`, `action` happens."""

    def __init__(self, point, action, nth):
        self.point, self.action, self.nth = point, action, nth

    def __str__(self):
        return f"{self.point}={self.action}@{self.nth}"


class Scenario:
    """`home` is private to it. Subclasses give prepare(), restore(), command(), check_between() and
    check_end()."""
    name = ""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True)
        self.log = self.home / "fired"
        self.environment = os.environ | {
            "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_STATE_HOME": str(self.home / "state"), "XDG_CONFIG_HOME": str(self.home / "config")}
        self.prepare()

    def run(self, command, cell=None, limit=60):
        """(exit code, stdout, stderr); with a cell its fault is armed."""
        environment = dict(self.environment)
        self.log.unlink(missing_ok=True)
        if cell:
            environment |= {"SURFBOARD_FAULT": str(cell), "SURFBOARD_FAULT_LOG": str(self.log)}
        done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True,
                              timeout=limit, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def plain(self, command):
        """A run that must succeed; its stdout."""
        code, out, err = self.run(command)
        if code:
            raise Broken(f"exit {code}: {' '.join(map(str, command))}\n{out}{err}")
        return out

    def fired(self, cell):
        return self.log.is_file() and cell.point in self.log.read_text().split()

    def play(self, cell, absorbed):
        """False when the point did not fire. Raises Broken when a promise does not hold."""
        self.restore()
        code, out, err = self.run(self.command(), cell)
        if not self.fired(cell):
            return False
        if cell.action == "kill" and code != KILLED:
            raise Broken(f"exit {code} after kill\n{out}{err}")
        if cell.action != "kill" and code != 0 and (code not in FAILED or "surfboard" not in err + out):
            raise Broken(f"exit {code}, expected one of {FAILED} and a message\n{out}{err}")
        if cell.action != "kill" and code == 0 and not absorbed:
            raise Broken(f"{cell.action} went unnoticed\n{out}{err}")
        self.check_between()
        self.plain(self.command())
        self.check_end()
        return True

    def close(self):
        pass


class Merge(Scenario):
    """One batch into a table of the storage catalog that has data, deletes and a key index already."""
    name = "merge"
    rows, events = 3000, 900

    def prepare(self):
        self.work = Workload(self.home / "source", "--seed", "11", "--rows", str(self.rows), "--events",
                             str(self.events), "--batches", "2", "--file-rows", "400", "--profile", "wide",
                             "--reinsert", "20", "--pk-update", "5")
        self.table, self.bucket = self.home / "table", self.home / "bucket"
        for batch in (0, 1):
            self.arrive(batch)
            self.plain(self.command())
        self.arrive(2)
        self.expect(1, 1)
        for name in ("table", "cache"):
            shutil.copytree(self.home / name, self.home / f"{name}.before")

    def arrive(self, batch):
        for name in self.work.files[batch]:
            self.work.arrive(name, self.bucket)

    def restore(self):
        for name in ("table", "cache"):
            shutil.rmtree(self.home / name, ignore_errors=True)
            shutil.copytree(self.home / f"{name}.before", self.home / name)

    def command(self):
        return [os.environ["SURFBOARD"], "merge", "--deltas", self.bucket / self.work.topic, "--schema",
                self.work.schema_file, "--table", self.table, "--json"]

    def metadata(self):
        return metadata_file(str(self.table))

    def expect(self, first, last):
        """The table holds exactly the state after one of the batches first to last."""
        found = checksum(self.work.columns, self.metadata(), iceberg=True)
        if found not in [self.work.answer(batch) for batch in range(first, last + 1)]:
            raise Broken(f"rows and sum are {found}, expected those after batch {first} to {last}")

    def check_between(self):
        self.expect(1, 2)

    def check_end(self):
        self.check_final(2)

    def check_final(self, batch):
        self.expect(batch, batch)
        if json.loads(self.plain(self.command()).splitlines()[-1])["state"] != "nothing-to-do":
            raise Broken("a further merge found something to do")
        self.plain(self.tidy_command())
        self.expect(batch, batch)
        left = orphans(self.table, self.metadata())
        if left:
            raise Broken("orphans for good: " + " ".join(left))
        gone = missing(self.table, self.metadata())
        if gone:
            raise Broken("needed and gone: " + " ".join(gone))

    def tidy_command(self):
        return [os.environ["SURFBOARD"], "maintain", "--table", self.table, "--delete-grace", "0s", "--json"]


class Rewrite(Merge):
    """A batch behind which data files with many deleted rows are rewritten."""
    name = "rewrite"
    rows, events = 600, 300

    def command(self):
        return super().command() + ["--rewrite-at", "0.02"]


class Create(Merge):
    """The first batch, into a table that is not there yet."""
    name = "create"

    def prepare(self):
        self.work = Workload(self.home / "source", "--seed", "12", "--rows", "800", "--batches", "0",
                             "--profile", "wide")
        self.table, self.bucket = self.home / "table", self.home / "bucket"
        self.arrive(0)

    def restore(self):
        for name in ("table", "cache"):
            shutil.rmtree(self.home / name, ignore_errors=True)

    def check_between(self):
        """No table, an empty one, or the whole batch."""
        if list((self.table / "metadata").glob("v*.metadata.json")):
            found = checksum(self.work.columns, self.metadata(), iceberg=True)
            if found not in ((0, "0"), self.work.answer(0)):
                raise Broken(f"half a table: {found}")

    def check_end(self):
        self.check_final(0)


class Large(Create):
    """A first batch whose columns are larger than a write buffer."""
    name = "large"

    def prepare(self):
        self.work = Workload(self.home / "source", "--seed", "13", "--rows", "30000", "--batches", "0",
                             "--pk", "uuid")
        self.table, self.bucket = self.home / "table", self.home / "bucket"
        self.arrive(0)


class Maintain(Merge):
    """Expiry and orphans of a table that merges were killed on; its rows never change."""
    name = "maintain"

    def prepare(self):
        super().prepare()
        for point in ("merge.data.after-file", "iceberg.commit.after-manifests"):
            self.run(super().command(), Cell(point, "kill", 1))
        self.plain(super().command())
        self.merge_command = super().command()
        for name in ("table", "cache"):
            shutil.rmtree(self.home / f"{name}.before")
            shutil.copytree(self.home / name, self.home / f"{name}.before")
        if not orphans(self.table, self.metadata()):
            raise Broken("the killed merges left nothing to remove")

    def command(self):
        if self.home.joinpath("table.before").exists() and hasattr(self, "merge_command"):
            return [os.environ["SURFBOARD"], "maintain", "--table", self.table, "--snapshot-age", "0s",
                    "--min-snapshots", "1", "--delete-grace", "0s", "--json"]
        return super().command()

    def check_between(self):
        self.expect(2, 2)

    def check_end(self):
        self.check_between()
        snapshots = json.loads(self.metadata().read_text())["snapshots"]
        if len(snapshots) != 1:
            raise Broken(f"{len(snapshots)} snapshots are left")
        left = orphans(self.table, self.metadata())
        if left:
            raise Broken("orphans for good: " + " ".join(left))


class Lines(Scenario):
    """Hand-made lines of a table (id, word) into a table of the storage catalog."""
    options = ()

    def prepare(self):
        self.table, self.topic = self.home / "table", self.home / "deltas/p.public.t"
        (self.topic / "0").mkdir(parents=True)
        self.schema = self.home / "schema.json"
        self.schema.write_text(json.dumps({"name": "t", "primary_key": ["id"], "columns": [
            {"name": "id", "type": "bigint", "nullable": False}, {"name": "word", "type": "text"}]}))
        self.offset = 0
        self.write([self.line("r", n, f"word {n}", 100, "true" if n < 50 else "last") for n in range(1, 51)])
        self.plain(self.command())
        self.before = self.rows()
        for name in ("table", "cache"):
            shutil.copytree(self.home / name, self.home / f"{name}.before")
        self.arrive()

    def line(self, op, number, word, lsn, snapshot=None):
        source = {"lsn": lsn, "txId": lsn, "ts_ms": lsn, "snapshot": snapshot}
        value = {"op": op, "before": None, "after": {"id": number, "word": word}, "source": source, "ts_ms": lsn}
        self.offset += 1
        return json.dumps({"key": {"id": number}, "value": value, "offset": self.offset - 1, "timestamp": lsn,
                           "headers": []})

    def write(self, lines):
        first = json.loads(lines[0])["offset"]
        (self.topic / "0" / f"{first:020}.jsonl").write_text("".join(line + "\n" for line in lines))

    def restore(self):
        for name in ("table", "cache"):
            shutil.rmtree(self.home / name, ignore_errors=True)
            shutil.copytree(self.home / f"{name}.before", self.home / name)

    def command(self):
        return [os.environ["SURFBOARD"], "merge", "--deltas", self.topic, "--schema", self.schema, "--table",
                self.table, "--json", *self.options]

    def rows(self):
        return dict(connect(iceberg=True).execute(
            f"SELECT id, word FROM iceberg_scan('{metadata_file(str(self.table))}')").fetchall())

    def check_between(self):
        if self.rows() not in (self.before, self.wanted):
            raise Broken(f"half a batch: {self.rows()}")

    def check_end(self):
        if self.rows() != self.wanted:
            raise Broken(f"rows: {self.rows()}, expected {self.wanted}")


class Quarantine(Lines):
    """A batch with a line that is set aside."""
    name = "quarantine"
    options = ("--on-bad-input", "quarantine")

    def arrive(self):
        self.write([self.line("u", 1, "changed", 200), self.line("u", 2, 12, 201),
                    self.line("c", 60, "new", 202)])
        text = (self.topic / "0" / f"{50:020}.jsonl").read_text().replace('"word": 12', '"word": {"not": "text"}')
        (self.topic / "0" / f"{50:020}.jsonl").write_text(text)
        self.wanted = self.before | {1: "changed", 60: "new"}

    def check_end(self):
        super().check_end()
        files = [path for path in (self.table / "quarantine").rglob("*") if path.is_file()]
        lines = [line for path in files for line in path.read_text().splitlines()]
        if len(lines) != 1 or "not" not in lines[0]:
            raise Broken(f"{len(lines)} lines were set aside, expected one: {lines}")


class Reload(Lines):
    """A second snapshot, without ten of the rows, over several batches."""
    name = "reload"
    options = ("--max-events", "15")

    def arrive(self):
        self.write([self.line("r", n, f"again {n}", 900, "true" if n < 40 else "last") for n in range(1, 41)])
        self.wanted = {n: f"again {n}" for n in range(1, 41)}

    def check_between(self):
        """Some rows are new already; none has gone before the last of the snapshot came."""
        now = self.rows()
        for number, word in now.items():
            if word not in (self.before.get(number), self.wanted.get(number)):
                raise Broken(f"row {number} is {word}")
        if now != self.wanted and now.keys() != self.before.keys():
            raise Broken(f"rows went before the reload ended: {now}")
