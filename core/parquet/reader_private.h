/* reader_private.h: what a reader is made of; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_READER_PRIVATE_H
#define SURFBOARD_PARQUET_READER_PRIVATE_H

#include "core/parquet/metadata.h"

struct parquet_reader {
    struct source source;
    struct parquet_limits limits;
    struct metadata metadata;
};

#endif
