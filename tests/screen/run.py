#!/usr/bin/env python3
"""run.py [PREFIX...]: runs the scripts whose names begin so (all without) and prints where one fails.

Scripts of one world share its folder and run one after the other; `fresh` ones have their own each. The driver is
$SCREEN_DRIVER, of the plain build when it is not set.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DRIVER = os.environ.get("SCREEN_DRIVER", str(ROOT / ".build/gcc-faults/screen/driver"))
CLEAN = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "USER": "surf", "TERM": "xterm-256color"}


def world_of(script):
    match = re.search(r"^ *world +(\w+)", script.read_text(), re.M)
    return match[1] if match else "none"


def batches(scripts):
    """(world, scripts) of one driver run each."""
    together = collections.defaultdict(list)
    for script in scripts:
        world = world_of(script)
        if world == "fresh":
            yield world, [script]
        else:
            together[world].append(script)
    yield from together.items()


def run(world, scripts):
    with tempfile.TemporaryDirectory(prefix="surfboard-screen.", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        home = pathlib.Path(folder) / "home"
        home.mkdir()
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("SURFBOARD_", "XDG_"))} | CLEAN | {
            "HOME": str(home), "WORLD": f"{folder}/{world}", "ROOT": str(ROOT)}
        environment.setdefault("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
        environment.pop("NO_COLOR", None)
        environment.pop("COLORTERM", None)
        try:
            if world != "none":
                subprocess.run([sys.executable, HERE / "world.py", world, environment["WORLD"]], check=True,
                               env=environment)
            return subprocess.run([DRIVER, *map(str, scripts)], env=environment, cwd=folder).returncode == 0
        finally:
            if world != "none":
                subprocess.run([sys.executable, HERE / "world.py", "stop", environment["WORLD"]], env=environment)


def main():
    wanted = tuple(sys.argv[1:]) or ("",)
    scripts = sorted(script for script in HERE.glob("*.script") if script.name.startswith(wanted))
    if not scripts:
        sys.exit(f"no script begins with {' or '.join(wanted)}")
    results = [run(world, chosen) for world, chosen in batches(scripts)]
    print(f"{len(scripts)} scripts", "ok" if all(results) else "FAIL")
    sys.exit(0 if all(results) else 1)


main()
