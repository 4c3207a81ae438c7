"""Promise: killed, or failing with EIO or ENOSPC, at any fault point, a plain re-run reaches exactly the right state."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lib_crash_capture  # noqa: E402
import lib_crash_stream  # noqa: E402
from lib_crash import (  # noqa: E402
    ROOT, Broken, Cell, Create, Large, Maintain, Merge, Quarantine, Reload, Rewrite)

ACTIONS = ("kill", "eio", "enospc")
# The first so many times that the program comes by a point are tried, one after the other.
MOST = {"kill": 8, "eio": 3, "enospc": 1}
# A scenario with many points is played by several at once, each in a home of its own.
POINTS_A_PART = 12

HINT = "the version hint helps readers and decides nothing"

# Each fault point of the source: the scenarios it must fire in, and whether the program may end well
# in spite of EIO and ENOSPC there ("absorbed": with the reason).
TABLE = {
    "feed.file.before-open": ((Merge,), ""),
    "feed.file.read": ((Merge,), ""),
    "iceberg.commit.after-data": ((Merge,), ""),
    "iceberg.commit.after-flush": ((Merge,), ""),
    "iceberg.commit.after-manifests": ((Merge,), ""),
    "iceberg.commit.after-pointer": ((Merge,), lib_crash_stream.OWN),
    "iceberg.commit.before-flush": ((Merge,), ""),
    "iceberg.commit.before-list": ((Merge,), ""),
    "iceberg.commit.before-pointer": ((Merge,), ""),
    "iceberg.create.before-pointer": ((Create,), ""),
    "iceberg.deletes.before-write": ((Merge,), ""),
    "merge.batch.after-write": ((Merge,), ""),
    "merge.batch.before-write": ((Merge,), ""),
    "merge.commit.after-publish": ((Merge,), ""),
    "merge.commit.before-publish": ((Merge,), ""),
    "merge.data.after-file": ((Merge, Create), ""),
    "merge.data.before-file": ((Merge, Create), ""),
    "merge.deletes.after-file": ((Merge,), ""),
    "merge.deletes.before-file": ((Merge,), ""),
    "merge.index.before-save": ((Merge,), "the key index is disposable"),
    "merge.resolve.before-search": ((Merge,), ""),
    "merge.rewrite.before-file": ((Rewrite,), "the batch stands; a later one rewrites"),
    "merge.rewrite.before-publish": ((Rewrite,), "the batch stands; a later one rewrites"),
    "merge.table.after-create": ((Create,), ""),
    "store.commit.after-name": ((Merge, Create), "the object has its name already"),
    "store.commit.before-folder-sync": ((Merge, Create), lib_crash_stream.OWN),
    "store.commit.before-name": ((Merge, Create), HINT),
    "store.commit.before-sync": ((Merge, Create), ""),
    "store.link.reply": ((Merge, Create), "our own object is recognised behind the lost reply"),
    "store.sync.before-files": ((Merge, Create), ""),
    "store.sync.before-folders": ((Merge, Create), ""),
    "store.write.before": ((Merge, Create), HINT),
    "store.write.large": ((Large,), ""),
    "store.delete.before": ((Maintain,), ""),
    "iceberg.expire.after-commit": ((Maintain,), ""),
    "iceberg.expire.before-delete": ((Maintain,), ""),
    "iceberg.orphans.after-list": ((Maintain,), ""),
    "iceberg.orphans.before-delete": ((Maintain,), ""),
    "merge.quarantine.after-file": ((Quarantine,), ""),
    "merge.reload.after-keys": ((Reload,), ""),
}


TABLE |= lib_crash_capture.POINTS | lib_crash_stream.POINTS


def points_of_source():
    """{point: files} of all FAULT("...") in core, plugins and tui."""
    found = {}
    for top in ("core", "plugins", "tui"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            if path.name in ("fault.h", "fault.c"):
                continue
            for name in re.findall(r'FAULT\(\s*"([^"]+)"', path.read_text()):
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


def sweep(scenario, point, absorbed, report):
    """All cells of one point in one scenario; the first time must fire, later ones may not be reached."""
    cells = 0
    for action in ACTIONS:
        for nth in range(1, MOST[action] + 1):
            cell = Cell(point, action, nth)
            try:
                if not scenario.play(cell, bool(absorbed)):
                    if nth == 1:
                        report(f"{scenario.name}: {cell}: did not fire")
                    break
                cells += 1
            except Broken as broken:
                report(f"{scenario.name}: {cell}: {broken}")
                break
    return cells


def play_scenario(kind, home, rows, report, totals):
    begun = time.monotonic()
    cells = 0
    try:
        scenario = kind(home)
        try:
            for point, absorbed in rows:
                cells += sweep(scenario, point, absorbed, report)
        finally:
            scenario.close()
    except Exception as error:  # a scenario that can't be set up fails the test, with its name
        report(f"{kind.name}: {type(error).__name__}: {error}")
    totals.append(cells)
    print(f"{kind.name}: {len(rows)} points, {cells} cells, {time.monotonic() - begun:.0f} s", flush=True)


def main():
    wanted = sys.argv[1:]  # points or scenarios, to look at some by hand
    problems, totals = [], []
    points = points_of_source()
    for name in sorted(points.keys() - TABLE.keys()):
        problems.append(f"{name} ({', '.join(points[name])}) is not in the matrix")
    for name in sorted(TABLE.keys() - points.keys()):
        problems.append(f"{name} is in the matrix and not in the source")
    home = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-test."))
    home.chmod(0o755)
    kinds = (Merge, Create, Large, Maintain, Quarantine, Reload, Rewrite, *lib_crash_capture.KINDS, *lib_crash_stream.KINDS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for kind in kinds:
            rows = [(point, absorbed) for point, (names, absorbed) in TABLE.items()
                    if kind in names and (not wanted or point in wanted or kind.name in wanted)]
            for part in range(0, len(rows), POINTS_A_PART):
                pool.submit(play_scenario, kind, home / f"{kind.name}{part}", rows[part:part + POINTS_A_PART],
                            problems.append, totals)
    for problem in problems:
        print("BROKEN " + problem)
    print(f"{len(points)} points, {sum(totals)} cells, {len(problems)} broken")
    if problems:
        print(f"kept: {home}")
        return 1
    shutil.rmtree(home)
    return 0


sys.exit(main())
