"""Promise: the terminal comes back as it was after every way to end, stop or crash, and is taken again at once"""
import os
import re
import signal
import time

from checks import Program, calm, check, run
from line import Line, PROMPT

PROMPT_ROW = PROMPT.decode().strip()
TAKEN = {"alternate screen", "cursor keys", "keypad", "paste", "title"}


def given_back(line, screen=True):
    line.settle()
    left = line.left_on()
    assert not left, f"left on: {left}"
    assert line.settings_are_back(), "termios is not as before"
    assert not screen or line.page()[0] == PROMPT_ROW, line.page()[:3]


def taken(line):
    assert line.left_on() - {"colour or charset"} == TAKEN, line.left_on()


@check("q, and each signal that ends a program: INT TERM HUP QUIT")
def endings():
    for name in ("q", "INT", "TERM", "HUP", "QUIT"):
        with Line(Program.command) as line:
            line.first_page()
            taken(line)
            line.type("q") if name == "q" else line.signal(getattr(signal, "SIG" + name))
            assert line.wait(10) is not None, f"{name}: still there"
            given_back(line)
            code = line.code()
            expected = 0 if name == "q" else -getattr(signal, "SIG" + name)
            assert code == expected or not Program.is_probe(), (name, code)


def crashed(line, name):
    assert line.wait(20) is not None, f"{name}: still there"
    given_back(line, screen=False)
    assert line.code() != 0, name
    page = line.bytes().decode("utf-8", "replace")
    report = page[page.rfind("\x1b[?1049l"):]
    for words in (r"surfboard \d+\.\d+\S* crashed: SIG" + name, "It was doing: ", r"Backtrace:", r"\(\+0x|\[0x",
                  "Please report it"):
        assert re.search(words, report), (name, words, report)
    return report


@check("each crash by a signal, with a report under the old screen: SEGV BUS ABRT FPE ILL")
def crashes():
    for name in ("SEGV", "BUS", "ABRT", "FPE", "ILL"):
        with Line(Program.command) as line:
            line.first_page()
            line.signal(getattr(signal, "SIG" + name))
            crashed(line, name)


@check("crashes from within: bad address, abort, a stack used up, the same on a worker thread", probe=True)
def inner_crashes():
    for key, name in (("S", "SEGV"), ("A", "ABRT"), ("F", "FPE"), ("O", "SEGV"), ("W", "SEGV")):
        with Line(Program.command) as line:
            line.first_page()
            line.type(key)
            report = crashed(line, name)
            assert "It was doing: probe: a crash on demand" in report, report
            assert name != "SEGV" or re.search(r"SIGSEGV, a bad address 0x[0-9a-f]+", report), report


@check("TSTP from outside: stopped, given back, and all of it again at once after CONT")
def stopped():
    stop(lambda line: line.signal(signal.SIGTSTP))


@check("Ctrl-Z likewise")
def stopped_by_key():
    stop(lambda line: line.type("Ctrl-Z"))


def stop(how):
    with Line(Program.command) as line:
        before = calm(line).page()
        how(line)
        assert line.note(b"S") == signal.SIGTSTP
        given_back(line)
        since = line.mark()
        os.write(line.orders, b"c")
        line.settle()
        taken(line)
        assert line.bytes(since).startswith(b"\x1b[?2026h"), "the modes do not come with the first frame"
        page = line.page()
        if Program.is_probe():
            page[-1] = before[-1] = ""
        assert page == before
        assert not line.settings_are_back(), "not raw again"
        line.press("Down").quit()
        given_back(line)


@check("stopped hard and continued: the modes are set again, nobody having told us of the stop")
def stopped_hard():
    with Line(Program.command) as line:
        before = calm(line).page()
        line.signal(signal.SIGSTOP)
        assert line.note(b"S") == signal.SIGSTOP
        since = line.mark()
        os.write(line.orders, b"c")
        line.settle()
        assert b"\x1b[?1049h" in line.bytes(since)
        page = line.page()
        assert page[:-1] == before[:-1]


@check("continued in the background it leaves the terminal alone and stops again")
def background():
    with Line(Program.command) as line:
        line.first_page().signal(signal.SIGTSTP)
        assert line.note(b"S") == signal.SIGTSTP
        line.settle()
        since = line.mark()
        os.write(line.orders, b"b")
        assert line.note(b"S") == signal.SIGTTIN
        line.settle()
        assert line.bytes(since) == b"" and line.settings_are_back()
        os.write(line.orders, b"c")
        line.settle()
        taken(line)


@check("TERM while stopped: nothing more is written")
def ended_while_stopped():
    with Line(Program.command) as line:
        line.first_page().signal(signal.SIGTSTP)
        assert line.note(b"S") == signal.SIGTSTP
        line.settle()
        since = line.mark()
        line.signal(signal.SIGTERM)
        os.write(line.orders, b"b")
        assert line.wait(10) is not None
        line.settle()
        assert b"\x1b" not in line.bytes(since) and line.settings_are_back()


@check("an editor gets the terminal as the shell had it, with signals as they were", probe=True)
def editor():
    with Line(Program.command) as line:
        line.first_page()
        since = line.mark()
        line.press("E")
        data = line.bytes(since)
        assert b"\nisig" in data.replace(b"\r", b"") or data.split(b"\x1b[23;0;0t")[1].startswith(b"isig"), data
        assert "child ended by 15" in line.page()[-1], line.page()[-1]
        taken(line)


@check("types without an alternate screen: the prompt comes below what was drawn")
def plain_types():
    for kind in ("vt100", "linux", "ansi"):
        with Line(Program.command, env={"TERM": kind}) as line:
            line.first_page().quit()
            given_back(line, screen=False)
            row, column = line.screen().cursor()
            assert column == 0 and row == 23, (kind, row, column)


@check("the terminal is free at once: a second program gets it as the first did")
def twice():
    script = " ".join(Program.command)
    with Line(["sh", "-c", f"{script}; {script}"]) as line:
        line.first_page().press("Down")
        time.sleep(0.1)
        line.type("q")
        line.settle()
        time.sleep(0.2)
        line.settle()
        taken(line)
        line.quit()
        given_back(line)


run()
