"""A program on a pseudo-terminal, with a shell that knows job control between the terminal and it, as people have.

The far side answers no question, as some terminals do. Everything the program wrote is in `.log`.
"""
import fcntl
import os
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time

from emulator import Emulator, switched_on

PROMPT = b"user@host$ surfboard\r\n"
KEYS = {"Up": "\x1bOA", "Down": "\x1bOB", "Right": "\x1bOC", "Left": "\x1bOD", "Enter": "\r", "Esc": "\x1b",
        "PgDn": "\x1b[6~", "PgUp": "\x1b[5~", "Home": "\x1bOH", "End": "\x1bOF", "Ctrl-Z": "\x1a", "Ctrl-L": "\x0c"}


def environment(changes):
    home = tempfile.mkdtemp(prefix="surfboard-pty-")
    kept = {name: os.environ[name] for name in os.environ
            if name.startswith(("ASAN_", "UBSAN_", "LSAN_")) or name in ("PATH", "LD_LIBRARY_PATH")}
    made = {**kept, "HOME": home, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TMPDIR": home,
            "XDG_CONFIG_HOME": home + "/config", "XDG_STATE_HOME": home + "/state", "XDG_RUNTIME_DIR": home, **changes}
    return {name: value for name, value in made.items() if value is not None}


def become(command, changes, ignored):
    """In the child: default signals, no core file, exec."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        except OSError:
            pass
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvpe(command[0], command, environment(changes))


def shell(command, changes, ignored, told, told_what):
    """Session leader: one job in the foreground; 'c' continues it there, 'b' in the background, 'f' brings it back.
    Tells P pid, S signal it was stopped by, X code it ended with. Never touches the terminal's settings."""
    for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        become(command, changes, ignored)
    os.write(told_what, b"P%d\n" % job)
    os.read(told, 1)  # one that ends at once stays to be seen until somebody looks
    while True:
        status = os.waitpid(job, os.WUNTRACED)[1]
        os.tcsetpgrp(0, os.getpid())
        if not os.WIFSTOPPED(status):
            os.write(told_what, b"X%d\n" % os.waitstatus_to_exitcode(status))
            os.read(told, 1)
            os._exit(0)
        os.write(told_what, b"S%d\n" % os.WSTOPSIG(status))
        order = os.read(told, 1)
        if order not in (b"c", b"b"):
            os._exit(0)
        if order == b"c":
            os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)


class Line:
    def __init__(self, command, size=(80, 24), env=None, leader=False, ignored=(), prompt=PROMPT):
        self.size, self.log, self.notes, self.emulator, self.fed = size, [], b"", Emulator(*size), 0
        self.master, slave = os.openpty()
        self.name = os.ttyname(slave)
        self.resize(*size, log=False)
        self.settings = termios.tcgetattr(self.master)
        os.write(slave, prompt)
        self.told_what, there = os.pipe()
        told, self.orders = os.pipe()
        sys.stdout.flush()
        self.top = os.fork()
        if self.top == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for number in (0, 1, 2):
                    os.dup2(slave, number)
                for number in {self.master, self.told_what, self.orders, slave} - {0, 1, 2}:
                    os.close(number)
                if leader:
                    os.write(there, b"P%d\n" % os.getpid())
                    os.set_inheritable(there, False)
                    become(command, env or {}, ignored)
                shell(command, env or {}, ignored, told, there)
            finally:
                os._exit(127)
        for number in (slave, there, told):
            os.close(number)
        os.set_blocking(self.master, False)
        self.pid = int(self.note(b"P"))
        self.process = os.pidfd_open(self.pid)
        if not leader:
            os.write(self.orders, b"g")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(self.process)
        os.close(self.orders)
        if self.pid != self.top:
            top = os.pidfd_open(self.top)
            self.end(top)
            os.close(top)
        os.waitpid(self.top, 0)
        for number in (self.master, self.told_what, self.process):
            if number is not None:
                os.close(number)

    def end(self, process):
        if not self.wait(0.3, process=process):
            try:
                signal.pidfd_send_signal(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.wait(5, process=process)

    def note(self, kind, seconds=10):
        """What the shell told of this kind; None when it does not in time."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(rb"^%s(-?\d+)\n" % kind, self.notes, re.M)
            if match:
                self.notes = self.notes[:match.start()] + self.notes[match.end():]
                return int(match[1])
            if not select.select([self.told_what], [], [], max(0, end - time.monotonic()))[0]:
                return None
            data = os.read(self.told_what, 4096)
            if not data:
                return None
            self.notes += data

    # -- reading
    def read(self):
        """What waits; b"" when nothing does or the line is closed."""
        try:
            data = os.read(self.master, 65536)
        except (BlockingIOError, OSError):
            data = b""
        if data:
            self.log.append(data)
        return data

    def bytes(self, since=0):
        return b"".join(part for part in self.log[since:] if isinstance(part, bytes))

    def mark(self):
        return len(self.log)

    def screen(self):
        for part in self.log[self.fed:]:
            self.emulator.feed(part) if isinstance(part, bytes) else self.emulator.resize(*part)
        self.fed = len(self.log)
        return self.emulator

    def page(self):
        return self.screen().page()

    def asleep(self):
        """The processor time that all threads have used, or None while one of them runs."""
        used = []
        try:
            for task in sorted(os.listdir(f"/proc/{self.pid}/task")):
                with open(f"/proc/{self.pid}/task/{task}/stat") as stat:
                    if stat.read().rpartition(")")[2].split()[0] not in "SZTX":
                        return None
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as stat:
                    used.append(stat.read().split()[0])
        except OSError:
            return "ended"
        return " ".join(used)

    def settle(self, seconds=15, pause=0.03):
        """Reads until the program sleeps, has slept since the look before, and left nothing to read: no guess about
        how long a loaded machine takes. True unless it never did."""
        end, before = time.monotonic() + seconds, None
        while time.monotonic() < end:
            ready = select.select([self.master], [], [], pause)[0]
            if ready and self.read():
                before = None
                continue
            now = self.asleep()
            if now is not None and now == before:
                return True
            before = now
            if ready:  # a closed line is always ready
                time.sleep(pause)
        return False

    def first_page(self, seconds=15):
        """Settled with something on the page; a program may think in between."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.alive():
            self.settle()
            if b"\x1b" in self.bytes() and any(self.page()):
                return self
        raise AssertionError(f"no page came: {self.bytes()[-400:]!r}")

    # -- writing
    def type(self, *keys):
        for key in keys:
            data = KEYS.get(key, key)
            data = data.encode() if isinstance(data, str) else data
            end = time.monotonic() + 10
            while data and time.monotonic() < end:
                try:
                    data = data[os.write(self.master, data):]
                except BlockingIOError:
                    self.read() or time.sleep(0.002)
        return self

    def press(self, *keys):
        """Each key, with its frame awaited."""
        for key in keys:
            self.type(key)
            self.settle()
        return self

    def resize(self, columns, rows, log=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.size = (columns, rows)
        if log:
            self.log.append(self.size)

    def hang_up(self):
        os.close(self.master)
        self.master = None

    # -- ending
    def signal(self, number):
        try:
            signal.pidfd_send_signal(self.process, number)
        except ProcessLookupError:
            pass

    def quit(self, key="q"):
        """Ends it by its key, and reads all that it had to say."""
        self.type(key)
        assert self.wait(10) is not None, "does not quit"
        self.settle()

    def alive(self):
        return not select.select([self.process], [], [], 0)[0]

    def wait(self, seconds, read=True, process=None):
        """Seconds until the process ended; None when it is still there."""
        process = self.process if process is None else process
        begun = time.monotonic()
        while True:
            left = begun + seconds - time.monotonic()
            if select.select([process], [], [], 0)[0]:
                return max(time.monotonic() - begun, 1e-9)
            if left <= 0:
                return None
            if not read or self.master is None:
                select.select([process], [], [], left)
            elif not self.read():
                select.select([process], [], [], min(left, 0.002))

    def code(self):
        return self.note(b"X")

    def settings_are_back(self):
        return termios.tcgetattr(self.master) == self.settings

    def left_on(self):
        return switched_on(self.bytes())

    def counts(self):
        """Calls of write, and voluntary switches of all threads."""
        with open(f"/proc/{self.pid}/io") as io:
            writes = int(re.search(r"syscw: (\d+)", io.read())[1])
        switches = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as status:
                switches += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status.read())[1])
        return writes, switches


def ends_in(limit, attempt, tries=3):
    """attempt() gives the seconds that an ending took. The limit holds for a machine at rest: a trivial program, ended
    in the same moment, shows how much slower this one is just now. The best of a few tries counts."""
    taken = []
    for _ in range(tries):
        with Line(["sleep", "1000"], leader=True) as trivial:
            time.sleep(0.05)
            trivial.signal(signal.SIGTERM)
            floor = trivial.wait(20) or 20
        taken.append(attempt())
        if taken[-1] is not None and taken[-1] <= limit + 10 * floor:
            return taken[-1]
    raise AssertionError(f"took {taken} s, more than {limit} s")
