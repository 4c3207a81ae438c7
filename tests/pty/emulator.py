"""What a person would see: libvterm through ctypes, and a list of what was switched on and not off again."""
import ctypes
import ctypes.util
import re

SYNC_ON, SYNC_OFF = b"\x1b[?2026h", b"\x1b[?2026l"


class Cell(ctypes.Structure):
    _fields_ = [("chars", ctypes.c_uint32 * 6), ("width", ctypes.c_byte), ("attributes", ctypes.c_uint32),
                ("front", ctypes.c_ubyte * 4), ("back", ctypes.c_ubyte * 4)]


class Position(ctypes.Structure):
    _fields_ = [("row", ctypes.c_int), ("column", ctypes.c_int)]


class Rectangle(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("top", "bottom", "left", "right")]


def load():
    library = ctypes.CDLL(ctypes.util.find_library("vterm") or "libvterm.so.0")
    for name in ("vterm_new", "vterm_obtain_screen", "vterm_obtain_state"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("vterm_input_write", "vterm_screen_get_text", "vterm_output_read"):
        getattr(library, name).restype = ctypes.c_size_t
    return library


class Emulator:
    library = None

    def __init__(self, columns, rows):
        Emulator.library = Emulator.library or load()
        self.columns, self.rows = columns, rows
        self.terminal = ctypes.c_void_p(self.library.vterm_new(rows, columns))
        self.library.vterm_set_utf8(self.terminal, 1)
        self.screen = ctypes.c_void_p(self.library.vterm_obtain_screen(self.terminal))
        self.library.vterm_screen_enable_altscreen(self.screen, 1)
        self.library.vterm_screen_reset(self.screen, 1)

    def __del__(self):
        if self.library and getattr(self, "terminal", None):
            self.library.vterm_free(self.terminal)

    def feed(self, data):
        spill = ctypes.create_string_buffer(4096)
        self.library.vterm_input_write(self.terminal, data, ctypes.c_size_t(len(data)))
        while self.library.vterm_output_read(self.terminal, spill, ctypes.c_size_t(4096)):
            pass  # what it would answer: our terminal answers nothing

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.library.vterm_set_size(self.terminal, rows, columns)

    def cursor(self):
        position = Position()
        state = ctypes.c_void_p(self.library.vterm_obtain_state(self.terminal))
        self.library.vterm_state_get_cursorpos(state, ctypes.byref(position))
        return position.row, position.column

    def page(self):
        room = ctypes.create_string_buffer(self.columns * 26 + 8)
        lines = []
        for row in range(self.rows):
            length = self.library.vterm_screen_get_text(self.screen, room, ctypes.c_size_t(len(room)),
                                                        Rectangle(row, row + 1, 0, self.columns))
            lines.append(room.raw[:length].decode("utf-8", "replace").rstrip(" \0"))
        return lines

    def look(self, row, column):
        """Character and colours of a cell, for comparing with one that is as good as new."""
        cell = Cell()
        self.library.vterm_screen_get_cell(self.screen, Position(row, column), ctypes.byref(cell))
        return cell.chars[0], cell.attributes, bytes(cell.front), bytes(cell.back)


MODES = {1: "cursor keys", 7: "no autowrap", 9: "mouse", 25: "no cursor", 47: "alternate screen", 1000: "mouse",
         1002: "mouse", 1003: "mouse", 1004: "focus", 1005: "mouse", 1006: "mouse", 1047: "alternate screen",
         1049: "alternate screen", 2004: "paste", 2026: "synchronised"}
SWITCHES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])|\x1b([=>])|\x1b\[([0-9;]*)r|\x1b\[(22|23)(?:;[0-9;]*)?t")


def switched_on(data):
    """Names of what a terminal that read these bytes has on, with `title` for one pushed and not popped."""
    on, titles = set(), 0
    for numbers, way, keypad, region, title in SWITCHES.findall(data):
        for number in filter(None, numbers.split(b";")):
            name = MODES.get(int(number))
            is_on = (way == b"h") != (name or "").startswith("no ")
            if name:
                (on.add if is_on else on.discard)(name)
        if keypad:
            (on.add if keypad == b"=" else on.discard)("keypad")
        if region:
            on.add("scroll region")
        elif not numbers and not keypad and not title:
            on.discard("scroll region")
        titles += {b"22": 1, b"23": -1}.get(title, 0)
    if titles:
        on.add("title")
    probe, fresh = Emulator(80, 24), Emulator(80, 24)
    probe.feed(data + b"\x1b[2J\x1b[Hq")
    fresh.feed(b"q")
    if probe.look(0, 0) != fresh.look(0, 0):
        on.add("colour or charset")
    return on
