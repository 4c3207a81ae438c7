"""Promise: whatever a source does and however its files arrive, the merged table is the source's table."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
MARK = "__debezium_unavailable_value"
TOPIC = "p.public.t"


class Wrong(Exception):
    pass


class Source:
    """A table and its capture: keeps the rows, and writes the events that Debezium would."""

    def __init__(self, draw, full, text_key, headers):
        self.draw, self.full, self.text_key, self.headers = draw, full, text_key, headers
        self.rows, self.lines, self.history = {}, [], []
        self.lsn, self.clock, self.run, self.fresh = 1000, 1_700_000_000_000_000, 1, 0
        self.total_order = draw.random() < 0.5
        self.joined = set()  # offsets of second halves whose headers were lost: a file can't begin with one

    def key(self, number):
        return {"a": f"k{number % 7}", "b": number} if self.text_key else {"id": number}

    def new_key(self):
        self.fresh += 1
        return self.fresh * self.draw.choice([1, 1, 3]) + (1 << 33 if self.draw.random() < 0.1 else 0)

    def new_row(self):
        return {"n": self.draw.randint(-5, 5), "body": self.draw.choice([None, "", "x" * 40, MARK, 'q"\\\n€']),
                "tags": self.draw.choice([None, [], ["a", None]])}

    def image(self, number, row):
        members = list({**self.key(number), **row}.items())
        self.draw.shuffle(members)
        return dict(members)

    def write(self, record):
        record["offset"] = len(self.lines)
        self.lines.append(json.dumps(record, ensure_ascii=False))

    def event(self, op, number, before, after, header=None, lsn=None, order=1, remember=True):
        source = {"sequence": json.dumps([str(self.lsn - 8), str(lsn or self.lsn)]), "ts_us": self.clock,
                  "snapshot": None, "lsn": lsn or self.lsn, "txId": self.lsn}
        value = {"op": op, "before": before, "after": after, "source": source, "ts_ms": self.clock // 1000,
                 "transaction": {"id": f"{self.lsn}:{self.lsn}", "total_order": order} if self.total_order else None}
        key = None if number is None else self.key(number)
        self.emit({"key": key, "value": value, "header": header}, remember)

    def emit(self, record, remember=True):
        if remember:
            self.history.append(record)
        headers = [{"key": "__debezium.context.runId", "value": f"run-{self.run}"}]
        if record["header"] and self.headers:
            headers.append({"key": record["header"][0], "value": record["header"][1]})
        self.write({"key": record["key"], "value": record["value"], "headers": headers, "timestamp": 1})

    def tombstone(self, number, header=None):
        self.emit({"key": self.key(number), "value": None, "header": header})

    def advance(self):
        self.lsn += self.draw.randint(8, 90)
        self.clock += self.draw.randint(-300, 900)  # commit times wobble

    def old_image(self, number, row):
        """What `before` holds of a row: all of it, or its key and filler."""
        if self.full:
            return self.image(number, row)
        return {**self.key(number), "n": 0, "body": None, "tags": None}

    def shorten(self, row, before):
        """Values that did not change and lie out of line are not sent."""
        if self.full or self.draw.random() < 0.5:
            return dict(row)
        sent = dict(row)
        if row["body"] and row["body"] == before["body"]:
            sent["body"] = MARK
        if row["tags"] and row["tags"] == before["tags"]:
            sent["tags"] = [MARK]
        return sent

    def insert(self):
        self.advance()
        for order in range(self.draw.choice([1, 1, 1, 5])):  # five: a COPY, at one position
            number = self.new_key() if self.draw.random() < 0.7 or not self.fresh else self.draw.randint(1, self.fresh)
            if number in self.rows:
                continue
            self.rows[number] = self.new_row()
            self.event("c", number, None, self.image(number, self.rows[number]), order=order + 1)

    def update(self):
        if not self.rows:
            return
        number = self.draw.choice(sorted(self.rows))
        before = self.rows[number]
        after = dict(before) if self.draw.random() < 0.15 else {**before, **{
            part: value for part, value in self.new_row().items()
            if self.draw.random() < 0.5 and value != MARK}}  # an insert may hold those words, an update can't tell
        self.advance()
        self.rows[number] = after
        self.event("u", number, self.image(number, before) if self.full else None,
                   self.image(number, self.shorten(after, before)))

    def delete(self):
        if not self.rows:
            return
        number = self.draw.choice(sorted(self.rows))
        self.advance()
        self.event("d", number, self.old_image(number, self.rows.pop(number)), None)
        self.tombstone(number)

    def change_key(self):
        if not self.rows:
            return
        old, new = self.draw.choice(sorted(self.rows)), self.new_key()
        if new in self.rows:
            return
        self.advance()
        before = self.rows.pop(old)
        after = {**before, "n": self.draw.randint(-5, 5)}
        header = ("__debezium.newkey", self.key(new))
        self.event("d", old, self.old_image(old, before), None, header)
        self.tombstone(old, header)
        self.rows[new] = after
        if not self.headers:
            self.joined |= {len(self.lines) - 1, len(self.lines)}
        self.event("c", new, None, self.image(new, self.shorten(after, before)), ("__debezium.oldkey", self.key(old)),
                   order=2 if self.headers else 1)

    def truncate(self):
        if self.draw.random() < 0.2:
            self.advance()
            self.rows.clear()
            self.event("t", None, None, None)

    def noise(self):
        self.write({"key": {"x": 1}, "value": {"ts_ms": self.clock // 1000}, "headers": [], "timestamp": 1})

    def repeat(self):
        """The capture was killed: from some point on, everything comes again, with a new run id."""
        if not self.history:
            return
        again = self.history[-self.draw.randint(1, min(12, len(self.history))):]
        first = next((i for i, record in enumerate(again) if record["value"]), None)
        if first is None or again[first]["value"]["op"] == "c" and (again[first]["header"] or not self.headers):
            return  # a capture starts again at a transaction, never between the halves of a key change
        self.run += 1
        for record in again[first:]:
            self.emit(record, remember=False)

    def reload(self):
        """The slot was lost: things happened that nobody saw, and a new snapshot."""
        for number in list(self.rows):
            if self.draw.random() < 0.3:
                del self.rows[number]
            elif self.draw.random() < 0.3:
                self.rows[number] = self.new_row()
        if not self.rows:
            self.rows[self.new_key()] = self.new_row()
        self.advance()
        self.run += 1
        self.history.clear()
        numbers = sorted(self.rows)
        self.draw.shuffle(numbers)
        for at, number in enumerate(numbers):
            marker = "last_in_data_collection" if at + 1 == len(numbers) else "first" if at == 0 else "true"
            source = {"sequence": json.dumps([None, str(self.lsn)]), "ts_us": self.clock, "snapshot": marker,
                      "lsn": self.lsn, "txId": self.lsn}
            self.emit({"key": self.key(number), "header": None,
                       "value": {"op": "r", "before": None, "after": self.image(number, self.rows[number]),
                                 "source": source, "transaction": None, "ts_ms": 1}}, remember=False)

    def live(self, steps):
        deeds = [self.insert] * 30 + [self.update] * 40 + [self.delete] * 12 + [self.change_key] * 8 + \
                [self.truncate] * 2 + [self.noise] * 3 + [self.repeat] * 3 + [self.reload] * 2
        for _ in range(steps):
            self.draw.choice(deeds)()


def merge(folder, home, table, draw, *more):
    if draw.random() < 0.2:
        shutil.rmtree(home / "cache", ignore_errors=True)  # the key index is disposable
    command = [SURFBOARD, "merge", "--deltas", folder, "--schema", home / "schema.json", "--table", table, "--json",
               "--durability", "none", "--gap-wait", "0", *more]
    if draw.random() < 0.3:
        command.append("--no-index")
    if draw.random() < 0.4:
        command += ["--rewrite-at", draw.choice(["0.05", "0.5"])]
    if draw.random() < 0.5:
        command += ["--max-events", draw.choice([1, 2, 7, 40])]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Wrong(f"exit {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(table):
    done = subprocess.run([SURFBOARD, "scan", str(table), "--format", "json"], capture_output=True, text=True)
    if done.returncode:
        raise Wrong(done.stderr)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        row.pop("ds_surf_batch_id")
    return rows


def schema(text_key, full):
    key = [{"name": "a", "type": "text"}, {"name": "b", "type": "bigint"}] if text_key else \
        [{"name": "id", "type": "bigint"}]
    return {"name": "t", "columns": key + [{"name": "n", "type": "integer"}, {"name": "body", "type": "text"},
                                           {"name": "tags", "type": "text[]"}],
            "primary_key": [column["name"] for column in key], "replica_identity": "full" if full else "default"}


def compare(source, table, what):
    found = sorted(json.dumps(row, sort_keys=True) for row in rows_of(table))
    wanted = sorted(json.dumps({**source.key(number), **row}, sort_keys=True) for number, row in source.rows.items())
    if found != wanted:
        extra, lost = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
        raise Wrong(f"{what}: {len(found)} rows, not {len(wanted)}; too many {extra[:4]}; missing {lost[:4]}")


def play(seed, home):
    draw = random.Random(seed)
    full, text_key = draw.random() < 0.4, draw.random() < 0.4
    source = Source(draw, full, text_key, headers=draw.random() < 0.8)
    folder, table = home / TOPIC, home / "table"
    (folder / "0").mkdir(parents=True)
    (home / "schema.json").write_text(json.dumps(schema(text_key, full)))
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    delivered = 0
    for _ in range(draw.randint(2, 6)):
        source.live(draw.choice([5, 30, 120]))
        while delivered < len(source.lines):
            count = draw.randint(1, max(1, (len(source.lines) - delivered)))
            while delivered + count in source.joined:
                count += 1
            chunk = source.lines[delivered:delivered + count]
            (folder / "0" / f"{delivered:020d}.jsonl").write_text("\n".join(chunk))
            delivered += count
            if draw.random() < 0.5:
                merge(folder, home, table, draw)
        while merge(folder, home, table, draw)["more"]:
            pass
        compare(source, table, f"seed {seed}")
    again = merge(folder, home, table, draw)
    if again["state"] != "nothing-to-do":
        raise Wrong(f"seed {seed}: a merge of nothing new did {again}")
    everything = home / "at-once"
    while merge(folder, home, everything, draw)["more"]:
        pass
    compare(source, everything, f"seed {seed} in one go")
    return len(source.lines), len(source.rows)


def main():
    seeds = [int(seed) for seed in sys.argv[1:]] or range(10)
    work = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test."))
    events = rows = 0
    for seed in seeds:
        home = work / str(seed)
        home.mkdir()
        try:
            more_events, more_rows = play(seed, home)
        except Wrong as wrong:
            sys.exit(f"{wrong}\nkept: {home}")
        events, rows = events + more_events, rows + more_rows
        shutil.rmtree(home)
    print(f"{len(seeds)} histories, {events} events, {rows} rows at their ends")
    shutil.rmtree(work)


main()
