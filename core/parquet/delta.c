/* DELTA_BINARY_PACKED (parquet-format, Encodings.md). */
#include "core/parquet/delta.h"

static bool read_varint(struct delta_decoder *delta, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (delta->at == delta->end)
            return false;
        uint8_t byte = *delta->at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_zigzag(struct delta_decoder *delta, int64_t *out)
{
    uint64_t value;
    if (!read_varint(delta, &value))
        return false;
    *out = (int64_t)(value >> 1 ^ (0 - (value & 1)));
    return true;
}

bool delta_begin(struct delta_decoder *delta, const uint8_t *at, const uint8_t *end)
{
    uint64_t block;
    *delta = (struct delta_decoder){.at = at, .end = end, .first = true};
    if (!read_varint(delta, &block) || !read_varint(delta, &delta->miniblocks) ||
        !read_varint(delta, &delta->left) || !read_zigzag(delta, &delta->last))
        return false;
    if (delta->miniblocks == 0 || block % delta->miniblocks != 0 || block > INT32_MAX ||
        delta->left > INT32_MAX)
        return false;
    delta->per_miniblock = block / delta->miniblocks;
    delta->miniblock = delta->miniblocks;
    return delta->per_miniblock > 0 && delta->per_miniblock % 8 == 0;
}

static bool begin_block(struct delta_decoder *delta)
{
    if (!read_zigzag(delta, &delta->least) ||
        (uint64_t)(delta->end - delta->at) < delta->miniblocks)
        return false;
    delta->widths = delta->at;
    delta->at += delta->miniblocks;
    delta->miniblock = 0;
    return true;
}

/* Steps into the next miniblock; the last one may be cut behind its last value. */
static bool begin_miniblock(struct delta_decoder *delta)
{
    if (delta->miniblock == delta->miniblocks && !begin_block(delta))
        return false;
    delta->width = delta->widths[delta->miniblock++];
    delta->in_miniblock = delta->per_miniblock;
    delta->bit = 0;
    uint64_t values = delta->left < delta->per_miniblock ? delta->left : delta->per_miniblock;
    return delta->width <= 64 &&
           (values * delta->width + 7) / 8 <= (uint64_t)(delta->end - delta->at);
}

static void end_miniblock(struct delta_decoder *delta)
{
    uint64_t bytes = delta->per_miniblock / 8 * delta->width;
    uint64_t there = (uint64_t)(delta->end - delta->at);
    delta->at += bytes < there ? bytes : there;
    delta->in_miniblock = 0;
}

/* Up to 64 bits from any bit; begin_miniblock() saw that they are there. */
static uint64_t unpack(const struct delta_decoder *delta)
{
    uint64_t value = 0;
    unsigned got = 0;
    uint64_t bit = delta->bit;
    while (got < delta->width) {
        unsigned shift = (unsigned)(bit % 8);
        value |= (uint64_t)(delta->at[bit / 8] >> shift) << got;
        got += 8 - shift;
        bit += 8 - shift;
    }
    return delta->width == 64 ? value : value & (((uint64_t)1 << delta->width) - 1);
}

bool delta_read(struct delta_decoder *delta, int64_t *out, size_t count)
{
    if (count > delta->left)
        return false;
    size_t i = 0;
    if (delta->first && count) {
        out[i++] = delta->last;
        delta->first = false;
        delta->left--;
    }
    for (; i < count; i++) {
        if (delta->in_miniblock == 0 && !begin_miniblock(delta))
            return false;
        /* The arithmetic wraps, by the format. */
        uint64_t step = (uint64_t)delta->least + unpack(delta);
        delta->last = (int64_t)((uint64_t)delta->last + step);
        out[i] = delta->last;
        delta->bit += delta->width;
        delta->left--;
        if (--delta->in_miniblock == 0)
            end_miniblock(delta);
    }
    return true;
}

bool delta_find_end(struct delta_decoder delta, const uint8_t **out)
{
    if (delta.left)
        delta.left--;
    while (delta.left > 0) {
        if (!begin_miniblock(&delta))
            return false;
        delta.left -= delta.left < delta.per_miniblock ? delta.left : delta.per_miniblock;
        end_miniblock(&delta);
    }
    *out = delta.at;
    return true;
}
