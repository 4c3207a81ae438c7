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
from generated import Workload, checksum  # noqa: E402
from reachable import missing, orphans  # noqa: E402

KILLED = -9
MACHINE = 8  # exit code of EIO and ENOSPC


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
        if cell.action != "kill" and code != 0 and (code != MACHINE or "surfboard" not in err + out):
            raise Broken(f"exit {code}, expected {MACHINE} and a message\n{out}{err}")
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
