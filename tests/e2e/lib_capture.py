"""lib_capture.py: what a capture wrote, read back in plain Python: the oracle of the capture tests.

replay() walks every topic of a capture as a merge would and returns its tables; on the way it checks
what a capture promises: offsets without gap or repeat, no event twice, every transaction ended with
the counts of the events that are there."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PG = ROOT / "tests/tools/pg.sh"
SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))

TEXT = "__debezium_unavailable_value"
MARKERS = [TEXT, [TEXT], [ord(c) for c in TEXT], "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
           ["X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="], ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]]


class Wrong(Exception):
    """A promise of the capture that does not hold."""


def run(*command, check=True, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if check and done.returncode:
        raise Wrong(f"exit {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout if check else done


def topics(deltas, prefix):
    return sorted(path for path in pathlib.Path(deltas).glob(f"{prefix}.*") if path.is_dir())


def lines_of(topic):
    lines = []
    for path in sorted(topic.glob("0/*")):
        if not path.name.endswith(".jsonl"):
            raise Wrong(f"{path} lies among the delta files")
        fresh = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        if not fresh or fresh[0]["offset"] != int(path.stem):
            raise Wrong(f"{path} does not begin with the offset in its name")
        lines += fresh
    if [line["offset"] for line in lines] != list(range(len(lines))):
        raise Wrong(f"{topic}: offsets have gaps or repeats")
    return lines


def header(line, name):
    return next((h["value"] for h in line["headers"] if h["key"] == name), None)


class Table:
    """One topic, applied line by line."""

    def __init__(self, topic):
        self.topic, self.rows, self.events = topic, {}, {}
        self.reload, self.seen, self.dropped = None, set(), {}
        for line in lines_of(topic):
            self.apply(line)

    def apply(self, line):
        value, key = line["value"], json.dumps(line["key"], sort_keys=True)
        if value is None:
            return
        source, op = value["source"], value["op"]
        if op == "r" or source["snapshot"]:
            return self.snapshot(source, key, value)
        self.count(value)
        if op == "t":
            self.rows.clear()
        elif op == "d":
            self.dropped = {key: self.rows.pop(key, None)}
        else:
            old_key = header(line, "__debezium.oldkey")
            old = self.dropped.get(json.dumps(old_key, sort_keys=True)) if old_key else self.rows.get(key)
            if op == "c" and not old_key and key in self.rows:
                raise Wrong(f"{self.topic}: {key} is created twice")
            self.rows[key] = {name: self.settle(name, cell, old, op == "c" and not old_key)
                              for name, cell in value["after"].items()}

    def settle(self, name, cell, old, fresh):
        if fresh or cell not in MARKERS:
            return cell
        if old is None:
            raise Wrong(f"{self.topic}: nothing is known of an unchanged {name}")
        return old[name]

    def count(self, value):
        transaction = value["transaction"]
        mine = self.events.setdefault(value["source"]["txId"], [])
        mine.append(transaction["total_order"])
        if transaction["data_collection_order"] != len(mine):
            raise Wrong(f"{self.topic}: event {len(mine)} of transaction {transaction['id']} calls itself "
                        f"{transaction['data_collection_order']}")

    def snapshot(self, source, key, value):
        if source["lsn"] != self.reload:
            self.reload, self.seen = source["lsn"], set()
        if value["op"] == "r":
            self.rows[key] = value["after"]
            self.seen.add(key)
        else:
            self.rows.clear()
        if source["snapshot"].startswith("last"):
            self.rows = {key: row for key, row in self.rows.items() if key in self.seen}


def check_transactions(deltas, prefix, tables):
    """Every event belongs to a transaction that ended, with the counts that its END has."""
    ended = {}
    topic = pathlib.Path(deltas) / f"{prefix}.transaction"
    for line in lines_of(topic) if topic.is_dir() else []:
        value = line["value"]
        if value["status"] == "END":
            xid = int(value["id"].split(":")[0])
            if xid in ended:
                raise Wrong(f"transaction {xid} ends twice")
            ended[xid] = value
    found = {}
    for collection, table in tables.items():
        for xid, orders in table.events.items():
            found.setdefault(xid, {})[collection] = orders
    for xid in ended.keys() | found.keys():
        if xid not in ended:
            raise Wrong(f"transaction {xid} has no END")
        counts = {c["data_collection"]: c["event_count"] for c in ended[xid]["data_collections"]}
        mine = {collection: len(orders) for collection, orders in found.get(xid, {}).items()}
        if counts != mine:
            raise Wrong(f"transaction {xid}: END counts {counts}, there are {mine}")
        orders = sorted(order for part in found.get(xid, {}).values() for order in part)
        if len(set(orders)) != ended[xid]["event_count"]:  # holes: events that a later snapshot holds
            raise Wrong(f"transaction {xid}: total orders {orders}")


def replay(deltas, prefix):
    """{"public.orders": {key: row}}"""
    tables = {topic.name[len(prefix) + 1:]: Table(topic) for topic in topics(deltas, prefix)
              if topic.name != f"{prefix}.transaction"}
    check_transactions(deltas, prefix, tables)
    return {name: table.rows for name, table in tables.items()}


class Source:
    """A private Postgres, databases in it, and captures of them."""

    def __init__(self, home, *settings):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.maintenance = run(PG, "start", self.home / "pg", *settings).strip()
        self.counter = 0

    def database(self, name):
        self.sql(f"CREATE DATABASE {name}", self.maintenance)
        self.dsn = self.maintenance.replace("dbname=postgres", f"dbname={name}")

    def sql(self, text, dsn=None):
        return run("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", dsn or self.dsn, "-c", text).strip()

    def command(self, slot, deltas, *extra, publication="pub", prefix="p"):
        return [SURFBOARD, "capture", "--dsn", self.dsn, "--slot", slot, "--publication", publication, "--prefix",
                prefix, "--deltas", deltas, "--json", *extra]

    def capture(self, slot, deltas, *extra, **names):
        return json.loads(run(*self.command(slot, deltas, *extra, **names)).splitlines()[-1])

    def drop_slot(self, slot):
        self.sql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'")

    def truth(self, publication="pub"):
        """The tables as a fresh snapshot sees them."""
        self.counter += 1
        slot, deltas = f"truth_{self.counter}", self.home / f"truth{self.counter}"
        self.capture(slot, deltas, publication=publication)
        self.drop_slot(slot)
        return replay(deltas, "p")

    def stop(self):
        run(PG, "stop", self.home / "pg")


def differences(found, wanted):
    out = []
    for table in sorted(found.keys() | wanted.keys()):
        mine, theirs = found.get(table, {}), wanted.get(table, {})
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                out.append(f"{table} {key}: {str(mine.get(key))[:200]}, the source has {str(theirs.get(key))[:200]}")
    return out
