/* format.h: the numbers of parquet.thrift (apache/parquet-format), inside core/parquet. */
#ifndef SURFBOARD_PARQUET_FORMAT_H
#define SURFBOARD_PARQUET_FORMAT_H

#include <stdint.h>

/* Values are copied between pages and columns as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Parquet is little-endian");

enum parquet_physical {
    PARQUET_BOOLEAN,
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_INT96,
    PARQUET_FLOAT,
    PARQUET_DOUBLE,
    PARQUET_BYTE_ARRAY,
    PARQUET_FIXED,
    PARQUET_PHYSICALS
};

enum parquet_repetition { PARQUET_REQUIRED, PARQUET_OPTIONAL, PARQUET_REPEATED };

enum parquet_encoding {
    PARQUET_PLAIN = 0,
    PARQUET_PLAIN_DICTIONARY = 2,
    PARQUET_RLE = 3,
    PARQUET_BIT_PACKED = 4,
    PARQUET_DELTA_BINARY_PACKED = 5,
    PARQUET_DELTA_LENGTH_BYTE_ARRAY = 6,
    PARQUET_DELTA_BYTE_ARRAY = 7,
    PARQUET_RLE_DICTIONARY = 8,
    PARQUET_BYTE_STREAM_SPLIT = 9,
    PARQUET_ENCODINGS
};

enum parquet_page {
    PARQUET_PAGE_DATA = 0,
    PARQUET_PAGE_INDEX = 1,
    PARQUET_PAGE_DICTIONARY = 2,
    PARQUET_PAGE_DATA_V2 = 3
};

/* CompressionCodec numbers; codec.h has our own. */
enum parquet_codec {
    PARQUET_UNCOMPRESSED = 0,
    PARQUET_SNAPPY = 1,
    PARQUET_GZIP = 2,
    PARQUET_LZO = 3,
    PARQUET_BROTLI = 4,
    PARQUET_LZ4 = 5,
    PARQUET_ZSTD = 6,
    PARQUET_LZ4_RAW = 7
};

enum parquet_converted {
    PARQUET_CONVERTED_NONE = -1,
    PARQUET_UTF8 = 0,
    PARQUET_MAP = 1,
    PARQUET_MAP_KEY_VALUE = 2,
    PARQUET_LIST = 3,
    PARQUET_ENUM = 4,
    PARQUET_DECIMAL = 5,
    PARQUET_DATE = 6,
    PARQUET_TIME_MILLIS = 7,
    PARQUET_TIME_MICROS = 8,
    PARQUET_TIMESTAMP_MILLIS = 9,
    PARQUET_TIMESTAMP_MICROS = 10,
    PARQUET_UINT_8 = 11,
    PARQUET_UINT_16 = 12,
    PARQUET_UINT_32 = 13,
    PARQUET_UINT_64 = 14,
    PARQUET_INT_8 = 15,
    PARQUET_INT_16 = 16,
    PARQUET_INT_32 = 17,
    PARQUET_INT_64 = 18,
    PARQUET_JSON = 19,
    PARQUET_BSON = 20,
    PARQUET_INTERVAL = 21
};

/* Field ids of the LogicalType union. */
enum parquet_logical {
    PARQUET_LOGICAL_NONE = 0,
    PARQUET_LOGICAL_STRING = 1,
    PARQUET_LOGICAL_MAP = 2,
    PARQUET_LOGICAL_LIST = 3,
    PARQUET_LOGICAL_ENUM = 4,
    PARQUET_LOGICAL_DECIMAL = 5,
    PARQUET_LOGICAL_DATE = 6,
    PARQUET_LOGICAL_TIME = 7,
    PARQUET_LOGICAL_TIMESTAMP = 8,
    PARQUET_LOGICAL_INTEGER = 10,
    PARQUET_LOGICAL_UNKNOWN = 11,
    PARQUET_LOGICAL_JSON = 12,
    PARQUET_LOGICAL_BSON = 13,
    PARQUET_LOGICAL_UUID = 14,
    PARQUET_LOGICAL_FLOAT16 = 15,
    PARQUET_LOGICAL_VARIANT = 16
};

enum parquet_unit { PARQUET_MILLIS = 1, PARQUET_MICROS = 2, PARQUET_NANOS = 3 };

enum { PARQUET_MAGIC_LENGTH = 4, PARQUET_TAIL_LENGTH = 8 };
#define PARQUET_MAGIC "PAR1"

/* Levels are kept in bytes, and recursion is bounded. */
enum { PARQUET_MAX_DEPTH = 48 };

/* What a surfboard writes about itself; version parsers expect this shape. */
#ifndef SURFBOARD_BUILD
#define SURFBOARD_BUILD "release"
#endif
#define PARQUET_CREATED_BY "surfboard version " SURFBOARD_VERSION " (build " SURFBOARD_BUILD ")"

#endif
