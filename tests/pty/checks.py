"""Runs the functions that a file marked with @check, one after the other.

    FILE.py [--only WORD] [COMMAND...]

COMMAND is the program under test; without it $SCREEN (split as a shell does), or the probe of the build.
"""
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
checks = []


class Program:
    command = []

    @staticmethod
    def is_probe():
        return os.path.basename(Program.command[0]) == "probe"


def check(promise, probe=False):
    """`probe`: needs what only the probe has, its row of figures or its crash keys."""
    def add(function):
        checks.append((function, promise, probe))
        return function
    return add


def run():
    arguments, only = sys.argv[1:], ""
    if arguments[:1] == ["--only"]:
        only, arguments = arguments[1], arguments[2:]
    Program.command = arguments or shlex.split(os.environ.get("SCREEN", "")) or \
        [str(ROOT / ".build/gcc-faults/pty/probe")]
    scratch = tempfile.mkdtemp(prefix="surfboard-pty-")
    tempfile.tempdir = scratch
    failed = 0
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
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failed else 0)
