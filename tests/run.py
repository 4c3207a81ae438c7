#!/usr/bin/env python3
"""run.py: runs what `make test` built, several tasks at a time, one line each.

    run.py [--tier unit|watched|fuzz|pty|screen|e2e]... [--only WORD] [--jobs N] [--fuzz-seconds N]

A task passes (exit 0), fails, or is skipped: exit 77 with a last line "SKIP reason", which the summary
repeats. Anything else that keeps a test from running is a failure. Logs stay in .build/test.
"""
import argparse
import base64
import dataclasses
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLAIN = ROOT / ".build/gcc-faults"
WATCHED = ROOT / ".build/clang-14-address-undefined-fuzzer-no-link-faults"
LOGS = ROOT / ".build/test"
LAST_TIMES = LOGS / "seconds.json"
TIERS = ("e2e", "pty", "screen", "fuzz", "watched", "unit")
# With servers that have to be built or fetched first: `make stack-test`, not `make test`.
STACK = {"s3_lake", "s3_second"}
SKIPPED = 77
# Seconds until a test counts as hung, on a machine that others use as well.
E2E_LIMIT = 900
# Run a second time with the sanitized program: they lead through every reader of foreign bytes.
WATCHED_TOO = {"generated", "trino_tables"}

# What the pty tier's files drive besides the terminal layer alone and the screen of a world without a Postgres.
PTY_PROGRAMS = {"frames": ("probe", "screen", "built"), "backends": ("screen",), "hostile": ("screen",)}


@dataclasses.dataclass
class Task:
    tier: str
    name: str
    command: list
    limit: int  # seconds
    promise: str = ""
    process: subprocess.Popen = None
    started: float = 0.0
    stopped: bool = False
    log: pathlib.Path = None
    environment: dict = dataclasses.field(default_factory=dict)


def unit_tasks(tier, build):
    for source in sorted((ROOT / "tests/unit").glob("test_*.c")):
        yield Task(tier, source.stem, [str(build / "unit" / source.stem)], 240)


def fuzz_tasks(seconds):
    for source in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c")):
        name = source.stem
        found = ROOT / ".build/fuzz" / name
        found.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests/fuzz/corpus" / name.removeprefix("fuzz_")
        words = ROOT / "tests/fuzz" / f"{name}.dict"
        command = [str(WATCHED / "fuzz" / name), str(found)]
        command += [str(seeds)] if seeds.is_dir() else []
        command += [f"-dict={words}"] if words.is_file() else []
        command += [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024",
                    "-print_final_stats=1", f"-artifact_prefix={found.parent}/{name}-"]
        yield Task("fuzz", name, command, seconds + 90, f"{seconds} s without a finding")


def promise_of(path):
    """A test without a promise guards nothing: its first comment (or docstring) line says what it is."""
    for line in path.read_text().splitlines()[:4]:
        match = re.match(r'(?:# ?|""")Promise: (.*)', line)
        if match:
            return match[1].rstrip('"')
    sys.exit(f"{path}: the first comment must be `Promise: ...`")


def e2e_tasks(python, stack=False):
    for path in sorted((ROOT / "tests/e2e").iterdir()):
        if path.suffix not in (".sh", ".py") or path.name.startswith(("lib.", "lib_")):
            continue
        if (path.stem in STACK) != stack:
            continue
        command = ["bash", str(path)] if path.suffix == ".sh" else [python, str(path)]
        promise = promise_of(path)
        yield Task("e2e", path.stem, command, E2E_LIMIT, promise)
        if path.stem in WATCHED_TOO:
            yield Task("e2e", path.stem + ", watched", command, E2E_LIMIT, promise,
                       environment={"SURFBOARD": str(WATCHED / "surfboard")})


def screen_tasks(python):
    """Scripts whose names begin alike (streams_…) in one task, plain and sanitized."""
    names = sorted({path.stem.split("_")[0] for path in (ROOT / "tests/screen").glob("*.script")})
    for name in names:
        scripts = len(list((ROOT / "tests/screen").glob(f"{name}_*.script")))
        for suffix, build in (("", PLAIN), (", watched", WATCHED)):
            yield Task("screen", f"{name}{suffix}", [python, str(ROOT / "tests/screen/run.py"), f"{name}_"], 400,
                       f"{scripts} scripts", environment={"SCREEN_DRIVER": str(build / "screen/driver"),
                                                          "SHOP_TOOL": str(PLAIN / "tools/shop")})


def pty_tasks():
    """Each file with the terminal layer alone and with the whole program, plain and sanitized."""
    for path in sorted((ROOT / "tests/pty").glob("*.py")):
        if not path.read_text().startswith('"""Promise: '):
            continue  # a helper of the others
        for build, suffix in ((PLAIN, ""), (WATCHED, ", watched")):
            programs = {"probe": {"SCREEN": shlex.quote(str(build / "pty/probe"))},
                        "screen": {"SCREEN_WORLD": "still"}, "built": {"SCREEN_WORLD": "built"}}
            for program in PTY_PROGRAMS.get(path.stem, ("probe", "screen")):
                # The layer alone is in the whole program; by itself it only adds its crashes.
                if program == "probe" and build == WATCHED and path.stem != "restore":
                    continue
                yield Task("pty", f"{path.stem}, {program}{suffix}", [sys.executable, str(path)], 300,
                           promise_of(path), environment={"SURFBOARD": str(build / "surfboard"), **programs[program]})


def start(task, environment):
    task.log = LOGS / f"{task.tier}-{task.name}.log"
    task.started = time.monotonic()
    with open(task.log, "wb") as log:
        try:
            task.process = subprocess.Popen(task.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True,
                                            env=environment | task.environment)
        except OSError as error:  # not built: a failure, never a skip
            log.write(f"{error}\n".encode())


def fuzz_verdict(code, text):
    """libFuzzer ends with 77, 70 or 71 on a finding, and writes the input down unless it had no time to."""
    found = re.findall(r"Test unit written to (\S+)", text)
    if code and found:
        what = re.findall(r"^SUMMARY: (.*)", text, re.MULTILINE)[-1:] or ["?"]
        return "FAIL", f"a finding: {found[-1]} ({what[0]})"
    return ("FAIL", f"exit {code} without an input") if code else ("ok", "")


def verdict(task):
    """(word, reason) of an ended task."""
    text = task.log.read_text(errors="replace")
    code = task.process.returncode if task.process else 127
    if task.stopped:
        return "FAIL", f"stopped after {task.limit} s"
    if task.tier == "fuzz":
        return fuzz_verdict(code, text)
    if code == SKIPPED:
        last = text.strip().splitlines()[-1:] or [""]
        if last[0].startswith("SKIP "):
            return "SKIP", last[0][5:]
        return "FAIL", "skipped without a reason"
    if code:
        return "FAIL", f"exit {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
    skipped = re.findall(r"\[  SKIPPED \] (\w+)", text)
    if skipped:
        return "SKIP", "cmocka: " + ", ".join(sorted(set(skipped)))
    if task.tier in ("unit", "watched") and "[  PASSED  ]" not in text:
        return "FAIL", "ran no test"
    return "ok", ""


def end_group(task):
    try:
        os.killpg(task.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def print_inputs(task):
    """What a fuzzer found, as text: a log is often all that is left of a machine."""
    for name in set(re.findall(r"Test unit written to (\S+)", task.log.read_text(errors="replace"))):
        found = pathlib.Path(name)
        if task.tier != "fuzz" or not found.is_file():
            continue
        text = base64.b64encode(found.read_bytes()).decode()
        print(f"        | base64 of {found.name}, {found.stat().st_size} bytes:")
        for start in range(0, min(len(text), 200_000), 2000):
            print(f"        | {text[start:start + 2000]}")
        print("        | end of base64", flush=True)


def report(task, word, reason):
    seconds = time.monotonic() - task.started
    note = reason or task.promise
    print(f"  {word:4}  {task.tier:7} {task.name:28} {seconds:6.1f} s  {note}".rstrip(), flush=True)
    if word == "FAIL":
        lines = task.log.read_text(errors="replace").splitlines()[-60:]
        print("\n".join("        | " + line for line in lines), flush=True)
        print_inputs(task)
        print(f"        | whole log: {task.log.relative_to(ROOT)}", flush=True)
    return seconds


def run(tasks, jobs, environment):
    waiting, running, results = list(tasks), [], []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                start(task, environment)
                running.append(task)
            time.sleep(0.05)
            for task in list(running):
                if task.process and task.process.poll() is None:
                    if time.monotonic() - task.started < task.limit:
                        continue
                    task.stopped = True
                    end_group(task)
                    task.process.wait()
                running.remove(task)
                word, reason = verdict(task)
                results.append((task, word, reason, report(task, word, reason)))
    finally:
        for task in running:
            if task.process:
                end_group(task)
    return results


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--tier", action="append", choices=(*TIERS, "stack"))
    options.add_argument("--only", default="")
    # More than cores: many wait for a disk, a server or a terminal.
    options.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 2))
    options.add_argument("--fuzz-seconds", type=int, default=20)
    chosen = options.parse_args()
    tiers = chosen.tier or TIERS
    LOGS.mkdir(parents=True, exist_ok=True)
    python = sys.executable
    if {"e2e", "stack", "screen"} & set(tiers):
        python = subprocess.run([ROOT / "tests/tools/venv.sh"], check=True, stdout=subprocess.PIPE,
                                text=True).stdout.strip()
    made = {
        "e2e": lambda: e2e_tasks(python),
        "screen": lambda: screen_tasks(python),
        "stack": lambda: e2e_tasks(python, stack=True),
        "pty": pty_tasks,
        "fuzz": lambda: fuzz_tasks(chosen.fuzz_seconds),
        "watched": lambda: unit_tasks("watched", WATCHED),
        "unit": lambda: unit_tasks("unit", PLAIN),
    }
    tasks = [task for tier in (*TIERS, "stack") if tier in tiers for task in made[tier]() 
             if chosen.only in task.name or chosen.only == task.tier]
    if not tasks:
        sys.exit(f"run.py: nothing is called {chosen.only!r}")
    last = json.loads(LAST_TIMES.read_text()) if LAST_TIMES.is_file() else {}
    tasks.sort(key=lambda task: -last.get(f"{task.tier}-{task.name}", 60 if task.tier == "e2e" else 20))
    environment = os.environ | {
        "SURFBOARD": str(PLAIN / "surfboard"),
        "SURFBOARD_CDCGEN": str(ROOT / ".build/tools/cdcgen"),
        "PYTHON": python,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    begun = time.monotonic()
    results = run(tasks, chosen.jobs, environment)
    for task, _, _, seconds in results:
        last[f"{task.tier}-{task.name}"] = round(seconds, 1)
    LAST_TIMES.write_text(json.dumps(last, indent=1, sort_keys=True))
    count = {word: sum(1 for result in results if result[1] == word) for word in ("ok", "FAIL", "SKIP")}
    print(f"\n{count['ok']} passed, {count['FAIL']} failed, {count['SKIP']} skipped "
          f"in {time.monotonic() - begun:.0f} s")
    for task, word, reason, _ in results:
        if word != "ok":
            print(f"  {word:4}  {task.tier} {task.name}: {reason}")
    sys.exit(1 if count["FAIL"] else 0)


if __name__ == "__main__":
    main()
