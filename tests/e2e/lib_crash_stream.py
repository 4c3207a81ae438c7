"""lib_crash_stream.py: the scenarios of the crash matrix that need a catalog in Postgres, or a profile."""
import json
import os
import pathlib
import shutil

from lib_capture import Source
from lib_crash import Broken, Create, Merge, Scenario
from lib_shop import profile
from generated import connect
from digest import metadata_file
from reachable import orphans


class Jdbc(Merge):
    """A batch into a table of a JDBC catalog."""
    name = "jdbc"
    rows, events = 1000, 400
    saved = False

    def prepare(self):
        self.source = Source(self.home / "pg")
        self.source.database("lake")
        super().prepare()
        self.source.sql("CREATE TABLE saved AS SELECT * FROM iceberg_tables")
        self.saved = True

    def catalog(self):
        return ["--catalog-dsn", self.source.dsn, "--catalog-name", "lake", "--ident", "shop.orders"]

    def command(self):
        return super().command() + self.catalog()

    def tidy_command(self):
        return super().tidy_command() + self.catalog()

    def restore(self):
        super().restore()
        self.source.sql("TRUNCATE iceberg_tables; INSERT INTO iceberg_tables SELECT * FROM saved")

    def metadata(self):
        location = self.source.sql("SELECT metadata_location FROM iceberg_tables WHERE table_name = 'orders'")
        return pathlib.Path(location.removeprefix("file://"))

    def close(self):
        self.source.stop()


class JdbcCreate(Jdbc):
    """The first batch into a JDBC catalog that does not know the table."""
    name = "jdbc-create"

    def prepare(self):
        self.source = Source(self.home / "pg")
        self.source.database("lake")
        Create.prepare(self)
        self.plain(self.command())

    def restore(self):
        Create.restore(self)
        self.source.sql("DELETE FROM iceberg_tables")

    def check_between(self):
        if self.source.sql("SELECT count(*) FROM iceberg_tables") == "1":
            self.expect(0, 0) if json.loads(self.metadata().read_text()).get("snapshots") else None

    def check_end(self):
        self.check_final(0)


TABLES = ("plain", "other")
SETUP = "; ".join(f"""CREATE TABLE {name} (id bigint PRIMARY KEY, v text, n int);
    INSERT INTO {name} SELECT g, '{name} ' || g, g FROM generate_series(1, 40) g""" for name in TABLES)
CHANGES = """BEGIN; UPDATE plain SET v = 'both' WHERE id < 10; DELETE FROM other WHERE id > 35; COMMIT;
    BEGIN; UPDATE other SET id = id + 100 WHERE id < 4; INSERT INTO plain VALUES (77, NULL, 1); COMMIT"""


class Stream(Scenario):
    """A batch over two tables of the storage catalog, by a profile: first the cut is recorded."""
    name = "stream"

    def prepare(self):
        self.source = Source(self.home / "pg")
        self.source.database("shop")
        self.source.sql(SETUP)
        self.profile = profile(self.home, self.source.dsn, TABLES)
        self.begin()

    def begin(self):
        self.plain(self.verb("up", "shop"))
        self.plain(self.verb("merge", "shop", "--once"))
        self.before = self.lake()
        self.source.sql(CHANGES)
        self.plain(self.verb("capture", "shop", "--once"))
        for name in ("warehouse", "cache"):
            if (self.home / name).exists():
                shutil.copytree(self.home / name, self.home / f"{name}.before")

    def verb(self, *words):
        return [os.environ["SURFBOARD"], "--profile", self.profile, *words]

    def command(self):
        return self.verb("merge", "shop", "--once", "--json")

    def restore(self):
        for name in ("warehouse", "cache"):
            shutil.rmtree(self.home / name, ignore_errors=True)
            if (self.home / f"{name}.before").exists():
                shutil.copytree(self.home / f"{name}.before", self.home / name)

    def folder(self, table):
        return self.home / "warehouse/lake" / f"shop_{table}"

    def lake(self):
        return {table: sorted(connect(iceberg=True).execute(
            f"SELECT id, v, n FROM iceberg_scan('{metadata_file(str(self.folder(table)))}')").fetchall())
            for table in TABLES}

    def truth(self):
        rows = {}
        for table in TABLES:
            text = self.source.sql(f"SELECT coalesce(json_agg(json_build_array(id, v, n) ORDER BY id), '[]') FROM {table}")
            rows[table] = [tuple(row) for row in json.loads(text)]
        return rows

    def check_between(self):
        """Each table as before the batch or behind it: the storage catalog moves them one by one."""
        now, truth = self.lake(), self.truth()
        for table in TABLES:
            if now[table] not in (self.before[table], truth[table]):
                raise Broken(f"half a batch in {table}: {now[table]}")

    def check_end(self):
        now, truth = self.lake(), self.truth()
        if now != truth:
            raise Broken(f"lake {now}\nsource {truth}")
        for table in TABLES:
            self.plain([os.environ["SURFBOARD"], "maintain", "--table", self.folder(table), "--delete-grace", "0s"])
            left = orphans(self.folder(table))
            if left:
                raise Broken("orphans for good: " + " ".join(left))
        left = [str(path) for path in (self.home / "warehouse/_surfboard").rglob("*") if path.is_file()]
        if left:
            raise Broken("cut records left behind: " + " ".join(left))

    def close(self):
        self.source.stop()


class Up(Stream):
    """Bringing a stream up from nothing."""
    name = "up"

    def begin(self):
        pass

    def clear(self):
        self.source.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'surf_shop'")
        self.source.sql("DROP PUBLICATION IF EXISTS surf_shop")
        for name in ("state", "deltas", "warehouse"):
            shutil.rmtree(self.home / name, ignore_errors=True)

    restore = clear

    def command(self):
        return self.verb("up", "shop", "--json")

    def check_between(self):
        pass

    def check_end(self):
        """All is there once, all is ours, and what is captured is what the source has."""
        self.check_ours(["slot", "publication", "buckets", "identity", "files"])
        self.plain(self.verb("capture", "shop", "--once"))
        self.plain(self.verb("merge", "shop", "--once"))
        if self.lake() != self.truth():
            raise Broken(f"lake {self.lake()}\nsource {self.truth()}")

    def check_ours(self, steps):
        receipts = {path.name.split(".")[0] for path in (self.home / "state/receipts").glob("*.json")}
        lacking = set(steps) - receipts
        if lacking:
            raise Broken(f"without receipt: {lacking}")


class Down(Up):
    """Taking it down again."""
    name = "down"

    def restore(self):
        self.clear()
        self.plain(self.verb("up", "shop"))
        self.plain(self.verb("merge", "shop", "--once"))

    def command(self):
        return self.verb("down", "shop", "--confirm", "shop", "--json")

    def check_end(self):
        slots = self.source.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'surf_shop'")
        publications = self.source.sql("SELECT count(*) FROM pg_publication WHERE pubname = 'surf_shop'")
        receipts = sorted(path.name for path in (self.home / "state/receipts").glob("*.json"))
        files = [str(path) for folder in ("deltas", "warehouse") for path in (self.home / folder).rglob("*")
                 if path.is_file()]
        if (slots, publications, files) != ("0", "0", []):
            raise Broken(f"left behind: {slots} slots, {publications} publications, {files}")
        if [name for name in receipts if not name.startswith("buckets.")]:
            raise Broken(f"receipts of what is gone: {receipts}")


KINDS = (Jdbc, JdbcCreate, Stream, Up, Down)
OWN = "our own commit is recognised behind the lost reply"
POINTS = {
    "jdbc.commit.before-update": ((Jdbc,), ""),
    "jdbc.commit.before-commit": ((Jdbc,), ""),
    "jdbc.commit.after-commit": ((Jdbc,), OWN),
    "jdbc.create.before-commit": ((JdbcCreate,), ""),
    "jdbc.create.after-commit": ((JdbcCreate,), OWN),
    "merge.record.before-put": ((Stream,), ""),
    "merge.record.after-put": ((Stream,), ""),
    "merge.record.before-remove": ((Stream,), ""),
    "pipeline.step.before-apply": ((Up,), ""),
    "pipeline.step.after-apply": ((Up,), ""),
    "pipeline.receipt.before-save": ((Up,), ""),
    "pipeline.step.before-undo": ((Down,), ""),
    "pipeline.receipt.before-remove": ((Down,), ""),
    "pipeline.files.after-drop": ((Down,), ""),
    "pipeline.files.before-metadata": ((Down,), ""),
}
