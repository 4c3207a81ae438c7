#!/usr/bin/env bash
# Promise: Parquet files of ours are read by Arrow and DuckDB, theirs and Trino's by us, row by row alike.
. "$(dirname "$0")/lib.sh"

tool=$(dirname "$SURFBOARD")/tools/parquet_rows
"$PYTHON" "$root/tests/readers/parquet_readers.py" --tool "$tool" --fixtures "$fixtures/iceberg" --work "$work"
