#include "core/parquet/values.h"

#include "core/base/memory.h"
#include "core/parquet/delta.h"

enum { PIECE = 256 }; /* values decoded through a buffer on the stack */

size_t values_width(enum parquet_physical physical, int32_t type_length)
{
    static const size_t widths[PARQUET_PHYSICALS] = {1, 4, 8, 12, 4, 8, 0, 0};
    return physical == PARQUET_FIXED ? (size_t)type_length : widths[physical];
}

/* ---- beginning a page ---- */

static enum values_result begin_dictionary(struct values_decoder *decoder, struct slice bytes)
{
    if (bytes.length == 0) { /* a page of nulls only */
        rle_decoder_init(&decoder->rle, bytes, 0);
        return VALUES_OK;
    }
    unsigned width = (uint8_t)bytes.data[0];
    rle_decoder_init(&decoder->rle, slice_make(bytes.data + 1, bytes.length - 1), width);
    return width <= 32 ? VALUES_OK : VALUES_DAMAGED;
}

static enum values_result begin_rle(struct values_decoder *decoder, struct slice bytes)
{
    if (decoder->physical != PARQUET_BOOLEAN)
        return VALUES_UNSUPPORTED;
    uint32_t length = 0;
    rle_decoder_init(&decoder->rle, (struct slice){bytes.data, 0}, 1);
    if (bytes.length == 0) /* a page of nulls only */
        return VALUES_OK;
    if (bytes.length < sizeof length)
        return VALUES_DAMAGED;
    memcpy(&length, bytes.data, sizeof length);
    if (length > bytes.length - sizeof length)
        return VALUES_DAMAGED;
    rle_decoder_init(&decoder->rle, slice_make(bytes.data + sizeof length, length), 1);
    return VALUES_OK;
}

/* Streams of deltas, one or two, and bytes behind them. */
static enum values_result begin_delta(struct values_decoder *decoder)
{
    bool integers = decoder->encoding == PARQUET_DELTA_BINARY_PACKED;
    bool whole = decoder->physical == PARQUET_INT32 || decoder->physical == PARQUET_INT64;
    bool bytes =
        decoder->physical == PARQUET_BYTE_ARRAY ||
        (decoder->physical == PARQUET_FIXED && decoder->encoding == PARQUET_DELTA_BYTE_ARRAY);
    if (integers ? !whole : !bytes)
        return VALUES_UNSUPPORTED;
    if (decoder->at == decoder->end) { /* a page of nulls only */
        decoder->lengths = (struct delta_decoder){0};
        decoder->prefixes = (struct delta_decoder){0};
        return VALUES_OK;
    }
    if (decoder->encoding == PARQUET_DELTA_BYTE_ARRAY) {
        buffer_clear(&decoder->previous);
        if (!delta_begin(&decoder->prefixes, decoder->at, decoder->end) ||
            !delta_find_end(decoder->prefixes, &decoder->at))
            return VALUES_DAMAGED;
    }
    if (!delta_begin(&decoder->lengths, decoder->at, decoder->end))
        return VALUES_DAMAGED;
    return integers || delta_find_end(decoder->lengths, &decoder->at) ? VALUES_OK : VALUES_DAMAGED;
}

static enum values_result begin_split(struct values_decoder *decoder, struct slice bytes)
{
    if (decoder->physical == PARQUET_BOOLEAN || decoder->physical == PARQUET_BYTE_ARRAY ||
        decoder->physical == PARQUET_INT96)
        return VALUES_UNSUPPORTED;
    decoder->streams = bytes.length / decoder->width;
    return bytes.length % decoder->width == 0 ? VALUES_OK : VALUES_DAMAGED;
}

enum values_result values_begin(struct values_decoder *decoder, int32_t encoding,
                                enum parquet_physical physical, size_t width, struct slice bytes)
{
    decoder->encoding = (enum parquet_encoding)encoding;
    decoder->physical = physical;
    decoder->width = width;
    decoder->at = (const uint8_t *)bytes.data;
    decoder->end = decoder->at + bytes.length;
    decoder->index = 0;
    switch (encoding) {
    case PARQUET_PLAIN:
        return VALUES_OK;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        decoder->encoding = PARQUET_RLE_DICTIONARY;
        return begin_dictionary(decoder, bytes);
    case PARQUET_RLE:
        return begin_rle(decoder, bytes);
    case PARQUET_DELTA_BINARY_PACKED:
    case PARQUET_DELTA_LENGTH_BYTE_ARRAY:
    case PARQUET_DELTA_BYTE_ARRAY:
        return begin_delta(decoder);
    case PARQUET_BYTE_STREAM_SPLIT:
        return begin_split(decoder, bytes);
    default:
        return VALUES_UNSUPPORTED;
    }
}

/* ---- fixed width ---- */

static bool read_bits(struct values_decoder *decoder, uint8_t *out, size_t count)
{
    size_t bits = (size_t)(decoder->end - decoder->at) * 8;
    if (count > bits - decoder->index)
        return false;
    for (size_t i = 0; i < count; i++, decoder->index++)
        out[i] = decoder->at[decoder->index / 8] >> (decoder->index % 8) & 1;
    return true;
}

static bool read_plain(struct values_decoder *decoder, void *out, size_t count)
{
    if (decoder->physical == PARQUET_BOOLEAN)
        return read_bits(decoder, out, count);
    if (count > (size_t)(decoder->end - decoder->at) / decoder->width)
        return false;
    if (count)
        memcpy(out, decoder->at, count * decoder->width);
    decoder->at += count * decoder->width;
    return true;
}

static bool read_deltas(struct values_decoder *decoder, char *out, size_t count)
{
    int64_t piece[PIECE];
    while (count > 0) {
        size_t take = count < PIECE ? count : PIECE;
        if (!delta_read(&decoder->lengths, piece, take))
            return false;
        for (size_t i = 0; i < take; i++, out += decoder->width)
            memcpy(out, &piece[i], decoder->width); /* little-endian: the low bytes */
        count -= take;
    }
    return true;
}

static bool read_split(struct values_decoder *decoder, char *out, size_t count)
{
    if (count > decoder->streams - decoder->index)
        return false;
    for (size_t byte = 0; byte < decoder->width; byte++) {
        const uint8_t *from = decoder->at + byte * decoder->streams + decoder->index;
        for (size_t i = 0; i < count; i++)
            out[i * decoder->width + byte] = (char)from[i];
    }
    decoder->index += count;
    return true;
}

enum values_result values_read_fixed(struct values_decoder *decoder, void *out, size_t count)
{
    bool ok = false;
    switch (decoder->encoding) {
    case PARQUET_PLAIN:
        ok = read_plain(decoder, out, count);
        break;
    case PARQUET_RLE:
        ok = rle_decode_bytes(&decoder->rle, out, count);
        break;
    case PARQUET_DELTA_BINARY_PACKED:
        ok = read_deltas(decoder, out, count);
        break;
    case PARQUET_BYTE_STREAM_SPLIT:
        ok = read_split(decoder, out, count);
        break;
    default:
        break;
    }
    return ok ? VALUES_OK : VALUES_DAMAGED;
}

/* ---- byte arrays ---- */

/* Room for `bytes` more in the column. */
static enum values_result reserve(struct values_decoder *decoder, struct column *out, size_t begin,
                                  uint64_t bytes, struct error *error)
{
    if (out->bytes_length - begin + bytes > decoder->limit)
        return VALUES_TOO_LARGE;
    return memory_grow(&out->bytes, &out->bytes_capacity, out->bytes_length + (size_t)bytes, 1,
                       error)
               ? VALUES_OK
               : VALUES_MEMORY;
}

static void append(struct column *out, size_t row, const void *bytes, size_t length)
{
    if (length)
        memcpy(out->bytes + out->bytes_length, bytes, length);
    out->bytes_length += length;
    out->offsets[row + 1] = out->bytes_length;
}

static enum values_result read_plain_bytes(struct values_decoder *decoder, struct column *out,
                                           size_t at, size_t count, struct error *error)
{
    size_t begin = out->bytes_length;
    for (size_t i = 0; i < count; i++) {
        uint32_t length;
        if ((size_t)(decoder->end - decoder->at) < sizeof length)
            return VALUES_DAMAGED;
        memcpy(&length, decoder->at, sizeof length);
        decoder->at += sizeof length;
        if (length > (size_t)(decoder->end - decoder->at))
            return VALUES_DAMAGED;
        if (length > out->bytes_capacity - out->bytes_length ||
            out->bytes_length - begin + length > decoder->limit) {
            enum values_result result = reserve(decoder, out, begin, length, error);
            if (result != VALUES_OK)
                return result;
        }
        append(out, at + i, decoder->at, length);
        decoder->at += length;
    }
    return VALUES_OK;
}

static enum values_result read_delta_length(struct values_decoder *decoder, struct column *out,
                                            size_t at, size_t count, struct error *error)
{
    int64_t lengths[PIECE];
    size_t begin = out->bytes_length;
    while (count > 0) {
        size_t take = count < PIECE ? count : PIECE;
        if (!delta_read(&decoder->lengths, lengths, take))
            return VALUES_DAMAGED;
        for (size_t i = 0; i < take; i++) {
            if (lengths[i] < 0 || lengths[i] > decoder->end - decoder->at)
                return VALUES_DAMAGED;
            enum values_result result = reserve(decoder, out, begin, (uint64_t)lengths[i], error);
            if (result != VALUES_OK)
                return result;
            append(out, at + i, decoder->at, (size_t)lengths[i]);
            decoder->at += lengths[i];
        }
        at += take;
        count -= take;
    }
    return VALUES_OK;
}

/* A prefix of the value before, and a suffix of one's own. */
static enum values_result read_front_coded(struct values_decoder *decoder, struct column *out,
                                           size_t at, size_t count, struct error *error)
{
    size_t begin = out->bytes_length;
    for (size_t i = 0; i < count; i++) {
        int64_t prefix;
        int64_t suffix;
        if (!delta_read(&decoder->prefixes, &prefix, 1) ||
            !delta_read(&decoder->lengths, &suffix, 1) || prefix < 0 || suffix < 0 ||
            (uint64_t)prefix > decoder->previous.length || suffix > decoder->end - decoder->at)
            return VALUES_DAMAGED;
        decoder->previous.length = (size_t)prefix;
        if (!buffer_append(&decoder->previous, decoder->at, (size_t)suffix, error))
            return VALUES_MEMORY;
        decoder->at += suffix;
        enum values_result result = reserve(decoder, out, begin, decoder->previous.length, error);
        if (result != VALUES_OK)
            return result;
        append(out, at + i, decoder->previous.data, decoder->previous.length);
    }
    return VALUES_OK;
}

enum values_result values_read_bytes(struct values_decoder *decoder, struct column *out, size_t at,
                                     size_t count, struct error *error)
{
    switch (decoder->encoding) {
    case PARQUET_PLAIN:
        return read_plain_bytes(decoder, out, at, count, error);
    case PARQUET_DELTA_LENGTH_BYTE_ARRAY:
        return read_delta_length(decoder, out, at, count, error);
    case PARQUET_DELTA_BYTE_ARRAY:
        return read_front_coded(decoder, out, at, count, error);
    default:
        return VALUES_DAMAGED;
    }
}

/* ---- dictionary indices, skipping ---- */

enum values_result values_read_indices(struct values_decoder *decoder, uint32_t *out, size_t count,
                                       size_t entries)
{
    if (!rle_decode(&decoder->rle, out, count))
        return VALUES_DAMAGED;
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = out[i] > highest ? out[i] : highest;
    return count == 0 || highest < entries ? VALUES_OK : VALUES_DAMAGED;
}

static bool skip_plain(struct values_decoder *decoder, size_t count)
{
    if (decoder->physical == PARQUET_BOOLEAN) {
        size_t bits = (size_t)(decoder->end - decoder->at) * 8;
        if (count > bits - decoder->index)
            return false;
        decoder->index += count;
        return true;
    }
    if (decoder->width) {
        if (count > (size_t)(decoder->end - decoder->at) / decoder->width)
            return false;
        decoder->at += count * decoder->width;
        return true;
    }
    for (; count > 0; count--) {
        uint32_t length;
        if ((size_t)(decoder->end - decoder->at) < sizeof length)
            return false;
        memcpy(&length, decoder->at, sizeof length);
        decoder->at += sizeof length;
        if (length > (size_t)(decoder->end - decoder->at))
            return false;
        decoder->at += length;
    }
    return true;
}

static bool skip_deltas(struct values_decoder *decoder, size_t count)
{
    int64_t piece[PIECE];
    while (count > 0) {
        size_t take = count < PIECE ? count : PIECE;
        if (!delta_read(&decoder->lengths, piece, take))
            return false;
        for (size_t i = 0; decoder->encoding != PARQUET_DELTA_BINARY_PACKED && i < take; i++) {
            if (piece[i] < 0 || piece[i] > decoder->end - decoder->at)
                return false;
            decoder->at += piece[i];
        }
        count -= take;
    }
    return true;
}

enum values_result values_skip(struct values_decoder *decoder, size_t count)
{
    bool ok = false;
    switch (decoder->encoding) {
    case PARQUET_PLAIN:
        ok = skip_plain(decoder, count);
        break;
    case PARQUET_RLE:
    case PARQUET_RLE_DICTIONARY:
        ok = rle_skip(&decoder->rle, count);
        break;
    case PARQUET_DELTA_BINARY_PACKED:
    case PARQUET_DELTA_LENGTH_BYTE_ARRAY:
        ok = skip_deltas(decoder, count);
        break;
    case PARQUET_BYTE_STREAM_SPLIT:
        ok = count <= decoder->streams - decoder->index;
        decoder->index += ok ? count : 0;
        break;
    default:
        break;
    }
    return ok ? VALUES_OK : VALUES_DAMAGED;
}
