"""Column and offset indexes of a Parquet file, read by hand (no library shows them), and held
against the values: engines that prune pages by them lose rows when they are wrong."""
import decimal
import math
import struct

import pyarrow as pa
import pyarrow.parquet as pq


class Thrift:
    """The compact protocol: structs become {field id: value}, lists become lists."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def value(self, kind, element=False):
        if kind in (1, 2):
            return (self.byte() if element else kind) == 1
        if kind == 3:
            return struct.unpack("b", bytes([self.byte()]))[0]
        if kind in (4, 5, 6):
            raw = self.varint()
            return (raw >> 1) ^ -(raw & 1)
        if kind == 8:
            length = self.varint()
            self.at += length
            return bytes(self.data[self.at - length:self.at])
        if kind == 9:
            head = self.byte()
            count = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15, True) for _ in range(count)]
        if kind == 12:
            return self.struct()
        raise ValueError("thrift type %d" % kind)

    def struct(self):
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            last = last + (head >> 4) if head >> 4 else self.value(4)
            fields[last] = self.value(head & 15)


INTEGERS = {1: "<i", 2: "<q"}
REALS = {4: "<f", 5: "<d"}


def order_key(physical, raw):
    """A bound as something that Python orders as the column does."""
    if physical in INTEGERS:
        return struct.unpack(INTEGERS[physical], raw)[0]
    if physical in REALS:
        return struct.unpack(REALS[physical], raw)[0]
    return raw


def value_key(physical, kind, scalar):
    value = scalar.value if isinstance(scalar, pa.ExtensionScalar) else scalar
    if pa.types.is_decimal(kind):
        with decimal.localcontext(prec=60):
            return int(value.as_py().scaleb(kind.scale))
    if pa.types.is_temporal(kind):
        return value.value
    value = value.as_py()
    return value.encode() if isinstance(value, str) else value


def check_chunk(data, chunk, column, rows):
    """What is wrong with the indexes of one chunk of a flat column; None when nothing is."""
    meta, physical, kind = chunk[3], chunk[3][1], column.type
    offsets = Thrift(data[chunk[4]:chunk[4] + chunk[5]]).struct()[1]
    firsts = [page[3] for page in offsets] + [rows]
    if firsts[0] != 0 or firsts != sorted(firsts):
        return "first rows %s" % firsts
    if sum(page[2] for page in offsets) > meta[7]:
        return "pages larger than their chunk"
    if 6 not in chunk:
        return None if pa.types.is_floating(kind) else "no column index"
    index = Thrift(data[chunk[6]:chunk[6] + chunk[7]]).struct()
    lows, highs = [], []
    for page, (begin, end) in enumerate(zip(firsts, firsts[1:])):
        present = [value_key(physical, kind, v) for v in column[begin:end] if v.is_valid]
        nulls = end - begin - len(present)
        present = [v for v in present if not (isinstance(v, float) and math.isnan(v))]
        if index[5][page] != nulls:
            return "page %d: %d nulls, not %d" % (page, index[5][page], nulls)
        if index[1][page] != (not present):
            return "page %d: null page or not" % page
        if not present:
            continue
        raw_low, raw_high = index[2][page], index[3][page]
        if pa.types.is_decimal(kind) and physical == 7:
            low, high = (int.from_bytes(raw, "big", signed=True) for raw in (raw_low, raw_high))
        else:
            low, high = order_key(physical, raw_low), order_key(physical, raw_high)
        if pa.types.is_boolean(kind):
            low, high = bool(raw_low[0]), bool(raw_high[0])
        if low > min(present) or high < max(present):
            return "page %d: %r .. %r does not hold %r .. %r" % (
                page, low, high, min(present), max(present))
        exact = not isinstance(low, bytes) or max(len(min(present)), len(max(present))) <= 64
        if exact and (low, high) != (min(present), max(present)):
            return "page %d: %r .. %r is loose" % (page, low, high)
        lows.append(low)
        highs.append(high)
    if index[4] == 1 and (lows != sorted(lows) or highs != sorted(highs)):
        return "not ascending"
    if index[4] == 2 and (lows != sorted(lows, reverse=True) or highs != sorted(highs, reverse=True)):
        return "not descending"
    return None


def difference(path):
    """The first fault of the page indexes of a file's flat columns, and how many were looked at."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<i", data[-8:-4])[0]
    footer = Thrift(data[-8 - length:-8]).struct()
    table = pq.ParquetFile(path)
    checked = 0
    for number, group in enumerate(footer[4]):
        rows = table.read_row_group(number)
        for chunk in group[1]:
            path_in_schema = [part.decode() for part in chunk[3][3]]
            if len(path_in_schema) != 1:
                continue
            column = rows.column(path_in_schema[0]).combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
            fault = check_chunk(data, chunk, column, rows.num_rows)
            checked += 1
            if fault:
                return "%s in group %d: %s" % (path_in_schema[0], number, fault), checked
    return None, checked
