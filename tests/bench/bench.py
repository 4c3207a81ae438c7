#!/usr/bin/env python3
"""bench.py: the figures of `make bench`.

    bench.py --build .build/gcc [--smoke] [--rounds N] [--only scan|merge] [--json FILE]

Workload: tests/tools/cdcgen, seed 1. Scanner: one thread over files in the page cache, narrow (6
columns) and wide (20). Merge: a table of 1 M rows, ten batches of 100 k events, one process and one
commit a batch, as a scheduler would run it; the peer is DuckDB doing the same in one process:
newest event of each key from the JSON, then its Parquet file rewritten. Rounds alternate, the
median of each figure is shown. CPU-seconds are user + system of whole processes, start included.

No figure is printed before the result of its run is verified: the scanner's records against the
generator's counts, tables against the generator's checksum, read by DuckDB.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/readers"))
from digest import metadata_file  # noqa: E402
from generated import Workload, checksum, connect  # noqa: E402

DATA = ROOT / ".build/bench-data"
MIB = 1 << 20


def measured(command, environment=None):
    """Runs a process to its end: (its output, wall s, CPU s). Its peak memory it tells itself: what
    the kernel reports to us would start with this interpreter's own. Hence the shell in between."""
    begun = time.monotonic()
    process = subprocess.Popen(["/bin/sh", "-c", '"$@"; exit $?', "sh", *map(str, command)],
                               stdout=subprocess.PIPE, env=environment)
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench.py: exit {process.returncode}: {' '.join(map(str, command))}\n{output}")
    return output, time.monotonic() - begun, usage.ru_utime + usage.ru_stime


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"bench.py: {what}: found {found}, the generator says {wanted}: no figures")


def bench_scan(build, profile, events, passes):
    work = Workload(DATA / f"scan-{profile}-{events}", "--seed", "1", "--rows", str(max(1000, events // 10)),
                    "--events", str(events), "--profile", profile, "--skip-base-files")
    expected = work.expected[1]
    files = [work.folder / name for name in work.files[1]]
    output, *_ = measured([build / "bench/bench_scan", work.schema_file, str(passes), *files])
    lines = [json.loads(line) for line in output.splitlines()]
    for line in lines:
        check(f"bytes of {profile}", line["bytes"], sum(f.stat().st_size for f in files))
        check(f"records of {profile}", line["records"], expected["events"] + expected["tombstones"])
        if line["level"] != "lines":
            for kind in ("inserts", "updates", "deletes", "tombstones"):
                check(f"{kind} of {profile}", line[kind], expected[kind])
    results = {}
    for level in ("scan", "rows"):
        seconds = statistics.median(line["cpu_ns"] for line in lines if line["level"] == level) / 1e9
        results[level] = {"mb_s": lines[0]["bytes"] / 1e6 / seconds, "events_s": expected["events"] / seconds}
    results["bytes_per_event"] = lines[0]["bytes"] / expected["events"]
    return results


def copy_tree(source, target):
    """Delta files are never written again, so they are linked; the rest is copied."""
    if source.exists():
        shutil.copytree(source, target, copy_function=os.link if "deltas" in source.name else shutil.copy2)


def tree_files(folder):
    return {str(p): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


class MergeBench:
    """A table of ours in DATA/merge/table, put back to its first state before each round."""

    def __init__(self, build, rows, events, batches):
        self.program = build / "surfboard"
        self.work = Workload(DATA / f"merge-{rows}-{events}-{batches}", "--seed", "1", "--rows", str(rows), "--events",
                             str(events), "--batches", str(batches), "--profile", "narrow")
        self.batches = batches
        self.home = DATA / "state"
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self.table, self.cache, self.deltas = (self.home / n for n in ("table", "cache", "deltas"))
        self.environment = os.environ | {"XDG_CACHE_HOME": str(self.cache), "HOME": str(self.home)}
        self.arrive(0)
        self.merge()
        self.verify_ours(0)
        for name in ("table", "cache", "deltas"):
            copy_tree(self.home / name, self.home / f"{name}.first")
        self.first_file_of_peer()

    def first_file_of_peer(self):
        """DuckDB starts from the rows of our table after the snapshot."""
        path = self.home / "duck0.parquet"
        names = ", ".join(f'"{c["name"]}"' for c in self.work.columns)
        connect(iceberg=True).execute(
            f"COPY (SELECT {names} FROM iceberg_scan('{metadata_file(str(self.table))}')) "
            f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        check("the peer's first file", checksum(self.work.columns, path), self.work.answer(0))

    def arrive(self, batch):
        for name in self.work.files[batch]:
            self.work.arrive(name, self.deltas)

    def merge(self):
        return measured([self.program, "merge", "--deltas", self.deltas / self.work.topic, "--schema",
                         self.work.schema_file, "--table", self.table, "--json"], self.environment)

    def verify_ours(self, batch):
        found = checksum(self.work.columns, metadata_file(str(self.table)), iceberg=True)
        check(f"our table after batch {batch}", found, self.work.answer(batch))

    def reset(self):
        for name in ("table", "cache", "deltas"):
            shutil.rmtree(self.home / name, ignore_errors=True)
            copy_tree(self.home / f"{name}.first", self.home / name)

    def round_ours(self, cold):
        """All batches; cold: the key index is thrown away before each."""
        self.reset()
        before = tree_files(self.table)
        walls, cpus, peaks, events = [], [], [], 0
        for batch in range(1, self.batches + 1):
            self.arrive(batch)
            if cold:
                shutil.rmtree(self.cache, ignore_errors=True)
            output, wall, cpu = self.merge()
            summary = json.loads(output.splitlines()[-1])
            check(f"state of batch {batch}", summary["state"], "committed")
            walls.append(wall)
            cpus.append(cpu)
            peaks.append(summary["peak_rss_bytes"])
            events += self.work.expected[batch]["events"]
        self.verify_ours(self.batches)
        written = sum(size for name, size in tree_files(self.table).items() if name not in before)
        return {"wall_s": sum(walls), "cpu_s": sum(cpus), "peak_rss": max(peaks), "written": written,
                "events": events, "batch_wall_p50_s": statistics.median(walls)}

    def round_duck(self):
        for old in self.home.glob("duck[1-9]*.parquet"):
            old.unlink()
        command = [sys.executable, ROOT / "tests/bench/peer.py", self.work.folder, self.home / "duck",
                   json.dumps(self.work.files[1:])]
        output, wall, cpu = measured(command)
        last = self.home / f"duck{self.batches}.parquet"
        check("the peer's last file", checksum(self.work.columns, last), self.work.answer(self.batches))
        written = sum(p.stat().st_size for p in self.home.glob("duck[1-9]*.parquet"))
        return {"wall_s": wall, "cpu_s": cpu, "peak_rss": int(output.split()[-1]), "written": written}


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def bench_merge(build, rows, events, batches, rounds):
    bench = MergeBench(build, rows, events, batches)
    warm, cold, duck = [], [], []
    for _ in range(rounds):
        warm.append(bench.round_ours(cold=False))
        duck.append(bench.round_duck())
        cold.append(bench.round_ours(cold=True))
    # A ratio is taken within its round, so that both sides met the same machine.
    ratio = statistics.median(d["cpu_s"] / w["cpu_s"] for d, w in zip(duck, warm))
    index = sum(size for _, size in tree_files(bench.cache).items()) if bench.cache.exists() else 0
    return {"warm": medians(warm), "cold": medians(cold), "duck": medians(duck), "cpu_ratio": ratio,
            "index_bytes": index}


def print_scan(profile, result):
    for level, label in (("scan", "members"), ("rows", "members + typed rows")):
        r = result[level]
        print(f"scan   {profile:7} {label:22} {r['mb_s']:8.0f} MB/s  {r['events_s'] / 1e6:6.2f} M events/s/core"
              f"   ({result['bytes_per_event']:.0f} B an event)")


def print_merge(rows, events, batches, result):
    print(f"merge  {batches} batches of {events} events into {rows} rows, narrow")
    for name, label in (("warm", "surfboard"), ("cold", "surfboard, no key index"), ("duck", "DuckDB rewriting Parquet")):
        r = result[name]
        total = result["warm"]["events"]
        print(f"       {label:26} {total / r['wall_s'] / 1e6:6.3f} M events/s  {total / r['cpu_s'] / 1e6:6.3f} M events/CPU-s  "
              f"{r['cpu_s']:6.2f} CPU-s  {r['wall_s']:6.2f} s  {r['peak_rss'] / MIB:5.0f} MiB peak  "
              f"{r['written'] / MIB:6.1f} MiB written")
    saved = result["cold"]["cpu_s"] - result["warm"]["cpu_s"]
    print(f"       key index: {result['index_bytes'] / MIB:.1f} MiB on disk, saves {saved:.2f} CPU-s of "
          f"{result['cold']['cpu_s']:.2f}")
    print(f"       DuckDB's CPU-seconds / ours: {result['cpu_ratio']:.2f}")


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--build", required=True, type=pathlib.Path)
    options.add_argument("--smoke", action="store_true", help="tiny sizes: proves the bench, not the speed")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=("scan", "merge"))
    options.add_argument("--json", type=pathlib.Path)
    chosen = options.parse_args()
    build = chosen.build.resolve()
    rows, events, batches, rounds = (20_000, 2_000, 3, 1) if chosen.smoke else (1_000_000, 100_000, 10, chosen.rounds)
    DATA.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"
          f"{' (busy: read ratios only)' if load > 1 else ''}{', smoke sizes' if chosen.smoke else ''}")
    results = {"load": load, "smoke": chosen.smoke}
    if chosen.only != "merge":
        for profile in ("narrow", "wide"):
            results[profile] = bench_scan(build, profile, 5_000 if chosen.smoke else 200_000, max(3, rounds))
            print_scan(profile, results[profile])
    if chosen.only != "scan":
        results["merge"] = bench_merge(build, rows, events, batches, rounds)
        print_merge(rows, events, batches, results["merge"])
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
