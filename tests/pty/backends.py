"""Promise: keys answer as ever while Postgres says nothing, a merge uses every core, or 100,000 rows stream into the grid"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import checks
from checks import check, run, shows
from emulator import SYNC_ON
from line import Line, ends_in

ANSWER_MS = 250  # a frame of this key; what people take for at once, on a busy machine
LEAVE_S = 0.5
ROWS = 100_000
WAITS = r"no answer|asks \d+ s|looking"
SAYS_S = 8


class Quiet:
    """The built world, made once, and what its keys take while nothing is wrong."""
    home = profile = stop = None
    pages = []

    @staticmethod
    def command(profile=None):
        return [checks.surfboard(), "--profile", str(profile or Quiet.profile)]

    @staticmethod
    def dsn():
        return f"host={Quiet.home}/pg dbname=shop user=surf"

    @staticmethod
    def surf(*words):
        plain = checks.ROOT / ".build/gcc-faults/surfboard"
        subprocess.run([plain, "--profile", Quiet.profile, *words], check=True, capture_output=True)

    @staticmethod
    def more_rows(count, first):
        sql = (f"INSERT INTO customers (id, name, email, country) SELECT g, md5(g::text), 'a' || g || '@example.org', 'DE' "
               f"FROM generate_series({first}, {first + count - 1}) g")
        subprocess.run(["psql", "-Xq", Quiet.dsn(), "-c", sql], check=True)
        Quiet.surf("capture", "shop", "--once")


def looks(line):
    return line.page(), line.screen().cursor()


def took(line, key, limit=5):
    """Milliseconds and frames until the page or its cursor is another one."""
    line.read()
    before, since, begun = looks(line), line.mark(), time.monotonic()
    line.type(key)
    while looks(line) == before:
        assert time.monotonic() < begun + limit, f"{key!r} draws nothing in {limit} s:\n" + "\n".join(line.page())
        line.read() or time.sleep(0.0005)
    return 1000 * (time.monotonic() - begun), line.bytes(since).count(SYNC_ON)


PAGES = ["2", "Down", "Down", "Up", "Up", "7", "Down", "Up", "3", "?"]


def rounds(line, keys=PAGES, close=True, count=3):
    """The best of some rounds for each key: (the slowest key's ms, the middle, the most frames of one). With `close`
    each key finds the page at rest and a box stands there in the end."""
    best = {}
    for _ in range(count):
        for i, key in enumerate(keys):
            if close:
                line.settle()
            ms, frames = took(line, key)
            best[i] = min(best.get(i, (1e9, 0)), (ms, frames))
        if close:
            time.sleep(0.25)  # a box that just opened hears nothing
            line.press("q")
    each = sorted(best.values())
    return each[-1][0], each[len(each) // 2][0], max(frames for _, frames in each)


def as_ever(found, quiet=None):
    quiet = quiet or Quiet.pages
    slowest, middle, frames = found
    assert slowest <= ANSWER_MS, f"{slowest:.0f} ms, {quiet[0]:.0f} ms without trouble"
    assert frames <= quiet[2] + 2, f"{frames} frames for one key, {quiet[2]} without trouble"
    return f"{middle:.1f} ms a key and {slowest:.1f} ms at most; without trouble {quiet[1]:.1f} and {quiet[0]:.1f}"


def leaves(command, *keys):
    """q at the root, while the trouble lasts."""
    def attempt():
        with Line(command, size=(120, 36)) as line:
            line.first_page()
            for key in keys:
                line.press(key)
            time.sleep(0.5)  # something is under way by now
            line.type("q")
            return line.wait(20)
    return f"left in {1000 * ends_in(LEAVE_S, attempt):.0f} ms"


@check("without trouble: what the same keys take")
def quiet_first():
    with Line(Quiet.command(), size=(120, 36)) as line:
        shows(line.first_page(), "● shop")
        line.press("2")
        shows(line, " 9 of 9 ")
        line.press("3")
        Quiet.pages = rounds(line)
        assert Quiet.pages[0] <= ANSWER_MS, Quiet.pages
        return f"{Quiet.pages[1]:.1f} ms a key, {Quiet.pages[0]:.1f} at most"


@check("Postgres accepts and never answers: the pane says so, keys go on, q leaves")
def mute():
    listener = socket.create_server(("127.0.0.1", 0))
    taken = []

    def take():
        try:
            while True:
                taken.append(listener.accept())
        except OSError:
            pass
    threading.Thread(target=take, daemon=True).start()
    profile = Quiet.home / "mute.yaml"
    profile.write_text(re.sub(r"host=\S+", f"host=127.0.0.1 port={listener.getsockname()[1]}", Quiet.profile.read_text()))
    try:
        with Line(Quiet.command(profile), size=(120, 36)) as line:
            line.first_page().press("3")
            note = as_ever(rounds(line))
            shows(line, "no answer", SAYS_S)
            line.type("2")
            shows(line, WAITS, SAYS_S)
            line.press("4", "select 1 from shop_customers", "Enter")
            note = note + ", editor " + as_ever(rounds(line, ["Left", "Left", "Right", "Right"], close=False), Quiet.pages)
            assert taken, "nobody asked it"
        return note + "; " + leaves(Quiet.command(profile), "2")
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection, _ in taken:
            connection.close()


def server_processes():
    top = int((Quiet.home / "pg/data/postmaster.pid").read_text().split("\n")[0])
    return [top] + [int(pid) for pid in pathlib.Path(f"/proc/{top}/task/{top}/children").read_text().split()]


@check("the server itself stands still in mid-conversation, and goes on: the same, and all is well again")
def stopped_server():
    stopped = []
    with Line(Quiet.command(), size=(120, 36)) as line:
        shows(line.first_page(), "● shop")
        try:
            stopped = server_processes()
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            line.press("2", "3")
            note = as_ever(rounds(line))
            line.press("2")
            shows(line, WAITS, SAYS_S)
            shows(line, r"pg \?", SAYS_S)  # nothing stays green that nobody answered for
            line.press("3")
            shows(line, r"\? shop +no answer since", SAYS_S)
            note += "; " + leaves(Quiet.command(), "2")
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        shows(line, "● shop", 40)
        return note


@check("a merge and as many busy processes as there are cores: keys go on, q leaves and the merge does too")
def busy_merge():
    Quiet.more_rows(ROWS, 1_000_000)
    busy = []
    try:
        with Line(Quiet.command(), size=(120, 36)) as line:
            shows(line.first_page(), "● shop")
            line.press("2")
            shows(line, " 9 of 9 ")
            line.press("3", "m")
            time.sleep(0.25)
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
            line.type("Enter")
            shows(line, "runs as run")
            note = as_ever(rounds(line))
            line.press("7")
            shows(line, "running +merge|done +merge")
        return note + "; " + leaves(Quiet.command(), "2")
    finally:
        for process in busy:
            process.kill()
            process.wait()
        Quiet.surf("merge", "shop", "--once")


@check(f"{ROWS} rows stream into the grid: keys in the editor and in the grid go on, q leaves")
def streaming_rows():
    figures = []
    with Line(Quiet.command(), size=(120, 36)) as line:
        shows(line.first_page(), "● shop")
        line.press("4")
        shows(line, "SQL")
        line.press("select * from shop_customers")
        quiet = rounds(line, ["Left", "Left", "Right", "Right"], close=False)
        streamed = 0
        for _ in range(4):
            line.type("Enter")
            figures.append(rounds(line, ["Left", "Left", "Right", "Right"], close=False, count=1))
            streamed += not re.search(r"\d{6} rows, all", "\n".join(line.page()))
            shows(line, r"\d{6} rows, all")
        worst = tuple(min(figure[i] for figure in figures) for i in range(3))
        note = as_ever(worst, quiet)
        assert streamed, "all rows were there before the keys"
        line.type("Enter")
        line.press("Esc")
        time.sleep(0.1)
        grid = rounds(line, ["Down", "Down", "Down", "Up", "Up"], close=False, count=1)
        shows(line, r"\d{6} rows, all")
        note += ", grid " + as_ever(grid, quiet)
    return note + "; " + leaves(Quiet.command(), "4", "select * from shop_customers", "Enter", "Esc")


def main():
    folder = checks.scratch_folder()
    Quiet.home, Quiet.stop = checks.make_world("built", folder)
    Quiet.profile = Quiet.home / "surfboard.yaml"
    run(Quiet.stop)


main()
