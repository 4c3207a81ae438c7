"""Promise: a terminal that stops reading, drops, lies or can do little holds nobody up and leaks nothing"""
import glob
import os
import re
import select
import signal
import subprocess
import termios
import time

from checks import Program, calm, check, run
from line import Line, ends_in, environment

ANSWERS = [b"\x1b[?62;22c", b"\x1b[>41;380;0c", b"\x1b[12;40R", b"\x1b[0n", b"\x1b[?2026;2$y", b"\x1b[8;50;160t",
           b"\x1b]11;rgb:0000/0000/0000\x1b\\", b"\x1b]10;rgb:f0f0/f0f0/f0f0\x07", b"\x1b]lq:rm -rf\x1b\\",
           b"\x1bP>|XTerm(380)\x1b\\", b"\x1bP1+r524742=38\x1b\\", b"\x1b_Gi=31;OK\x1b\\", b"\x1b[I", b"\x1b[O",
           b"\x1b[27;5;113~", b"\x1b[113;5u", b"\xff\xfe\xc0\x9b", b"\xc2\x9b"]


def fill(line, seconds=1.5):
    """Makes the program draw while nobody reads, until the line takes no more."""
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        n += 1
        try:
            os.write(line.master, b"\x1b[6~\x0c")
        except BlockingIOError:
            pass
        if n % 3 == 0:
            line.resize(80 if n % 2 else 120, 24, log=False)
        time.sleep(0.02)


@check("the reader stops: keys and size changes go on, TERM ends it, termios is back before anybody reads")
def stopped_reader():
    def attempt():
        with Line(Program.command, size=(160, 50)) as line:
            calm(line)
            fill(line)
            time.sleep(0.5)  # the last size change is drawn once it rests
            used = line.asleep()
            time.sleep(0.3)
            assert used is not None and used == line.asleep(), "busy while it can only wait"
            line.signal(signal.SIGTERM)
            taken = line.wait(20, read=False)
            assert line.settings_are_back(), "termios is not back"
            line.settle()
            assert not line.left_on(), line.left_on()
            return taken
    return f"{1000 * ends_in(0.5, attempt):.1f} ms"


@check("the same when it leads the session, as under ssh HOST surfboard")
def stopped_reader_of_leader():
    def attempt():
        with Line(Program.command, size=(160, 50), leader=True) as line:
            line.first_page()
            fill(line)
            line.signal(signal.SIGTERM)
            taken = line.wait(20, read=False)
            while line.read():
                pass
            assert not line.left_on(), line.left_on()
            return taken
    return f"{1000 * ends_in(0.5, attempt):.1f} ms"


@check("a crash while the reader sleeps ends it too, and the terminal comes back")
def crash_unread():
    def attempt():
        with Line(Program.command, size=(160, 50)) as line:
            line.first_page()
            fill(line)
            line.signal(signal.SIGSEGV)
            taken = line.wait(20, read=False)
            assert line.settings_are_back(), "termios is not back"
            line.settle()
            assert not line.left_on(), line.left_on()
            return taken
    return f"{1000 * ends_in(2, attempt):.1f} ms"


@check("TSTP while the reader sleeps stops it all the same, and all is well once both are awake")
def stop_unread():
    with Line(Program.command, size=(160, 50)) as line:
        calm(line)
        fill(line)
        line.resize(160, 50)
        line.signal(signal.SIGTSTP)
        assert line.note(b"S") == signal.SIGTSTP
        assert line.settings_are_back(), "termios is not back"
        line.settle()
        assert not line.left_on(), line.left_on()
        os.write(line.orders, b"c")
        line.settle()
        page = line.page()
        line.press("Ctrl-L")
        assert "alternate screen" in line.left_on() and page[:-1] == line.page()[:-1]


@check("what was held back while the reader slept is one fresh page once it wakes")
def reader_wakes():
    with Line(Program.command, size=(160, 50)) as line:
        calm(line)
        fill(line)
        line.resize(160, 50)
        line.settle()
        time.sleep(0.4)
        line.settle()
        page = line.page()
        line.press("Ctrl-L")
        again = line.page()
        assert page[:-1] == again[:-1], [pair for pair in zip(page, again) if pair[0] != pair[1]][:3]


@check("output stopped for good: a small process waits with the restore bytes, the program ends at once")
def left_to_a_child():
    def attempt():
        with Line(Program.command) as line:
            line.first_page()
            slave = os.open(line.name, os.O_RDWR | os.O_NOCTTY)
            termios.tcflow(slave, termios.TCOOFF)
            line.signal(signal.SIGTERM)
            taken = line.wait(20, read=False)
            assert line.settings_are_back(), "termios is not back"
            line.settle()
            assert "alternate screen" in line.left_on()
            waiting = [path for path in glob.glob("/proc/[0-9]*/fd/*") if holds(path, line.name, slave)]
            assert len(waiting) == 1 or not Program.is_probe(), waiting  # it holds the tty and nothing else
            termios.tcflow(slave, termios.TCOON)
            os.close(slave)
            end = time.monotonic() + 10
            while line.left_on() and time.monotonic() < end:
                line.read() or time.sleep(0.01)
            assert not line.left_on(), line.left_on()
            return taken
    return f"{1000 * ends_in(0.5, attempt):.1f} ms"


def holds(path, name, own):
    """Whether another process than this one and the shell (which has 0, 1, 2) holds the terminal by this path."""
    pid, number = path.split("/")[2], int(path.split("/")[4])
    try:
        return os.readlink(path) == name and int(pid) != os.getpid() and number > 2
    except OSError:
        return False


@check("the line drops: it ends, with HUP and with HUP ignored, as a leader and behind a shell")
def hung_up():
    slowest = 0
    for ignored in ((), (signal.SIGHUP,)):
        for leader in (True, False):
            def attempt(ignored=ignored, leader=leader):
                with Line(Program.command, ignored=ignored, leader=leader) as line:
                    line.first_page()
                    line.hang_up()
                    return line.wait(20)
            slowest = max(slowest, ends_in(0.2, attempt))
    return f"{1000 * slowest:.1f} ms at most"


@check("the line drops while the reader sleeps and while stopped")
def hung_up_in_trouble():
    def asleep():
        with Line(Program.command, leader=True) as line:
            line.first_page()
            fill(line, 0.5)
            line.hang_up()
            return line.wait(20)

    def stopped():
        with Line(Program.command) as line:
            line.first_page().signal(signal.SIGTSTP)
            assert line.note(b"S") == signal.SIGTSTP
            line.hang_up()  # the shell dies of it; the kernel continues and hangs up its orphans
            return line.wait(20)
    return f"{1000 * max(ends_in(0.2, asleep), ends_in(0.2, stopped)):.1f} ms at most"


@check("answers of a terminal, whole and cut anywhere, and broken bytes change nothing on the page")
def hostile_answers():
    with Line(Program.command) as line:
        before = calm(line).page()
        since = line.mark()
        for answer in ANSWERS:
            line.press(answer)
        for answer in ANSWERS:
            for cut in (1, 2, len(answer) // 2):
                line.type(answer[:cut]).type(answer[cut:])
        line.settle()
        assert line.page() == before, (line.page()[-1], line.bytes(since)[-300:])
        line.press("Down")
        assert line.alive() and line.page() != before or not Program.is_probe()


def colours(data):
    return [found for found in re.findall(rb"\x1b\[([0-9;:]*)m", data)
            if re.search(rb"(^|;)([34][0-8]|9[0-7]|10[0-7])(;|:|$)", found)]


@check("TERM empty, unset or unknown: drawn as a vt100, without colour")
def unknown_types():
    for kind in ("", None, "nonsense-99color", "unknown", "../etc/passwd"):
        with Line(Program.command, env={"TERM": kind, "COLORTERM": "truecolor"}) as line:
            data = line.first_page().press("Down", "Up").bytes()
            assert not re.search(rb"\x1b\[\?(1049|2004|2026|1000)|\x1b\]|\x1b\[2[23];[0-9;]*t", data), (kind, data)
            assert not colours(data), (kind, colours(data))
            line.quit()
            assert not line.left_on(), (kind, line.left_on())


@check("consoles and real terminals get no sequence that they would print")
def plain_types():
    for kind in ("linux", "vt100", "vt220", "ansi", "cons25"):
        with Line(Program.command, env={"TERM": kind}) as line:
            data = line.first_page().press("Down", "Up").bytes()
            assert not re.search(rb"\x1b\[\?(1049|2004|2026|1000)|\x1b\]|\x1b\[2[23];[0-9;]*t", data), (kind, data)


def refused(code, words, output, where):
    assert code == 5, (where, code, output)
    assert re.search(words, output), (where, output)
    assert "command line" in output and "\x1b" not in output, (where, output)


@check("TERM=dumb is refused with what to do instead, and the terminal left alone")
def dumb():
    with Line(Program.command, env={"TERM": "dumb"}) as line:
        assert line.wait(10) is not None
        line.settle()
        refused(line.code(), "dumb", line.bytes().decode(), "dumb")
        assert line.settings_are_back()


def alone(code):
    """The program by itself asks for a verb when it finds no terminal: wrong usage, 2. What was meant to draw says 5."""
    return code if Program.is_probe() else {2: 5}.get(code, code)


@check("no terminal, on either side, is refused with what to do instead")
def no_terminal():
    done = subprocess.run(Program.command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          env=environment({}))
    refused(alone(done.returncode), "input is not a terminal", done.stdout + done.stderr, "no stdin")
    master, slave = os.openpty()
    done = subprocess.run(Program.command, stdin=slave, capture_output=True, text=True, timeout=20,
                          env=environment({}))
    refused(alone(done.returncode), "output is not a terminal", done.stdout + done.stderr, "no stdout")
    assert not select.select([master], [], [], 0)[0], "something was written to the terminal"
    os.close(master), os.close(slave)


@check("NO_COLOR leaves colours out, and a locale without UTF-8 all that is not ASCII")
def plain_text():
    with Line(Program.command, env={"NO_COLOR": "1", "COLORTERM": "truecolor"}) as line:
        assert not colours(line.first_page().press("Down").bytes())
    with Line(Program.command, env={"LC_ALL": "C"}) as line:
        data = line.first_page().press("Down").bytes()
        assert all(byte < 0x80 for byte in data)


run()
