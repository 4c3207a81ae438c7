"""Promise: whatever befalls source, slot or capture, it goes on exactly where it was, or says why not and what to do."""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib_capture import PG, Source, Table, Wrong, differences, replay, run  # noqa: E402

UNREACHABLE, CONFIG, REFUSED, CONFLICT, LOST = 4, 3, 5, 6, 7


class Case:
    """One database, one slot, one folder of deltas for each test below."""

    def __init__(self, source, name):
        self.source, self.name, self.deltas = source, name, source.home / f"deltas_{name}"
        self.slot = f"slot_{name}"
        source.sql(f"CREATE DATABASE {name}", source.maintenance)
        source.dsn = self.dsn = source.maintenance.replace("dbname=postgres", f"dbname={name}")
        self.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)")
        self.sql("INSERT INTO a SELECT g, 'a' || g FROM generate_series(1, 20) g")
        self.sql("CREATE PUBLICATION pub FOR TABLE a, b")

    def sql(self, text):
        return self.source.sql(text, self.dsn)

    def command(self, *extra):
        self.source.dsn = self.dsn
        return self.source.command(self.slot, self.deltas, *extra)

    def capture(self, *extra):
        self.source.dsn = self.dsn
        return self.source.capture(self.slot, self.deltas, *extra)

    def fails(self, code, *texts, extra=()):
        done = run(*self.command(*extra), check=False)
        if done.returncode != code:
            raise Wrong(f"{self.name}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}")
        error = json.loads(done.stdout.splitlines()[-1])["error"]
        for text in texts:
            if text not in error["message"] + error["remedy"]:
                raise Wrong(f"{self.name}: {error} does not say {text!r}")

    def follow(self, *extra):
        log = open(self.source.home / f"{self.name}.log", "a+")
        return subprocess.Popen(list(map(str, self.command("--follow", *extra))), stdout=log, stderr=log,
                                stdin=subprocess.DEVNULL)

    def record(self):
        return json.loads((self.deltas / "p/_capture.json").read_text())

    def wait(self, what, check, child=None, limit=30):
        end = time.monotonic() + limit
        while not check():
            if child and child.poll() is not None:
                raise Wrong(f"{self.name}: the capture ended with {child.returncode} instead of: {what}")
            if time.monotonic() > end:
                raise Wrong(f"{self.name}: not within {limit} s: {what}")
            time.sleep(0.1)

    def equal(self):
        self.source.dsn = self.dsn
        found, wanted = replay(self.deltas, "p"), self.source.truth()
        problems = differences({name: found.get(name, {}) for name in wanted}, wanted)
        if problems:
            raise Wrong(f"{self.name}: " + "\n".join(problems[:5]))

    def stop(self, child):
        child.send_signal(signal.SIGTERM)
        if child.wait(20) != 0:
            raise Wrong(f"{self.name}: exit {child.returncode} after SIGTERM")


def no_server(case):
    case.dsn = "host=127.0.0.1 port=1 dbname=x user=y"
    case.fails(UNREACHABLE, "connect")


def no_publication(case):
    case.sql("DROP PUBLICATION pub")
    case.fails(CONFIG, "no publication pub", "surfboard up")


def slot_dropped(case):
    case.capture()
    case.source.drop_slot(case.slot)
    case.sql("UPDATE a SET v = 'unseen'; DELETE FROM a WHERE id = 3")
    case.fails(LOST, f"slot {case.slot} is gone", "--reload")
    case.capture("--reload")
    case.equal()


def slot_read_by_another(case):
    case.capture()
    case.sql("UPDATE a SET v = 'unseen'")
    case.sql(f"SELECT pg_replication_slot_advance('{case.slot}', pg_current_wal_lsn())")
    case.fails(LOST, "ahead of the record", "--reload")
    case.capture("--reload")
    case.equal()


def slot_of_somebody(case):
    case.sql(f"SELECT pg_create_logical_replication_slot('{case.slot}', 'pgoutput')")
    case.fails(CONFLICT, "no capture left a record")


def slot_in_use(case):
    child = case.follow()
    case.wait("the slot is active", lambda: case.sql(
        f"SELECT active FROM pg_replication_slots WHERE slot_name = '{case.slot}'") == "t", child)
    case.deltas, held = case.source.home / "elsewhere", case.deltas
    shutil.copytree(held, case.deltas)
    case.fails(CONFLICT, "in use by server process", "pg_terminate_backend")
    case.deltas = held
    case.stop(child)


def publication_made_anew(case):
    case.capture()
    case.sql("DROP PUBLICATION pub")
    case.fails(LOST, "was dropped", "--reload")
    case.sql("UPDATE a SET v = 'unseen'; CREATE PUBLICATION pub FOR TABLE a, b")
    case.fails(LOST, "dropped and made again", "--reload")
    case.capture("--reload")
    case.equal()


def another_server(case):
    case.capture()
    path = case.deltas / "p/_capture.json"
    path.write_text(json.dumps(case.record() | {"system_id": "1"}))
    case.fails(LOST, "another Postgres server", "--reload")


def newer_record(case):
    case.capture()
    path = case.deltas / "p/_capture.json"
    path.write_text(json.dumps(case.record() | {"format": 2}))
    case.fails(CONFIG, "format 2", "newer surfboard")


def foreign_files(case):
    (case.deltas / "p.public.a/0").mkdir(parents=True)
    (case.deltas / "p.public.a/0/00000000000000000000.jsonl.gz").write_bytes(b"")
    case.fails(CONFLICT, "not written by a native capture", "prefix")


def server_restarts(case):
    child = case.follow()
    case.wait("the snapshot", lambda: (case.deltas / "p/_capture.json").exists()
              and case.record()["state"] == "streaming", child)
    case.sql("INSERT INTO a VALUES (100, 'before')")
    run(PG, "restart", case.source.home / "pg")
    case.sql("INSERT INTO a VALUES (101, 'after')")
    case.wait("the row behind the restart", lambda: '"id":101' in "".join(
        path.read_text() for path in (case.deltas / "p.public.a/0").glob("*")), child)
    case.stop(child)
    case.equal()


def server_stays_away(case):
    child = case.follow("--reconnect", "1s")
    case.wait("the snapshot", lambda: (case.deltas / "p/_capture.json").exists()
              and case.record()["state"] == "streaming", child)
    run(PG, "stop", case.source.home / "pg")
    try:
        if child.wait(30) != UNREACHABLE:
            raise Wrong(f"exit {child.returncode}, not {UNREACHABLE}")
    finally:
        run(PG, "restart", case.source.home / "pg")


def tables_join(case):
    """While it runs, while it stands, and back after changes that nobody saw."""
    child = case.follow()
    case.wait("the snapshot", lambda: (case.deltas / "p/_capture.json").exists()
              and case.record()["state"] == "streaming", child)
    case.sql("CREATE TABLE c (id int PRIMARY KEY, v text); INSERT INTO c SELECT g, 'c' FROM generate_series(1, 9) g")
    case.sql("BEGIN; ALTER PUBLICATION pub ADD TABLE c; UPDATE c SET v = 'in'; UPDATE a SET v = 'with c'; COMMIT")
    case.wait("the table is taken in", lambda: any(t["table"] == "c" for t in case.record()["tables"]), child)
    case.sql("UPDATE c SET v = 'later' WHERE id < 5")
    case.stop(child)
    case.capture()
    case.equal()
    case.sql("CREATE TABLE d (id int PRIMARY KEY, v text); INSERT INTO d VALUES (1, 'd')")
    case.sql("BEGIN; INSERT INTO a VALUES (50, 'x'); INSERT INTO d VALUES (2, 'd'); COMMIT")
    case.sql("ALTER PUBLICATION pub ADD TABLE d")
    case.sql("BEGIN; INSERT INTO a VALUES (51, 'x'); INSERT INTO d VALUES (3, 'd'); DELETE FROM c WHERE id = 1; COMMIT")
    case.sql("ALTER PUBLICATION pub DROP TABLE c")
    case.sql("UPDATE c SET v = 'unseen'; DELETE FROM c WHERE id = 2")
    case.sql("ALTER PUBLICATION pub ADD TABLE c")
    case.sql("BEGIN; UPDATE c SET v = 'seen' WHERE id = 3; UPDATE a SET v = 'and a' WHERE id = 51; COMMIT")
    case.capture()
    case.equal()
    if case.capture()["events"]:
        raise Wrong("a further capture found something to do")


def table_made_anew(case):
    case.capture()
    case.sql("DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY, v text, w int); INSERT INTO a VALUES (7, 'new', 1)")
    case.sql("ALTER PUBLICATION pub ADD TABLE a")
    case.capture()
    case.equal()


def columns_change(case):
    case.capture()
    case.sql("ALTER TABLE a ADD COLUMN w numeric(6,2); UPDATE a SET w = id * 1.5")
    case.capture()
    case.sql("ALTER TABLE a ALTER COLUMN w TYPE numeric(12,2); ALTER TABLE a RENAME COLUMN v TO vv; UPDATE a SET vv = vv || '!'")
    case.capture()
    case.equal()
    schema = json.loads((case.deltas / "_schema/p.public.a.json").read_text())
    columns = {column["name"]: column["type"] for column in schema["columns"]}
    if columns != {"id": "integer", "vv": "text", "w": "numeric(12,2)"}:
        raise Wrong(f"the schema file says {columns}")


def keys_of_all_sorts(case):
    case.sql("CREATE TABLE nokey (v text); ALTER TABLE nokey REPLICA IDENTITY FULL;"
             "CREATE TABLE uniq (x int NOT NULL, y text NOT NULL, v text); CREATE UNIQUE INDEX u ON uniq (y, x);"
             "ALTER TABLE uniq REPLICA IDENTITY USING INDEX u; ALTER PUBLICATION pub ADD TABLE nokey, uniq;"
             "INSERT INTO uniq VALUES (1, 'a', 'v'), (2, 'b', 'v')")
    case.capture()
    case.sql("INSERT INTO nokey VALUES ('twice'), ('twice'); UPDATE uniq SET y = 'c' WHERE x = 2; DELETE FROM uniq WHERE x = 1")
    case.capture()
    lines = [json.loads(line) for path in sorted((case.deltas / "p.public.nokey/0").glob("*"))
             for line in path.read_text().splitlines()]
    if [line["key"] for line in lines] != [None] * len(lines) or len(lines) != 3:
        raise Wrong(f"a table without key: {lines}")
    rows = Table(case.deltas / "p.public.uniq").rows
    if list(rows) != ['{"x": 2, "y": "c"}']:
        raise Wrong(f"a unique index as key: {rows}")
    case.sql("CREATE TABLE wrong (id int PRIMARY KEY, u int NOT NULL UNIQUE);"
             "ALTER TABLE wrong REPLICA IDENTITY USING INDEX wrong_u_key; ALTER PUBLICATION pub ADD TABLE wrong")
    case.fails(CONFIG, "does not hold column id", "REPLICA IDENTITY")


def large_transaction(case):
    """Larger than any file, rolled over many of them, in constant memory."""
    case.capture()
    case.sql("BEGIN; INSERT INTO a SELECT g, repeat('x', 200) FROM generate_series(1000, 21000) g;"
             "DELETE FROM a WHERE id % 3 = 0; UPDATE b SET v = 'none'; COMMIT")
    summary = case.capture("--file-size", "100KiB")
    if summary["files"] < 50:
        raise Wrong(f"{summary['files']} files")
    case.equal()


def slot_lost(case):
    case.capture()
    run(PG, "restart", case.source.home / "pg")
    for _ in range(8):
        case.sql("INSERT INTO b SELECT coalesce(max(id), 0) + 1, 'wal' FROM b; SELECT pg_switch_wal()")
    case.sql("CHECKPOINT")
    case.wait("the slot is lost", lambda: case.sql(
        f"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{case.slot}'") == "lost")
    case.fails(LOST, "is lost", "max_slot_wal_keep_size", "--reload")
    case.capture("--reload")
    case.equal()


CASES = (no_server, no_publication, slot_dropped, slot_read_by_another, slot_of_somebody, slot_in_use,
         publication_made_anew, another_server, newer_record, foreign_files, server_restarts, server_stays_away,
         tables_join, table_made_anew, columns_change, keys_of_all_sorts, large_transaction)


def play(home, cases, *settings):
    source = Source(home, *settings)
    broken = 0
    try:
        for test in cases:
            begun = time.monotonic()
            try:
                test(Case(source, test.__name__))
                print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
            except (Wrong, ValueError, subprocess.TimeoutExpired) as wrong:
                print(f"FAIL {test.__name__}: {wrong}", flush=True)
                broken += 1
    finally:
        source.stop()
    return broken


def main():
    wanted = sys.argv[1:]
    work = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test.", dir="/tmp"))
    work.chmod(0o755)
    broken = play(work / "one", [case for case in CASES if not wanted or case.__name__ in wanted])
    if not wanted or "slot_lost" in wanted:
        broken += play(work / "two", [slot_lost], "max_slot_wal_keep_size = '1MB'", "max_wal_size = '32MB'",
                       "min_wal_size = '32MB'")
    if broken:
        print(f"kept: {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
