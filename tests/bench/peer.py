"""peer.py: DuckDB doing the work of a merge, for bench.py.

    peer.py SOURCE STATE FILES    FILES: a JSON list of batches, each a list of file names;
                                  reads STATE0.parquet, writes STATE1.parquet, ...;
                                  prints its peak memory in bytes
"""
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "readers"))
from generated import connect  # noqa: E402

# The generator's type names: (as the JSON has them, as the table has them).
TYPES = {"int": ("INTEGER", "{}"), "long": ("BIGINT", "{}"), "boolean": ("BOOLEAN", "{}"),
         "double": ("DOUBLE", "{}"), "string": ("VARCHAR", "{}"),
         "timestamp": ("BIGINT", "make_timestamp({})::TIMESTAMPTZ"),
         "date": ("INTEGER", "(DATE '1970-01-01' + {})")}


def raw(kind):
    return "VARCHAR" if kind.startswith("decimal") else TYPES[kind][0]


def typed(column):
    kind, name = column["type"], f'a."{column["name"]}"'
    value = f"{name}::{kind.upper()}" if kind.startswith("decimal") else TYPES[kind][1].format(name)
    return f'{value} AS "{column["name"]}"'


def run(source, state, batches):
    table = json.loads((pathlib.Path(source) / "schema.json").read_text())
    columns, keys = table["columns"], table["primary_key"]
    names = ", ".join(f'"{c["name"]}"' for c in columns)
    row = "STRUCT(" + ", ".join(f'"{c["name"]}" {raw(c["type"])}' for c in columns) + ")"
    key = "STRUCT(" + ", ".join(f'"{c["name"]}" {raw(c["type"])}' for c in columns if c["name"] in keys) + ")"
    match = " AND ".join(f't."{k}" = l.kk."{k}"' for k in keys)
    connection = connect()
    for number, files in enumerate(batches, 1):
        paths = ", ".join(f"'{source}/{name}'" for name in files)
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE latest AS
            SELECT op, kk, {", ".join(map(typed, columns))} FROM (
              SELECT kk, (m).op op, (m).a a FROM (
                SELECT "key" kk, arg_max({{'op': value.op, 'a': value.after}}, "offset") m
                FROM read_json([{paths}], format = 'newline_delimited',
                  columns = {{'key': '{key}', 'value': 'STRUCT(op VARCHAR, after {row})', 'offset': 'BIGINT'}})
                WHERE value IS NOT NULL GROUP BY "key"))""")
        connection.execute(f"""
            COPY (SELECT {names} FROM '{state}{number - 1}.parquet' t ANTI JOIN latest l ON {match}
                  UNION ALL SELECT {names} FROM latest WHERE op <> 'd')
            TO '{state}{number}.parquet' (FORMAT parquet, COMPRESSION zstd)""")


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
    status = pathlib.Path("/proc/self/status").read_text()
    print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
