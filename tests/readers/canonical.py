"""The canonical text of rows (tests/unit/rows.h) from Arrow tables, whoever made them."""
import json
import math
import struct

import pyarrow as pa


def value(scalar):
    """The text of one Arrow scalar."""
    kind = scalar.type
    if not scalar.is_valid:
        return "null"
    if isinstance(scalar, pa.ExtensionScalar):
        if kind.extension_name == "arrow.bool8":
            return "true" if scalar.value.as_py() else "false"
        return value(scalar.value)
    if pa.types.is_boolean(kind):
        return "true" if scalar.as_py() else "false"
    if pa.types.is_uint64(kind):  # ours: decimal(20, 0)
        return '"%d"' % scalar.as_py()
    if pa.types.is_integer(kind):
        return str(scalar.as_py())
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        factor = 1
        if not pa.types.is_date(kind):
            factor = {"ns": 0.001, "us": 1, "ms": 1000, "s": 1000000}[kind.unit]
        if pa.types.is_date64(kind):
            return str(scalar.value // 86400000)
        return str(scalar.value // 1000 if factor == 0.001 else scalar.value * factor)
    if pa.types.is_floating(kind):
        number = scalar.as_py()
        if math.isnan(number):
            return '"nan"'
        form = ">d" if kind == pa.float64() else ">f"
        return '"%s"' % struct.pack(form, number).hex()
    if pa.types.is_decimal(kind):
        return '"%s"' % format(scalar.as_py(), "f")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return json.dumps(scalar.as_py(), ensure_ascii=False)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or \
            pa.types.is_fixed_size_binary(kind):
        return '"%s"' % scalar.as_py().hex()
    if pa.types.is_map(kind):
        entries = scalar.values
        keys, items = entries.field(0), entries.field(1)
        pairs = ("[%s, %s]" % (value(keys[i]), value(items[i])) for i in range(len(entries)))
        return "[%s]" % ", ".join(pairs)
    if pa.types.is_struct(kind):
        return "[%s]" % ", ".join(value(scalar[i]) for i in range(kind.num_fields))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "[%s]" % ", ".join(value(item) for item in scalar.values)
    if pa.types.is_dictionary(kind):
        return value(pa.scalar(scalar.as_py(), kind.value_type))
    raise TypeError("no canonical text for %s" % kind)


def rows(table):
    """The text of every row of an Arrow table."""
    columns = [[value(item) for chunk in column.chunks for item in chunk]
               for column in table.columns]
    return ["[%s]" % ", ".join(column[i] for column in columns) for i in range(table.num_rows)]


def first_difference(ours, theirs):
    """None when equal, else where and how two lists of rows differ."""
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            at = next((k for k in range(min(len(a), len(b))) if a[k] != b[k]), 0)
            return "row %d at %d: ours ...%s theirs ...%s" % (
                i, at, a[max(0, at - 40):at + 60], b[max(0, at - 40):at + 60])
    if len(ours) != len(theirs):
        return "%d rows of ours, %d of theirs" % (len(ours), len(theirs))
    return None
