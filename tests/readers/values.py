"""values.py: one neutral form for the values of a row, whoever read them.

By the column's Iceberg type: integers, dates (days), times and timestamps (microseconds) become int;
decimals and uuids text; binary hex text; floats float; lists list; structs and maps lists of pairs.
Dates go far beyond what Python's datetime holds, so text is taken apart here.
"""
import base64
import decimal
import json
import re
import struct
import uuid

import pyarrow as pa

decimal.getcontext().prec = 80
TIMESTAMPS = ("timestamp", "timestamptz")
WHOLE = ("int", "long", "date", "time") + TIMESTAMPS
DATE = re.compile(r"([+-]?\d{4,})-(\d\d)-(\d\d)")
TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")
ZONE = re.compile(r"\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)$")


def days_from_civil(year, month, day):
    """Days since 1970-01-01 in the proleptic Gregorian calendar, any year (year 0 exists)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def parse_date(text):
    year, month, day = DATE.fullmatch(text).groups()
    return days_from_civil(int(year), int(month), int(day))


def parse_time(text):
    hour, minute, second, fraction = TIME.fullmatch(text).groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    return (int(hour) * 3600 + int(minute) * 60 + int(second or 0)) * 1_000_000 + micros


def parse_timestamp(text):
    zone = ZONE.search(text) if not DATE.fullmatch(text) else None
    shift = 0
    if zone:
        text = text[: zone.start()]
        if zone[1] not in ("Z", "UTC"):
            digits = zone[1][1:].replace(":", "").ljust(4, "0")
            shift = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[1][0] == "-" else 1)
    date, _, time = text.replace("T", " ", 1).partition(" ")
    micros = parse_date(date) * 86_400_000_000 + (parse_time(time) if time else 0)
    return micros - shift * 60_000_000


def rounded(kind, value):
    """A float column may be printed by its own shortest digits: 1.1, not 1.100000023841858."""
    return struct.unpack("f", struct.pack("f", float(value)))[0] if kind == "float" else float(value)


def scaled(value, kind):
    scale = int(re.search(r",\s*(\d+)\)", kind)[1])
    return str(decimal.Decimal(value).quantize(decimal.Decimal(1).scaleb(-scale)))


def from_json(kind, value):
    """The neutral form of a value as `surfboard scan --format json` or Trino's JSON prints it."""
    if value is None:
        return None
    if isinstance(kind, dict):
        if kind["type"] == "list":
            return [from_json(kind["element"], item) for item in value]
        if kind["type"] == "struct":
            items = value if isinstance(value, list) else [value[f["name"]] for f in kind["fields"]]
            return [[f["name"], from_json(f["type"], item)] for f, item in zip(kind["fields"], items)]
        pairs = value.items() if isinstance(value, dict) else \
            [(p["key"], p["value"]) if isinstance(p, dict) else p for p in value]
        return sorted(([from_json(kind["key"], k), from_json(kind["value"], v)] for k, v in pairs),
                      key=lambda pair: json.dumps(pair[0]))
    if kind in ("int", "long"):
        return int(value)
    if kind in ("float", "double"):
        return rounded(kind, value)
    if kind == "date":
        return parse_date(value)
    if kind == "time":
        return parse_time(value)
    if kind in TIMESTAMPS:
        return parse_timestamp(value)
    if kind.startswith("decimal"):
        return scaled(value, kind)
    if kind == "uuid":
        return str(uuid.UUID(value))
    if kind == "binary" or kind.startswith("fixed"):
        return base64.b64decode(value, validate=True).hex()
    return value


def from_arrow(kind, array):
    """The neutral forms of an Arrow column (of PyIceberg or DuckDB), as a list."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in from_arrow(kind, chunk)]
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    present = array.is_valid().to_pylist()
    if isinstance(kind, dict):
        if kind["type"] == "struct":
            parts = [(f["name"], from_arrow(f["type"], array.field(i)))
                     for i, f in enumerate(kind["fields"])]
            return [[[n, values[i]] for n, values in parts] if ok else None
                    for i, ok in enumerate(present)]
        offsets = array.offsets.to_pylist()
        if kind["type"] == "list":
            items = from_arrow(kind["element"], array.values)
        else:
            items = [list(pair) for pair in zip(from_arrow(kind["key"], array.keys),
                                                from_arrow(kind["value"], array.items))]
        lists = [items[offsets[i]:offsets[i + 1]] if ok else None for i, ok in enumerate(present)]
        if kind["type"] == "map":
            lists = [v if v is None else sorted(v, key=lambda pair: json.dumps(pair[0])) for v in lists]
        return lists
    if kind in WHOLE:
        if pa.types.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us", array.type.tz))
        elif pa.types.is_time(array.type):
            array = array.cast(pa.time64("us"))
        width = pa.int32() if pa.types.is_date32(array.type) else pa.int64()
        return array.cast(width).to_pylist()
    values = array.to_pylist()
    if kind.startswith("decimal"):
        return [None if v is None else scaled(v, kind) for v in values]
    if kind == "uuid":
        return [None if v is None else str(v if isinstance(v, uuid.UUID) else
                uuid.UUID(bytes=v) if isinstance(v, bytes) else uuid.UUID(v)) for v in values]
    if kind == "binary" or kind.startswith("fixed"):
        return [None if v is None else bytes(v).hex() for v in values]
    return values


def text_of(row):
    """A row (list of neutral values) as one text; equal rows have equal texts."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
