"""Promise: a frame is one write between the marks of mode 2026, held keys share frames and none is lost, rest is rest"""
import os
import re
import time

from checks import Program, calm, check, run
from emulator import SYNC_OFF, SYNC_ON
from line import Line

HELD = 400
MOVE_BYTES, SCROLL_BYTES = 200, 500
DETAIL_BYTES = 2000  # where each row has another pane of text beside it


def frames(data):
    return data.count(SYNC_ON)


def is_marked(data):
    """Nothing outside the marks, none inside another."""
    parts = data.split(SYNC_ON)
    return parts[0] == b"" and all(part.endswith(SYNC_OFF) and part.count(SYNC_OFF) == 1 for part in parts[1:])


def timeless(page):
    return [re.sub(r"\d\d:\d\d:\d\d|\d+ (s|min) old", "then", row) for row in page]


def heard(line):
    match = re.search(r"keys (\d+) last (.*)", line.page()[-1])
    return (int(match[1]), match[2]) if match else (None, None)


@check("the first frame, with the modes and the title, is one write between marks")
def first_frame():
    with Line(Program.command, size=(160, 50), prompt=b"") as line:
        line.first_page()
        data = line.bytes()
        assert is_marked(data) and frames(data) == 1, data[:200]
        for mode in (b"\x1b[?1049h", b"\x1b[?2004h", b"\x1b[?1h", b"\x1b]2;surfboard"):
            assert mode in data, mode
        writes = line.counts()[0]
        assert writes == 1 or not Program.is_probe(), writes
        return f"{len(data)} bytes"


@check("nothing is asked of the terminal, so one that answers nothing is as good as any")
def no_questions():
    with Line(Program.command) as line:
        line.first_page().press("Down", "Up")
        questions = re.findall(rb"\x1b\[[?>=]?[0-9;]*(?:c|n|\$p|q|x)|\x1b\[[0-9;]*1[4-9]t|\x1b\[2[01]t"
                               rb"|\x1b\][0-9;]*;\?|\x1bP[+$]q|\x05", line.bytes())
        assert not questions, questions


@check("a key that moves the cursor is one write of one marked frame")
def one_write_a_key():
    with Line(Program.command, size=(160, 50)) as line:
        calm(line).press("Down")
        sizes, calls = [], []
        for key in ["Down"] * 4 + (["Up"] * 4 + ["Down"] * 4) * 2:
            since, before = line.mark(), line.counts()[0]
            line.press(key)
            data = line.bytes(since)
            assert data and is_marked(data) and frames(data) == 1, data
            sizes.append(len(data))
            calls.append(line.counts()[0] - before)
        assert sorted(calls)[len(calls) // 2] == 1, calls
        assert max(calls) == 1 or not Program.is_probe(), calls
        middle = sorted(sizes)[len(sizes) // 2]
        assert middle <= (MOVE_BYTES if Program.is_probe() else DETAIL_BYTES), sizes
        return f"{middle} bytes a key"


@check("a key that scrolls a list writes what changed, not the page", probe=True)
def scrolling_key():
    with Line(Program.command, size=(160, 50)) as line:
        line.first_page().press(b"\x1bOB" * 200)
        sizes = []
        for key in ["Down"] * 10 + ["Up"] * 60:
            since = line.mark()
            line.press(key)
            sizes.append(len(line.bytes(since)))
        moved = sizes[:10] + sizes[-5:]
        assert sorted(moved)[len(moved) // 2] <= SCROLL_BYTES, sizes
        return f"{sorted(moved)[len(moved) // 2]} bytes a key"


@check(f"{HELD} keys at once make few frames and end where the same keys one by one do")
def held_keys():
    with Line(Program.command) as line:
        calm(line)
        since = line.mark()
        line.press(b"\x1bOB" * HELD)
        together, data = line.page(), line.bytes(since)
        assert frames(data) <= HELD / 10, frames(data)
        assert not Program.is_probe() or heard(line)[0] == HELD, heard(line)
    with Line(Program.command) as line:
        calm(line)
        for _ in range(HELD // 20):
            line.press(b"\x1bOB" * 20)
        page, together = timeless(line.page()), timeless(together)
        assert page == together, [pair for pair in zip(page, together) if pair[0] != pair[1]][:3]
    return f"{frames(data)} frames, {len(data) / HELD:.1f} bytes a key"


@check("a sequence that the line cuts in two is one key, and a lone Esc is Esc", probe=True)
def cut_sequences():
    with Line(Program.command) as line:
        line.first_page()
        line.type("\x1b")
        time.sleep(0.005)
        line.type("[")
        time.sleep(0.005)
        line.press("B")
        if heard(line)[0] != 1:  # both pauses may have been long ones here
            assert heard(line)[0] in (2, 3), heard(line)
        before = heard(line)[0]
        line.press("\x1b")
        time.sleep(0.1)
        line.settle()
        assert heard(line) == (before + 1, "Esc"), heard(line)
        line.press(b"\x1b[200~pasted\rtext\x1b[201~")
        assert heard(line) == (before + 2, "Paste 11"), heard(line)


@check("at rest nothing is written and nothing wakes")
def rest():
    with Line(Program.command) as line:
        calm(line).press("Down")
        time.sleep(0.5)
        since, before = line.mark(), line.counts()
        time.sleep(1.5)
        line.read()
        after = line.counts()
        assert line.bytes(since) == b"" and after == before, (before, after)


@check("100 size changes in a second make a handful of frames, and the page is as fresh at the end")
def resize_storm():
    sizes = [(80, 24), (120, 36), (100, 30), (132, 43)]
    with Line(Program.command, size=(160, 50)) as line:
        fresh = timeless(calm(line).page())
    with Line(Program.command, size=sizes[0]) as line:
        calm(line)
        since, begun = line.mark(), time.monotonic()
        for i in range(100):
            line.resize(*((160, 50) if i == 99 else sizes[i % 4]))
            while time.monotonic() < begun + (i + 1) / 100:
                line.read() or time.sleep(0.001)
        time.sleep(0.1)
        line.settle()
        drawn = frames(line.bytes(since))
        page = timeless(line.page())
        assert page == fresh, [pair for pair in zip(page, fresh) if pair[0] != pair[1]][:3]
        assert drawn <= 10, drawn
        return f"{drawn} frames"


@check("40x10 and 1x1 are survived, and the page is right again behind them")
def small():
    with Line(Program.command) as line:
        fresh = calm(line).page()
        for size in ((40, 10), (1, 1), (2, 1), (1, 2), (500, 3)):
            line.resize(*size)
            time.sleep(0.1)
            line.settle()
            assert line.alive(), size
            line.press("Left")
        line.resize(80, 24)
        time.sleep(0.1)
        line.press("Down", "Up")
        page = line.page()
        if Program.is_probe():
            page[-1] = fresh[-1] = ""
        assert page == fresh, [pair for pair in zip(page, fresh) if pair[0] != pair[1]][:3]
    for size in ((40, 10), (1, 1)):
        with Line(Program.command, size=size) as line:
            line.settle()
            assert line.alive(), size
            line.quit()


@check("the title is what it should be, and never holds a control character", probe=True)
def title():
    with Line(Program.command) as line:
        line.first_page()
        since = line.mark()
        line.press("t")
        assert b"\x1b]2;probe \xc3\xa9 title\x1b\\" in line.bytes(since), line.bytes(since)


@check("a copied row reaches the clipboard, and more than one takes is refused with a word", probe=True)
def clipboard():
    with Line(Program.command) as line:
        line.first_page()
        since = line.mark()
        line.press("y")
        assert b"\x1b]52;c;cm93IDAwMDAw\x1b\\" in line.bytes(since), line.bytes(since)
        since = line.mark()
        line.press("Y")
        assert b"]52" not in line.bytes(since) and "too many for the clipboard" in line.page()[-1]


@check("mouse reports are asked for only when wanted", probe=True)
def mouse():
    with Line(Program.command) as line:
        assert b"\x1b[?1000h" not in line.first_page().bytes()
    with Line([*Program.command, "--mouse"]) as line:
        assert b"\x1b[?1000h\x1b[?1006h" in line.first_page().bytes()
        line.press(b"\x1b[<0;5;7M")
        assert heard(line) == (1, "Mouse 6,4"), heard(line)
        line.quit()
        assert not line.left_on(), line.left_on()


@check("the shell's own descriptors stay as they were: blocking")
def own_descriptor():
    with Line(Program.command) as line:
        line.first_page()
        found = {}
        for number in os.listdir(f"/proc/{line.pid}/fd"):
            if os.path.realpath(f"/proc/{line.pid}/fd/{number}") == line.name:
                with open(f"/proc/{line.pid}/fdinfo/{number}") as info:
                    found[int(number)] = int(re.search(r"flags:\s+(\d+)", info.read())[1], 8)
        assert not any(found[number] & os.O_NONBLOCK for number in (0, 1, 2)), found
        assert any(flags & os.O_NONBLOCK and flags & os.O_CLOEXEC for flags in found.values()), found


run()
