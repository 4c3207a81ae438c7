#!/usr/bin/env python3
"""arrows.py: fails when an #include points upwards, or names a file otherwise than from the root.

The table is the architecture: each part may include itself, what its row lists, and nothing else.
A new arrow is a decision about the architecture: it goes into this table in a commit of its own.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAY_INCLUDE = {
    "core/base": "",
    "core/codec": "base",
    "core/config": "base",
    "core/model": "base",
    "core/net": "base",
    "core/store": "base net",
    "core/change": "base codec store",
    "core/parquet": "base codec",
    "core/avro": "base codec",
    "core/iceberg": "base codec parquet avro store net",
    "core/merge": "base codec parquet store net change iceberg",
    "core/query": "base codec parquet store net change iceberg",
    "core/pipeline": "base codec config model net store change parquet iceberg merge query",
}


def part_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] in ("core", "plugins") else parts[0]


def allowed(source, target):
    if source == target or target == "core/base":
        return True
    if source == "tests":
        return True
    if source == "tui":
        return target.startswith(("core/", "plugins/"))
    if source.startswith("plugins/"):
        return target.startswith("core/")
    row = MAY_INCLUDE.get(source)
    return row is not None and target.removeprefix("core/") in row.split()


def main():
    problems = []
    files = [p for top in ("core", "plugins", "tui", "tests") for p in (ROOT / top).rglob("*.[ch]")]
    for path in sorted(files):
        name = str(path.relative_to(ROOT))
        if part_of(name).startswith("core/") and part_of(name) not in MAY_INCLUDE:
            problems.append(f"{name}: {part_of(name)} has no row in tests/tools/arrows.py")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            target = match[1]
            if not (ROOT / target).is_file():
                problems.append(f'{name}:{number}: "{target}" is not a path from the root')
            elif not allowed(part_of(name), part_of(target)):
                problems.append(f"{name}:{number}: {part_of(name)} may not include {target}")
    for problem in problems:
        print(problem)
    print(f"  {'FAIL' if problems else 'ok  '}  include arrows: {len(files)} files")
    return 1 if problems else 0


sys.exit(main())
