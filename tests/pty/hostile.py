"""Promise: no trick in data, names, files or messages reaches the terminal, and no secret leaves memory"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

import checks
from checks import check, run, shows
from line import Line

sys.path.insert(0, str(checks.ROOT / "tests/e2e"))
import lib_shop  # noqa: E402

TRICKS = [  # what a terminal would obey, or draw otherwise than it counts
    "\x1b]0;TITLE\x07", "\x1b]2;TITLE\x1b\\", "\x1b]52;c;cHduZWQ=\x07", "\x1b]8;;file:///etc\x07", "\x1b]11;#ff0000\x07",
    "\x1b[38;5;201m", "\x1b[2J", "\x1b[?1049l", "\x1b[?1003h", "\x1b[6n", "\x1b[21t", "\x1b[5;7H", "\x1b[3;9r", "\x1bc",
    "\x1b#8", "\x1b(0", "\x1bPq#0\x1b\\", "\x1b_APC\x1b\\", "\x1b^PM\x1b\\", "\x9b31m", "\x9d0;C1\x9c", "\x90q\x9c", "\x84",
    "\x7f", "\x07", "\b\b\b", "\rCR", "\x0e", "\x0b", "\x0c", "\x1a", "\x05", "\u202eRLO\u202c", "\u2067RLI\u2069",
    "\u200f", "\u200e", "\u061c", "\u200b", "\u2060", "\ufeff", "\u2028", "\u2029", "\U000e0041\U000e0042", "\ufff9x\ufffb"]
BROKEN = [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xc2", b"\x00"]
MARK = re.compile(r"HX(\d\d)<")
SECRET = "s3cr3t/plänted+in:all@places"


def marked(i, trick=None):
    return f"HX{i:02d}<{TRICKS[i] if trick is None else trick}>XH"


ALL = " ".join(marked(i) for i in range(len(TRICKS)))


def leaks(data):
    """Tricks whose bytes came out as they were: beside their marks, or anywhere when no program of ours says them."""
    found = []
    for i, trick in enumerate(TRICKS):
        raw = trick.encode()
        if b"<" + raw in data or raw + b">" in data or (raw[:1] not in b"\x1b\r\b" and raw in data):
            found.append(ascii(trick))
    return found + [ascii(raw) for raw in BROKEN if raw != b"\xc2" and raw in data]


class Place:
    home = stop = None


def home():
    if Place.home is None:
        Place.home, Place.stop = checks.make_world("built", checks.tempfile.tempdir)
    return Place.home


def surf(profile, *words, check_it=True):
    return subprocess.run([checks.ROOT / ".build/gcc-faults/surfboard", "--profile", profile, *words], check=check_it,
                          capture_output=True)


def sql(database, *commands):
    dsn = f"host={home()}/pg dbname={database} user=surf"
    subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", dsn], input=";\n".join(commands), text=True, check=True,
                   capture_output=True)


class Tour:
    """One screen led through pages; whatever stood on them."""

    def __init__(self, profile, size=(160, 50), **more):
        self.line = Line([checks.surfboard(), "--profile", str(profile)], size=size, **more)
        self.seen = set()

    def __enter__(self):
        self.line.first_page()
        time.sleep(0.5)  # the first look begins a little later
        return self.look()

    def __exit__(self, *_):
        self.line.__exit__()

    def look(self):
        self.line.settle()
        for row in self.line.page():
            self.seen |= {int(number) for number in MARK.findall(row)}
        return self

    def go(self, *keys):
        for key in keys:
            self.line.press(key)
            if key in ("Esc", "Enter", "?", "!", ":", "h", "l", "g", "b", "o"):
                time.sleep(0.25)  # a lone Esc, and a box that just opened
            self.look()
        return self

    def clean(self, least, where):
        found = leaks(self.line.bytes())
        assert not found, f"{where}: came out as it was: {found}"
        assert self.line.alive(), f"{where}: it ended"
        assert len(self.seen) >= least, f"{where}: only {sorted(self.seen)} were on the page\n" + "\n".join(self.line.page())
        return f"{len(self.seen)} of {len(TRICKS)} were on the page"


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def evil_stream():
    """A table whose columns and cells are tricks, captured and merged."""
    folder = home() / "evil"
    folder.mkdir()
    sql("postgres", "CREATE DATABASE evil")
    columns = ", ".join(f"{quoted(marked(i))} text" for i in range(len(TRICKS)))
    rows = ", ".join(f"({i}, {literal(marked(i))})" for i in range(len(TRICKS)))
    sql("evil", f"CREATE TABLE evil (id bigint PRIMARY KEY, note text, {columns})",
        f"INSERT INTO evil (id, note) VALUES {rows}",
        f"CREATE FUNCTION complain() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION '%', {literal(ALL)} "
        f"USING DETAIL = {literal(ALL)}, HINT = {literal(ALL)}; END$$", "CREATE VIEW complaint AS SELECT complain() AS id")
    profile = lib_shop.profile(folder, f"host={home()}/pg dbname=evil user=surf", ["evil"], generator=False, slot="surf_evil")
    for words in (("up", "shop"), ("capture", "shop", "--once"), ("merge", "shop", "--once")):
        surf(profile, *words)
    return profile


@check("cells and column names, in grid, record, cell and preview; errors of Postgres")
def data():
    profile = evil_stream()
    with Tour(profile) as tour:
        tour.go("4", "select * from shop_evil", "Enter", "Esc", "o", "q", "Enter", "q")
        tour.go(*["PgDn"] * 2, *["Right"] * 12, "Enter", "PgDn", "q")
        note = "grid: " + tour.clean(len(TRICKS), "grid")
        tour.seen.clear()
        tour.go("@", "e", "Ctrl-L", *["\x7f"] * 30, "select id from complaint", "Enter")
        time.sleep(0.3)
        tour.look().go("!", "PgDn", "q")
        note += "; Postgres' words: " + tour.clean(10, "error")
        tour.go("Esc", "3", "p")
        time.sleep(0.3)
        tour.look()
        tour.clean(1, "preview")
        return note


def evil_model(folder):
    names = [f"t{i}{marked(i)}" for i in range(len(TRICKS))]
    bundle = lib_shop.bundle("shop_db", "sho" + marked(0), names)

    def document(thing):
        if isinstance(thing, dict):
            if thing.get("_type") in ("Dataset", "Datastore", "DDLColumn", "Team", "GovernanceZone", "Workspace", "DatasetGroup"):
                thing["documentation"] = dict(_type="PlainTextDocumentation", description=ALL, tags={})
            for value in list(thing.values()):
                document(value)
        elif isinstance(thing, list):
            for value in thing:
                document(value)
    document(bundle)
    folder.mkdir()
    profile = pathlib.Path(lib_shop.profile(folder, "host=/nowhere dbname=shop user=surf", ["orders"], generator=False))
    profile.write_text(re.sub(r"streams: .*", "", profile.read_text()))
    (folder / "model.json").write_text(json.dumps(bundle))
    return profile


@check("names and documentation of the model")
def model():
    profile = evil_model(home() / "evil_model")
    with Tour(profile) as tour:
        for view in "1", "2", "3":
            tour.go(view, "Down", "Enter", "Down", "Down", "Right", "Down", "Right", "Down", "PgDn", "End")
            tour.go("Esc", "g", "Esc", "h", "Esc", "b", "Esc", "l", "Esc", ":", "Esc", "?", "Esc", "!", "Esc")
        return tour.clean(1, "model")


@check("run files, whole and torn, their messages and who began them")
def runs():
    folder = home() / "evil_runs"
    folder.mkdir()
    profile = pathlib.Path(lib_shop.profile(folder, "host=/nowhere dbname=shop user=surf", ["orders"], generator=False))
    place = folder / "state/runs"
    place.mkdir(parents=True)
    for i, trick in enumerate(TRICKS):
        text, at = marked(i), "2026-01-02T10:00:00.000Z"
        events = [dict(event="start", at=at, format=1, run=f"{i + 1:04d}", verb="merge", object=text, user=text, host=text, pid=1,
                       boot="gone", started=1, binary=text, version=text, arguments=["merge", text], resumes=False),
                  dict(event="progress", at=at, phase=text, done=1, total=2, unit=text, rate=1),
                  dict(event="step", at=at, step=text, action=text), dict(event=text, at=at),
                  dict(event="end", at=at, exit=7, error=dict(kind="input", message=text, remedy=text))]
        lines = [json.dumps(event, ensure_ascii=i % 2 == 0).encode() for event in events]
        lines.insert(2, b'{"event":"note","text":"' + BROKEN[i % len(BROKEN)] + trick.encode() + b'"}')
        (place / f"{i + 1:04d}.jsonl").write_bytes(b"\n".join(lines) + b'\n{"event":"pro' + trick.encode())
    (folder / "state/events.jsonl").write_text("".join(json.dumps(
        {"format": 1, "at": "2026-01-02T10:00:00.000Z", "kind": "state", "stream": "shop", "from": "ok", "to": marked(i), "why": marked(i),
         "by": marked(i)}) + "\n" for i in range(len(TRICKS))))
    with Tour(profile) as tour:
        tour.go("7", *["Down", "Enter", "PgDn", "Esc"] * 3, "End", "Enter", "End", "Esc", "/", "HX", "Enter", "Esc")
        tour.go("3", "h", "PgDn", "Esc", "Enter", "Esc")
        return tour.clean(len(TRICKS) // 2, "runs")


@check("file names, of deltas and of the profile itself")
def file_names():
    folder = home() / ("evil_files" + "".join(f"HX{i:02d}<{TRICKS[i]}>" for i in (0, 6, 19, 32) if "/" not in TRICKS[i]))
    folder.mkdir()
    profile = pathlib.Path(lib_shop.profile(folder, "host=/nowhere dbname=shop user=surf", ["orders"], generator=False))
    shown = profile.read_text().replace(str(folder), ".")
    profile.write_text(re.sub(r"state: .*", "state: state", shown))
    for i, trick in enumerate(TRICKS):
        name = marked(i).replace("/", "_")
        for place in (folder / "deltas/shop.public.orders/0", folder / "deltas" / name / "0", folder / "warehouse" / name):
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{name}.jsonl").write_bytes(b"{broken" + trick.encode())
    with Tour(profile) as tour:
        for view in "1", "2", "3", "4", "7":
            tour.go(view)
        tour.go("Esc", "3", "Enter", "Esc", "?", "End", "Esc", "!", "Esc", "2", *["Down"] * 8)
        note = tour.clean(0, "files")
    done = subprocess.run([checks.surfboard(), "--profile", profile, "--nonsense" + TRICKS[0]], capture_output=True, check=False)
    assert done.returncode == 2, done
    return note


@check("a profile's context that is none, and broken profiles: the words on the shell's terminal")
def refusals():
    folder = home() / "evil_profile"
    folder.mkdir()
    for i in range(len(TRICKS)):
        for text in (f"format: 1\ncontext: {json.dumps(marked(i))}\n", f"format: 1\n{json.dumps(marked(i))}: 1\n",
                     f"format: 1\ncontext: x\nscreen: {{theme: {json.dumps(marked(i))}}}\n"):
            profile = folder / "surfboard.yaml"
            profile.write_text(text)
            with Line([checks.surfboard(), "--profile", str(profile)]) as line:
                assert line.wait(10) is not None, text
                line.settle()
                found = leaks(line.bytes())
                assert not found and (b"HX" in line.bytes() or b"not YAML" in line.bytes()), (text, line.bytes())
    for raw in BROKEN:
        (folder / "surfboard.yaml").write_bytes(b"format: 1\ncontext: a" + raw + b"\n")
        with Line([checks.surfboard(), "--profile", str(folder / "surfboard.yaml")]) as line:
            line.wait(10)
            line.settle()
            assert not leaks(line.bytes()), line.bytes()


def shapes(secret):
    raw = secret.encode()
    found = {raw, raw.hex().encode(), urllib.parse.quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    for skip in range(3):  # base64 at each alignment, without the ends that depend on the neighbours
        found.add(base64.b64encode(b"x" * skip + raw)[4 if skip else 0:][:4 * (len(raw) // 3 - 1)])
    return found


def holds(data):
    return [shape for shape in shapes(SECRET) if shape in data]


def arguments(top):
    """Command lines and nothing else of all processes that name the folder."""
    found = b""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        found += text if str(top).encode() in text else b""
    return found


@check("a planted password: not in frames, arguments, logs, run files or what is copied")
def secrets():
    top = home()
    (top / "credentials").mkdir(mode=0o700)
    (top / "pgpass").write_text(f"*:*:*:*:{SECRET.replace(':', chr(92) + ':')}\n")
    (top / "pgpass").chmod(0o600)
    text = (top / "surfboard.yaml").read_text()
    profile = top / "secret.yaml"
    profile.write_text(text.replace("{generator: true,", "{generator: true, credential: PG_SHOP,").replace(
        "kind: jdbc,", "kind: jdbc, credential: PG_LAKE,") + "credentials: credentials\n")
    for suffix, value in (("USER", "surf"), ("PASSWORD", SECRET)):
        path = top / f"credentials/PG_LAKE_{suffix}"
        path.write_text(value)
        path.chmod(0o600)
    environment = {"PG_SHOP_USER": "surf", "PG_SHOP_PASSWORD": SECRET, "PGPASSFILE": str(top / "pgpass"),
                   "SURFBOARD_FAULT": "merge.commit.before-publish=delay:3000"}
    surf(top / "surfboard.yaml", "simulate", "shop", "--rate", "0", "--rows", "50", "--seed", "3")
    surf(top / "surfboard.yaml", "capture", "shop", "--once")
    with Tour(profile, env=environment) as tour:
        tour.go("1", "2", *["Down"] * 8, "Enter", "Esc", "o", "Esc")
        tour.go("4", "select 1", "Enter", "Esc", "@", "e", "Enter", "Esc", "Y")
        tour.go("3")
        shows(tour.line, "● shop")
        tour.go("Y", "m")
        time.sleep(0.3)
        tour.go("Enter")
        shows(tour.line, "runs as run")
        asked = arguments(top)
        tour.go("7", "Enter", "Esc", "Y", "!", "Esc", "?", "Esc")
        shows(tour.line, "done +merge")
        data = tour.line.bytes()
        asked += arguments(top)
        tour.line.press("q")
    assert b"merge" in asked, "no run was looked at"
    assert not holds(data + asked), "on the terminal or in arguments"
    planted = {top / "credentials/PG_LAKE_PASSWORD", top / "pgpass"}
    files = [path for path in pathlib.Path(checks.tempfile.tempdir).rglob("*")
             if path.is_file() and path not in planted and "pg/data" not in str(path)]
    bad = [str(path) for path in files if holds(path.read_bytes())]
    assert not bad, bad
    broken = top / "wrong.yaml"  # where nobody answers, and where the password is refused, it is not repeated either
    broken.write_text(profile.read_text().replace(f"host={top}/pg dbname=shop", "host=127.0.0.1 port=1 dbname=shop"))
    with Tour(broken, env=environment) as tour:
        tour.go("2", *["Down"] * 3, "3", "!", "Esc")
        assert not holds(tour.line.bytes())
    return f"{len(files)} files"


def main():
    checks.scratch_folder()
    run(lambda: Place.stop and Place.stop())


main()
