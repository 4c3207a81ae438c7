#!/usr/bin/env python3
"""style.py: what clang-format does not see. Fails on

 - a file above 700 lines or a function above 100 in core, plugins, tui (files of tests: 1000);
 - work left for later, by its usual marks;
 - a path that exists on one machine only;
 - a part's folder without a README.

--long lists the longest files and functions instead.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_FILE, MAX_TEST_FILE, MAX_FUNCTION = 700, 1000, 100
GENERATOR = "tests/tools/cdcgen.c"  # one file on purpose: it is copied to where it is needed
# Spelt in halves, so that this file does not find itself.
LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
MACHINE = re.compile("/" + r"(work|root|home/\w+)/|\.\./" + "shared")
# Texts that tell where a file lies on the machine that reads them, not on the one that wrote them.
MACHINE_MAY = {"tests/tools/style.py"}


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, check=True)
    return [name for name in out.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def functions(lines):
    """(first line, length) of each function body; relies on the house's brace style."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None


def main():
    problems, long_files, long_functions = [], [], []
    names = tracked()
    for name in names:
        if name.startswith(("tests/fixtures/", "tests/fuzz/corpus/")):
            continue
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            problems.append(f"{name}: not UTF-8")
            continue
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if LATER.search(line):
                problems.append(f"{name}:{number}: work left for later: {line.strip()}")
            if name not in MACHINE_MAY and MACHINE.search(line):
                problems.append(f"{name}:{number}: a path of one machine: {line.strip()}")
        if not name.endswith((".c", ".h")) or name == GENERATOR:
            continue
        long_files.append((len(lines), name))
        limit = MAX_TEST_FILE if name.startswith("tests/") else MAX_FILE
        if len(lines) > limit:
            problems.append(f"{name}: {len(lines)} lines, more than {limit}: split it by subject")
        for start, length in functions(lines):
            long_functions.append((length, f"{name}:{start}"))
            if length > MAX_FUNCTION:
                problems.append(f"{name}:{start}: a function of {length} lines, more than {MAX_FUNCTION}")
    folders = {str(pathlib.PurePath(name).parent) for name in names if name.endswith((".c", ".h"))}
    for folder in sorted(folders | {"core", "plugins", "themes", "tests"}):
        if not (ROOT / folder / "README.md").is_file():
            problems.append(f"{folder}: has no README.md")
    if "--long" in sys.argv[1:]:
        for length, name in sorted(long_files, reverse=True)[:20] + sorted(long_functions, reverse=True)[:30]:
            print(f"{length:6} {name}")
        return 0
    for problem in problems:
        print(problem)
    print(f"  {'FAIL' if problems else 'ok  '}  style: {len(names)} files")
    return 1 if problems else 0


sys.exit(main())
