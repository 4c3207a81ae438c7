"""Promise: a stream comes up step by step, verify tells exactly which rows differ, and down leaves nothing behind."""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lib_shop  # noqa: E402
from lib_capture import SURFBOARD, Source, Wrong  # noqa: E402

DDL = """
CREATE TYPE mood AS ENUM ('sad', 'très bien');
CREATE TABLE plain (id int PRIMARY KEY, v text, n numeric(8,2), d date, ts timestamp, tz timestamptz, m mood, ip inet);
CREATE TABLE pair (a int, b text, v numeric, f real, g double precision, arr int[], iv interval, ok boolean, u uuid,
                   j jsonb, raw bytea, t time, PRIMARY KEY (a, b));
ALTER TABLE pair REPLICA IDENTITY FULL;
CREATE TABLE large (id bigint PRIMARY KEY, title text, body text);
ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
INSERT INTO plain SELECT g, 'row ' || g, g / 3.0, date '2024-01-01' + g, timestamp '2024-01-01' + g * interval '1.000001 s',
  now(), CASE WHEN g % 2 = 0 THEN 'sad' ELSE 'très bien' END::mood, '10.0.0.1' FROM generate_series(1, 500) g;
INSERT INTO plain VALUES (9001, E'odd \\t"\\\\', NULL, 'infinity', '-infinity', 'infinity', NULL, '::1'),
                         (9002, '', 0, '0044-03-15 BC', '294276-12-31', '9999-12-31', NULL, NULL);
INSERT INTO pair SELECT g, 'b' || g, CASE WHEN g % 9 = 0 THEN 'NaN' ELSE g * 1.10 END, g / 7.0, 'NaN', ARRAY[g, NULL], g * interval '1 day',
  g % 3 = 0, md5(g::text)::uuid, jsonb_build_object('k', g), decode(md5(g::text), 'hex'), '24:00' FROM generate_series(1, 300) g;
INSERT INTO large SELECT g, 't' || g, repeat(md5(g::text), 120) FROM generate_series(1, 40) g;
"""


class Stream:
    def __init__(self, source, name, tables=("plain", "pair", "large")):
        self.source, self.home = source, source.home / name
        self.home.mkdir()
        source.database(name)
        self.dsn = source.dsn
        self.sql(DDL)
        self.slot = f"surf_{name}"
        self.write_profile(tables)

    def write_profile(self, tables, dsn=None, generator=False):
        self.profile = lib_shop.profile(self.home, dsn or self.dsn, tables, generator=generator, slot=self.slot)

    def sql(self, text):
        return self.source.sql(text, self.dsn)

    def surf(self, *arguments, code=0):
        done = subprocess.run([SURFBOARD, "--profile", self.profile, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode != code:
            raise Wrong(f"exit {done.returncode}, not {code}: {arguments}\n{done.stdout}{done.stderr}")
        return done

    def lines(self, *arguments, code=0):
        return [json.loads(line) for line in self.surf(*arguments, "--json", code=code).stdout.splitlines()]

    def flow(self):
        self.surf("capture", "shop")
        return self.lines("merge", "shop")[-1]

    def verify(self, *extra, code=0):
        document = self.lines("verify", "shop", *extra, code=code)[-1]
        return {table["table"].removeprefix("shop_"): table for table in document["tables"]}, document


def expect(found, wanted, what):
    if found != wanted:
        raise Wrong(f"{what}: {found}, wanted {wanted}")


def counts(table):
    return tuple(table[name] for name in ("exact", "lag", "differs", "source_only", "lake_only"))


def classes(source):
    stream = Stream(source, "classes")
    stream.surf("up", "shop")
    stream.surf("merge", "shop")
    tables, document = stream.verify("--full")
    expect(document["equal"], True, "right after the snapshot")
    expect([counts(tables[name]) for name in ("plain", "pair", "large")],
           [(502, 0, 0, 0, 0), (300, 0, 0, 0, 0), (40, 0, 0, 0, 0)], "rows")
    # not merged yet: nothing can be said
    stream.sql("UPDATE plain SET v = 'x' WHERE id < 10")
    error = stream.lines("verify", "shop", "--wait", "1s", code=1)[-1]["error"]
    if "has not passed" not in error["message"]:
        raise Wrong(f"{error}")
    stream.sql("UPDATE pair SET b = b || '!' WHERE a % 10 = 0; UPDATE large SET title = 'y'; DELETE FROM plain WHERE id = 5;"
               "UPDATE large SET id = id + 1000 WHERE id < 5")
    stream.flow()
    tables, document = stream.verify()
    expect(document["equal"], True, "after changes")
    # a column with a default sends no events: old rows differ, and only those
    stream.sql("ALTER TABLE pair ADD COLUMN tier int DEFAULT 3; UPDATE pair SET v = 1 WHERE a <= 7")
    stream.flow()
    tables, document = stream.verify(code=1)
    expect((document["equal"], counts(tables["pair"])), (False, (7, 0, 293, 0, 0)), "a default that was never sent")
    expect(len(tables["pair"]["examples"]), 10, "examples")
    expect(set(tables["pair"]["examples"][0]["key"]), {"a", "b"}, "the key of an example")
    # what a broken file does: one row under another key, one with another value
    stream.sql("INSERT INTO plain (id, v) VALUES (7001, 'moved'), (7002, 'bent')")
    stream.surf("capture", "shop")
    last = sorted((stream.home / "deltas/shop.public.plain/0").glob("*"))[-1]
    text = last.read_text()
    last.write_text(text.replace('"id":7001', '"id":7999').replace('"v":"bent"', '"v":"bend"'))
    stream.surf("merge", "shop")
    tables, document = stream.verify("--table", "plain", code=1)
    expect(counts(tables["plain"]), (501, 0, 1, 1, 1), "a broken file")
    expect(sorted((e["class"], json.dumps(e["key"])) for e in tables["plain"]["examples"]),
           [("differs", '{"id": 7002}'), ("lake_only", "null"), ("source_only", '{"id": 7001}')], "examples")
    tables, _ = stream.verify("--table", "large", "--sample", 20)
    if counts(tables["large"])[1:] != (0, 0, 0, 0) or not 1 <= tables["large"]["exact"] <= 40:
        raise Wrong(f"a sample: {tables['large']}")
    stream.lines("verify", "shop", "--table", "none", code=3)


def while_it_flows(source):
    """Source, capture and merge go on while rows are compared: rows changed meanwhile are no differences."""
    stream = Stream(source, "flows")
    stream.surf("up", "shop")
    stop = threading.Event()
    log = open(stream.home / "children.log", "w")
    children = [subprocess.Popen([SURFBOARD, "--profile", stream.profile, verb, "shop", "--follow"], stdout=log, stderr=log,
                                 stdin=subprocess.DEVNULL) for verb in ("capture", "merge")]

    def change():
        step = 0
        while not stop.is_set():
            step += 1
            stream.sql(f"BEGIN; UPDATE plain SET v = 'step {step}' WHERE id % 500 = {step % 500}; DELETE FROM pair WHERE a = {step};"
                       f"INSERT INTO large VALUES ({5000 + step}, 'n', 'b'); UPDATE large SET title = 'z' WHERE id = {1 + step % 40};"
                       "COMMIT")
            stop.wait(0.05)

    writer = threading.Thread(target=change)
    try:
        time.sleep(2)
        writer.start()
        for _ in range(3):
            tables, document = stream.verify()
            expect(document["equal"], True, f"while it flows {[counts(table) for table in tables.values()]}")
            if not all(table["exact"] for table in tables.values()):
                raise Wrong(f"nothing is exact: {tables}")
    finally:
        stop.set()
        writer.join()
        for child in children:
            child.send_signal(signal.SIGTERM)
        codes = [child.wait(30) for child in children]
    expect([code in (0, 130) for code in codes], [True, True], f"exit codes {codes}")
    stream.flow()
    tables, document = stream.verify()
    expect((document["equal"], sum(table["lag"] for table in tables.values())), (True, 0), "when it has settled")


def up_and_down(source):
    stream = Stream(source, "updown", ("plain", "pair"))
    stream.sql("ALTER TABLE plain REPLICA IDENTITY NOTHING")
    planned = {event["step"]: event for event in stream.lines("plan", "shop")[-1]["steps"]}
    expect(planned["publication"]["plan"],
           ['CREATE PUBLICATION "surf_shop" FOR TABLE "public"."plain", "public"."pair" WITH (publish = \'insert, update, '
            'delete, truncate\', publish_via_partition_root = true)'], "the plan of the publication")
    expect(stream.sql("SELECT count(*) FROM pg_publication"), "0", "plan changes nothing")
    done = {event["step"]: event["action"] for event in stream.lines("up", "shop") if "step" in event and "action" in event}
    expect({done[step] for step in ("identity", "publication", "slot")}, {"applied"}, "up")
    expect(stream.sql("SELECT relreplident FROM pg_class WHERE relname = 'plain'"), "d", "the replica identity")
    again = {event["step"]: event["action"] for event in stream.lines("up", "shop") if "step" in event and "action" in event}
    expect({again[step] for step in ("identity", "publication", "slot")}, {"kept"}, "up again")
    stream.surf("merge", "shop")
    stream.surf("down", "shop", code=5)
    expect(stream.sql("SELECT count(*) FROM pg_publication"), "1", "down without its confirmation")
    stream.surf("down", "shop", "--confirm", "shop")
    expect(stream.sql("SELECT count(*) FROM pg_publication"), "0", "the publication")
    expect(stream.sql("SELECT count(*) FROM pg_replication_slots WHERE database = 'updown'"), "0", "the slot")
    expect(stream.sql("SELECT relreplident FROM pg_class WHERE relname = 'plain'"), "n", "the identity found before")
    # and up once more: a reload into the same topics
    stream.sql("UPDATE plain SET v = 'between' WHERE id = 1; DELETE FROM plain WHERE id = 2")
    stream.surf("up", "shop")
    stream.surf("merge", "shop")
    expect(stream.verify()[1]["equal"], True, "after down and up")


def what_up_asks_for(source):
    """Steps that need a person say exactly what to send."""
    stream = Stream(source, "asks", ("plain", "pair"))
    stream.sql("DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN; CREATE TABLE nokey (v text)")
    poor = stream.dsn.replace("user=surf", "user=poor")
    stream.write_profile(("plain",), poor)
    error = stream.lines("up", "shop", code=1)[-1]["error"]
    for text in ('ALTER ROLE "poor" REPLICATION', 'GRANT SELECT ON "public"."plain" TO "poor"'):
        if text not in error["remedy"]:
            raise Wrong(f"{error} does not say {text}")
    stream.write_profile(("nokey",))
    error = stream.lines("up", "shop", code=1)[-1]["error"]
    if "no primary key" not in error["message"]:
        raise Wrong(f"a table without key: {error}")
    stream.sql("CREATE PUBLICATION surf_shop FOR TABLE plain")
    stream.write_profile(("plain",))
    error = stream.lines("up", "shop", code=1)[-1]["error"]
    if "not made by us" not in error["message"]:
        raise Wrong(f"a publication of somebody else: {error}")


def simulate_is_refused(source):
    stream = Stream(source, "refused", ("plain",))
    if "generator" not in stream.lines("simulate", "shop", code=5)[-1]["error"]["message"]:
        raise Wrong("generator: false")
    stream.write_profile(("plain",), generator=True)
    if "surfboard_generator_marker" not in stream.lines("simulate", "shop", "--rows", 1, code=5)[-1]["error"]["message"]:
        raise Wrong("no marker")
    stream.surf("--read-only", "simulate", "shop", code=5)
    stream.surf("simulate", "shop", "--mix", "1:2", code=2)


def main():
    wanted = sys.argv[1:]
    work = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test.", dir="/tmp"))
    work.chmod(0o755)
    source = Source(work / "source")
    broken = 0
    try:
        for test in (classes, while_it_flows, up_and_down, what_up_asks_for, simulate_is_refused):
            if wanted and test.__name__ not in wanted:
                continue
            begun = time.monotonic()
            try:
                test(source)
                print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
            except (Wrong, KeyError, ValueError) as wrong:
                print(f"FAIL {test.__name__}: {type(wrong).__name__} {wrong}", flush=True)
                broken += 1
    finally:
        source.stop()
    if broken:
        print(f"kept: {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
