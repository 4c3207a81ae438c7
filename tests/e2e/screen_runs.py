"""Promise: what the screen starts outlives the line and every death, and a state that can't be written still opens it."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/pty"))
import checks  # noqa: E402
from checks import shows  # noqa: E402
from line import Line  # noqa: E402

SURFBOARD = checks.surfboard()
DEAF_S = 0.25  # a box that just opened hears nothing for so long
SLOW = {"SURFBOARD_FAULT": "merge.commit.before-publish=delay:6000"}
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]


class World:
    def __init__(self, folder):
        self.home, self.stop = checks.make_world("built", folder)
        self.profile = self.home / "surfboard.yaml"
        self.command = [SURFBOARD, "--profile", str(self.profile)]

    def surf(self, *words, code=0):
        done = subprocess.run([*self.command, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == code, f"exit {done.returncode}, not {code}: {words}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words):
        return json.loads(self.surf(*words, "--json").stdout.splitlines()[-1])

    def run(self, number):
        return next((run for run in self.json("runs")["runs"] if run["run"] == number), None)

    def process(self, number):
        with open(self.home / f"state/runs/{number}.jsonl") as lines:
            return json.loads(lines.readline())["pid"]

    def more_rows(self, seed):
        self.surf("simulate", "shop", "--rate", "0", "--rows", "3000", "--seed", str(seed), "--json")
        self.surf("capture", "shop", "--once", "--json")

    def equal(self):
        return self.json("verify", "shop", "--full")["equal"]

    def end(self):
        """Runs are nobody's children: what is left of them goes with the test."""
        for path in (self.home / "state/runs").glob("*.jsonl"):
            pid = self.process(path.stem)
            try:
                if str(self.home).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.stop()


def merge_by_key(line):
    """Presses m and accepts; the number of the run."""
    shows(line.first_page(), r"● shop .*m merge now")
    line.type("m")
    shows(line, "shop: merge now.*Enter merge")
    time.sleep(DEAF_S)
    line.type("Enter")
    shows(line, r"runs as run \d{4}; it goes on without this screen")
    return re.search(r"runs as run (\d{4})", "\n".join(line.page()))[1]


def await_state(world, number, state, seconds=30):
    end = time.monotonic() + seconds
    while (run := world.run(number))["state"] != state:
        assert time.monotonic() < end, f"run {number} does not become {state}: {run}"
        time.sleep(0.1)
    return run


def line_drops(world):
    world.more_rows(11)
    with Line(world.command, env=SLOW, size=(120, 36)) as line:
        number = merge_by_key(line)
        line.hang_up()
        assert line.wait(10) is not None, "the screen outlives its line"
    assert world.run(number)["state"] == "running", world.run(number)
    with Line(world.command, size=(120, 36)) as second:
        second.first_page().type("7")
        shows(second, rf"{number} +running +merge shop")
        attached = world.surf("attach", number).stdout
        shows(second, rf"{number} +done +merge shop")
        second.quit()
    assert world.run(number)["state"] == "done" and "merge" in attached, attached
    assert world.equal(), "rows differ after the line dropped"


def all_die(world):
    world.more_rows(12)
    with Line(world.command, env=SLOW, size=(120, 36)) as line:
        number = merge_by_key(line)
        victims = [line.pid, world.process(number)]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        assert line.wait(10) is not None
    dead = await_state(world, number, "died")
    assert dead["resumable"], dead
    with Line(world.command, size=(120, 36)) as second:
        second.first_page().type("7")
        shows(second, rf"✗ {number} +died +merge shop")
        second.quit()
    assert f"goes on where run {number} died" in (told := world.surf("resume").stdout), told
    newest = world.json("runs")["runs"][0]["run"]
    await_state(world, newest, "done")
    assert world.equal(), "rows differ after everything died"


def two_screens(world):
    world.more_rows(13)
    with Line(world.command, env=SLOW, size=(120, 36)) as one, Line(world.command, size=(120, 36)) as two:
        shows(two.first_page(), "● shop .*m merge now")
        number = merge_by_key(one)
        two.type("m")  # refused at once with who is at it, or asked and then refused by the lock
        page = shows(two, rf"run {number}|Enter merge").page()
        if "Enter merge" in "\n".join(page):
            time.sleep(DEAF_S)
            two.type("Enter")
            shows(two, "is locked|is merging")
        print("    the second is told:", next(row.strip() for row in two.page() if re.search(rf"run {number}|is locked", row)))
        one.type("7")
        two.press("7")
        shows(one, rf"{number} +done +merge shop")
        assert two.alive() or two.code() == 0
        one.quit()
    assert world.equal(), "rows differ after two screens"


def as_nobody(folder):
    home = pathlib.Path(folder) / "nobody"
    home.mkdir(exist_ok=True)
    os.chmod(home, 0o777)
    return dict(HOME=str(home), TMPDIR=str(home), XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home),
                XDG_RUNTIME_DIR=str(home))


def reads_and_refuses(command, env, words, remedy):
    """Opens, shows streams, steps and runs, answers m with what is wrong, and ! with what helps."""
    with Line(command, env=env, size=(120, 36)) as line:
        shows(line.first_page(), "● shop ")
        line.type("2")
        shows(line, r"shop .*\d of 9 .*Checked")
        line.type("7")
        shows(line, r"0004 +done +merge shop")
        line.type("3")
        shows(line, r"● shop .*merge now")
        line.type("m")
        page = shows(line, words + "|Enter merge").page()
        if "Enter merge" in "\n".join(page):
            time.sleep(DEAF_S)
            line.type("Enter")
        shows(line, words)
        told = next(row for row in line.page() if re.search(words, row))
        line.type("!")
        shows(line, remedy)
        time.sleep(DEAF_S)
        line.press("q").quit()
        assert line.code() == 0
        return told.strip()


def other_owner(world, folder):
    """A state that may be read and not written; then one that may not even be read."""
    env = as_nobody(folder)
    program = shutil.copy(world.command[0], env["HOME"])  # where nobody may run it, wherever the sources lie
    command = [*NOBODY, program, *world.command[1:]]
    subprocess.run(["chmod", "-R", "a+rX", world.home / "state", world.home / "deltas", world.home / "warehouse"], check=True)
    print("    said:", reads_and_refuses(command, env, "Permission denied", "run as the user who owns it"))
    os.chmod(world.home / "state", 0o700)
    with Line(command, env=env, size=(120, 36)) as line:
        line.first_page().type("2")
        shows(line, "Permission denied.*run as the user who owns it")
        line.type("7")
        shows(line, "Permission denied")
        line.type("3")
        shows(line, r"[●?▲✗] shop ")
        line.quit()
        assert line.code() == 0


def full_disk(world, folder):
    """The state on a tmpfs of its own, to the last byte."""
    small, state = pathlib.Path(folder) / "small", world.home / "state"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", small], check=True)
    try:
        shutil.copytree(state, small / "state")
        with open(small / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 512):
                    pass
            except OSError:
                pass
        profile = world.home / "full.yaml"
        profile.write_text(world.profile.read_text().replace(f"state: {state}", f"state: {small}/state"))
        print("    said:", reads_and_refuses([SURFBOARD, "--profile", str(profile)], {}, "No space left", "free space"))
        (small / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        print("    said:", reads_and_refuses([SURFBOARD, "--profile", str(profile)], {}, "Read-only file system",
                                            "choose another folder"))
    finally:
        subprocess.run(["umount", small], check=True)


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                                                capture_output=True, check=False).returncode == 0


def main():
    folder = checks.scratch_folder()
    world = World(folder)
    tests = [lambda: line_drops(world), lambda: all_die(world), lambda: two_screens(world)]
    names = ["the line drops", "all die at once", "two screens"]
    if os.geteuid() == 0:
        tests.append(lambda: other_owner(world, folder))
        names.append("a state of another user")
    if can_mount():
        tests.append(lambda: full_disk(world, folder))
        names.append("a full and a read-only disk")
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        for name, test in zip(names, tests):
            if only in name:
                begun = time.monotonic()
                test()
                print(f"  ok    {name} ({time.monotonic() - begun:.1f} s)", flush=True)
    finally:
        world.end()
        shutil.rmtree(folder, ignore_errors=True)


main()
