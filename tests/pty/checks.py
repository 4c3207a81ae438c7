"""Runs the functions that a file marked with @check, one after the other.

    FILE.py [--only WORD] [COMMAND...]

COMMAND is the program under test; without it $SCREEN (split as a shell does), or the probe of the build. With
$SCREEN_WORLD=still or built it is $SURFBOARD in such a world, made here by tests/screen/world.py.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
checks = []


class Program:
    command = []
    keys = shows = ""  # what leads to a page at rest, and what stands there then

    @staticmethod
    def is_probe():
        return os.path.basename(Program.command[0]) == "probe"


# A page that doesn't tick, with rows to move on.
CALM = {"still": ("2", r"lake ●.*Checked \d"), "built": ("2", r"lake ●.* 9 of 9 .*Checked \d")}


def calm(line):
    """The first page of a program that changes nothing by itself; the real screen is led to such a page."""
    line.first_page()
    if Program.keys:
        line.press(*Program.keys.split())
        shows(line, Program.shows)
    return line


def shows(line, words, seconds=20):
    """Until the page shows this (a regular expression over all rows) and is settled."""
    end = time.monotonic() + seconds
    while not re.search(words, "\n".join(line.page()), re.S):
        assert time.monotonic() < end, f"does not show {words!r}:\n" + "\n".join(line.page())
        line.read() or time.sleep(0.01)
    line.settle()
    return line


def make_world(name, folder):
    """A prepared folder, made by the plain build whatever is tested: (its path, what ends it)."""
    plain = ROOT / ".build/gcc-faults"
    tool = [sys.executable, str(ROOT / "tests/screen/world.py")]
    environment = os.environ | {"SURFBOARD": str(plain / "surfboard"), "SHOP_TOOL": str(plain / "tools/shop")}
    home = pathlib.Path(folder) / name
    subprocess.run([*tool, name, str(home)], check=True, env=environment)
    return home, lambda: subprocess.run([*tool, "stop", str(home)], env=environment, check=False)


def surfboard():
    return os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))


def scratch_folder():
    """Below /tmp: Postgres runs as another user and must reach it."""
    folder = tempfile.mkdtemp(prefix="surfboard-pty-", dir="/tmp")
    os.chmod(folder, 0o755)
    tempfile.tempdir = folder
    return folder


def check(promise, probe=False):
    """`probe`: needs what only the probe has, its row of figures or its crash keys."""
    def add(function):
        checks.append((function, promise, probe))
        return function
    return add


def run(end_world=None):
    """`end_world`: called before the scratch folder goes."""
    arguments, only = sys.argv[1:], ""
    if arguments[:1] == ["--only"]:
        only, arguments = arguments[1], arguments[2:]
    scratch = tempfile.tempdir or scratch_folder()
    world, failed = os.environ.get("SCREEN_WORLD") if end_world is None else None, 0
    if world and not arguments:
        home, end_world = make_world(world, scratch)
        arguments = [surfboard(), "--profile", str(home / "surfboard.yaml")]
        Program.keys, Program.shows = CALM[world]
    Program.command = arguments or shlex.split(os.environ.get("SCREEN", "")) or \
        [str(ROOT / ".build/gcc-faults/pty/probe")]
    try:
        for function, promise, probe in checks:
            if only not in function.__name__ or (probe and not Program.is_probe()):
                continue
            begun, trouble = time.monotonic(), None
            try:
                note = function()
            except Exception:  # whatever it is, the others still run
                trouble = traceback.format_exc()
            failed += trouble is not None
            print(f"  {'FAIL' if trouble else 'ok  '}  {promise}  ({time.monotonic() - begun:.1f} s"
                  f"{', ' + note if not trouble and note else ''})", flush=True)
            if trouble:
                print(trouble, flush=True)
    finally:
        if end_world:
            end_world()
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failed else 0)
