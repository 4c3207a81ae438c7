"""lib_crash_capture.py: the scenarios of the crash matrix that capture Postgres."""
import json
import shutil

from lib_capture import Source, Wrong, differences, lines_of, replay, run, topics
from lib_crash import Broken, Scenario

TABLES = """
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE full_row (id int, part text, v numeric(8,2), PRIMARY KEY (id, part));
ALTER TABLE full_row REPLICA IDENTITY FULL;
CREATE TABLE large (id int PRIMARY KEY, title text, body text);
ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
CREATE TABLE nothing_yet (id int PRIMARY KEY, v int);
CREATE PUBLICATION pub FOR TABLE plain, full_row, large, nothing_yet;
"""

ROWS = """
TRUNCATE plain, full_row, large, nothing_yet;
INSERT INTO plain SELECT g, 'row ' || g FROM generate_series(1, 60) g;
INSERT INTO full_row SELECT g / 2, 'p' || g % 2, g * 1.5 FROM generate_series(1, 40) g;
INSERT INTO large SELECT g, 'title ' || g, repeat(md5(g::text), 90) FROM generate_series(1, 8) g;
"""

# Small transactions, one over all tables that is larger than a file, changed keys, rows that share an
# LSN (COPY), unchanged large values, a truncate.
CHANGES = """
INSERT INTO plain SELECT coalesce(max(id), 0) + 1, 'new' FROM plain;
UPDATE large SET title = title || '+' WHERE id % 2 = 0;
UPDATE full_row SET part = part || 'x' WHERE id = (SELECT min(id) FROM full_row);
BEGIN;
INSERT INTO plain SELECT m + g, 'bulk ' || g FROM (SELECT max(id) m FROM plain) x, generate_series(1, 40) g;
UPDATE full_row SET v = v + 1;
UPDATE large SET id = id + 1000 WHERE id = (SELECT min(id) FROM large);
INSERT INTO nothing_yet SELECT coalesce(max(id), 0) + g, g FROM nothing_yet, generate_series(1, 5) g GROUP BY g;
DELETE FROM plain WHERE id % 7 = 0;
COMMIT;
BEGIN; DELETE FROM plain; ROLLBACK;
UPDATE large SET body = repeat(md5(title), 100) WHERE id = (SELECT max(id) FROM large);
BEGIN; UPDATE plain SET v = 'u' WHERE id % 5 = 0; TRUNCATE nothing_yet; INSERT INTO nothing_yet VALUES (1, 1); COMMIT;
DELETE FROM full_row WHERE id = (SELECT max(id) FROM full_row);
"""


class Capture(Scenario):
    """The first start of a capture, with its snapshot."""
    name = "capture"
    extra = ("--file-size", "12000")

    def prepare(self):
        self.source = Source(self.home / "source")
        self.source.database("crash")
        self.source.sql(TABLES)
        self.source.sql(ROWS)
        self.wanted = self.source.truth()

    def restore(self):
        self.source.drop_slot("slot")
        shutil.rmtree(self.home / "deltas", ignore_errors=True)

    def change(self):
        script = self.home / "changes.sql"
        script.write_text(CHANGES)
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.source.dsn, "-f", script)

    def command(self):
        return self.source.command("slot", self.home / "deltas", *self.extra)

    def check_between(self):
        """What is visible is whole: lines parse, offsets count on."""
        try:
            for topic in topics(self.home / "deltas", "p"):
                lines_of(topic)
        except (Wrong, ValueError) as wrong:
            raise Broken(str(wrong)) from wrong

    def check_end(self):
        try:
            found = replay(self.home / "deltas", "p")
        except Wrong as wrong:
            raise Broken(str(wrong)) from wrong
        problems = differences(found, self.wanted)
        if problems:
            raise Broken("\n".join(problems[:5]))
        left = [path for path in (self.home / "deltas").rglob(".surfboard-*")]
        if left:
            raise Broken(f"left behind: {left}")
        again = json.loads(self.plain(self.command()).splitlines()[-1])
        if again["events"] or again["snapshot_rows"]:
            raise Broken(f"a further capture found something to do: {again}")

    def close(self):
        self.source.stop()


class CaptureStream(Capture):
    """Changes behind the snapshot, in files so small that transactions span several."""
    name = "capture-stream"
    extra = ("--file-size", "3000")

    def restore(self):
        super().restore()
        self.source.sql(ROWS)
        self.plain(self.command())
        self.change()
        self.wanted = self.source.truth()


class CaptureReload(Capture):
    """A new snapshot asked for while the slot stands."""
    name = "capture-reload"

    def restore(self):
        super().restore()
        self.source.sql(ROWS)
        self.extra = ("--file-size", "3000")
        self.plain(self.command())
        self.change()
        self.wanted = self.source.truth()
        self.extra = ("--file-size", "3000", "--reload")

    def check_end(self):
        self.extra = ("--file-size", "3000")
        super().check_end()


KINDS = (Capture, CaptureStream, CaptureReload)

# As TABLE of crash_matrix.py: nothing here absorbs an EIO or ENOSPC.
POINTS = {
    "capture.slot.before-create": ((Capture, CaptureReload), ""),
    "capture.slot.after-create": ((Capture, CaptureReload), ""),
    "capture.slot.after-drop": ((CaptureReload,), ""),
    "capture.schema.before-write": ((Capture, CaptureStream), ""),
    "capture.snapshot.after-table": ((Capture, CaptureReload), ""),
    "capture.snapshot.before-record": ((Capture, CaptureReload), ""),
    "capture.snapshot.after-record": ((Capture, CaptureReload), ""),
    "capture.files.before-publish": ((Capture, CaptureStream), ""),
    "capture.files.before-transactions": ((Capture, CaptureStream), ""),
    "capture.files.after-publish": ((Capture, CaptureStream), ""),
    "capture.confirm.before-record": ((CaptureStream,), ""),
    "capture.confirm.after-record": ((CaptureStream,), ""),
}
