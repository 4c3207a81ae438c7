/* Deletion vectors: a 64-bit portable roaring bitmap in a framed blob (Iceberg Puffin spec,
 * "deletion-vector-v1"; RoaringFormatSpec). */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/codec/codec.h"
#include "core/iceberg/scan_internal.h"

enum {
    COOKIE_PLAIN = 12346,
    COOKIE_RUNS = 12347,
    ARRAY_MOST = 4096,
    BITMAP_BYTES = 8192,
    OFFSETS_FROM = 4 /* containers, in the form with runs */
};

struct bytes {
    const uint8_t *at, *end;
    const char *name;
    size_t before, most; /* positions held before this vector; rows it may have */
};

static bool damaged(const struct bytes *in, struct error *error)
{
    error_set(error, ERROR_INPUT, "restore the file, or roll the table back",
              "%s: the deletion vector is damaged", in->name);
    return false; /* plainly, so that compilers see it */
}

static bool take(struct bytes *in, size_t count, const uint8_t **out, struct error *error)
{
    if ((size_t)(in->end - in->at) < count)
        return damaged(in, error);
    *out = in->at;
    in->at += count;
    return true;
}

static uint32_t get_le(const uint8_t *at, int width)
{
    uint32_t value = 0;
    for (int i = 0; i < width; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

static uint32_t get_be(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Ascending rows only: a few bytes of runs stand for many rows, but never for more than there are.
 */
static bool add(const struct bytes *in, struct iceberg_positions *positions, int64_t row,
                struct error *error)
{
    size_t count = positions->count - in->before;
    if (count >= in->most || (count > 0 && positions->rows[positions->count - 1] >= row))
        return damaged(in, error);
    TRY(memory_grow(&positions->rows, &positions->capacity, positions->count + 1,
                    sizeof *positions->rows, error));
    positions->rows[positions->count++] = row;
    return true;
}

static bool read_array(struct bytes *in, size_t count, int64_t base,
                       struct iceberg_positions *positions, struct error *error)
{
    const uint8_t *values;
    TRY(take(in, count * 2, &values, error));
    for (size_t i = 0; i < count; i++)
        TRY(add(in, positions, base + get_le(values + 2 * i, 2), error));
    return true;
}

static bool read_bitmap(struct bytes *in, int64_t base, struct iceberg_positions *positions,
                        struct error *error)
{
    const uint8_t *bits;
    TRY(take(in, BITMAP_BYTES, &bits, error));
    for (int64_t i = 0; i < BITMAP_BYTES * 8; i++) {
        if (bits[i / 8] >> (i % 8) & 1)
            TRY(add(in, positions, base + i, error));
    }
    return true;
}

static bool read_runs(struct bytes *in, int64_t base, struct iceberg_positions *positions,
                      struct error *error)
{
    const uint8_t *head, *runs;
    TRY(take(in, 2, &head, error));
    size_t count = get_le(head, 2);
    TRY(take(in, count * 4, &runs, error));
    for (size_t i = 0; i < count; i++) {
        uint32_t first = get_le(runs + 4 * i, 2), more = get_le(runs + 4 * i + 2, 2);
        if (first + more > 0xffff)
            return damaged(in, error);
        for (uint32_t k = 0; k <= more; k++)
            TRY(add(in, positions, base + first + k, error));
    }
    return true;
}

/* One 32-bit bitmap. */
static bool read_bucket(struct bytes *in, int64_t high, struct iceberg_positions *positions,
                        struct error *error)
{
    const uint8_t *head, *runs = NULL, *keys, *offsets;
    TRY(take(in, 4, &head, error));
    uint32_t cookie = get_le(head, 4);
    size_t count = (cookie >> 16) + 1;
    if ((cookie & 0xffff) == COOKIE_RUNS) {
        TRY(take(in, (count + 7) / 8, &runs, error));
    } else if (cookie == COOKIE_PLAIN) {
        TRY(take(in, 4, &head, error));
        count = get_le(head, 4);
    } else {
        return damaged(in, error);
    }
    if (count > 0x10000)
        return damaged(in, error);
    TRY(take(in, count * 4, &keys, error));
    if (runs == NULL || count >= OFFSETS_FROM)
        TRY(take(in, count * 4, &offsets, error)); /* containers follow in order */
    for (size_t i = 0; i < count; i++) {
        int64_t base = high << 32 | (int64_t)get_le(keys + 4 * i, 2) << 16;
        size_t cardinality = get_le(keys + 4 * i + 2, 2) + 1;
        if (runs && (runs[i / 8] >> (i % 8) & 1))
            TRY(read_runs(in, base, positions, error));
        else if (cardinality <= ARRAY_MOST)
            TRY(read_array(in, cardinality, base, positions, error));
        else
            TRY(read_bitmap(in, base, positions, error));
    }
    return true;
}

bool scan_read_vector(struct slice blob, const char *name, size_t most,
                      struct iceberg_positions *positions, struct error *error)
{
    static const uint8_t magic[4] = {0xD1, 0xD3, 0x39, 0x64};
    struct bytes in = {(const uint8_t *)blob.data, (const uint8_t *)blob.data + blob.length, name,
                       positions->count, most};
    const uint8_t *head, *body;
    TRY(take(&in, 4, &head, error));
    size_t length = get_be(head);
    TRY(take(&in, length, &body, error) && take(&in, 4, &head, error));
    if (length < 12 || in.at != in.end || memcmp(body, magic, sizeof magic) != 0 ||
        codec_crc32(0, slice_make(body, length)) != get_be(head))
        return damaged(&in, error);
    struct bytes vector = {body + 4, body + length, name, positions->count, most};
    TRY(take(&vector, 8, &head, error));
    uint64_t buckets = get_le(head, 4) | (uint64_t)get_le(head + 4, 4) << 32;
    if (buckets > length / 8)
        return damaged(&in, error);
    for (uint64_t i = 0; i < buckets; i++) {
        TRY(take(&vector, 4, &head, error));
        uint32_t high = get_le(head, 4);
        if (high > 0x7fffffff)
            return damaged(&in, error);
        TRY(read_bucket(&vector, high, positions, error));
    }
    return vector.at == vector.end || damaged(&vector, error);
}
