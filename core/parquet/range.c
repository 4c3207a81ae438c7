#include "core/parquet/range.h"

#include <math.h>

#include "core/base/decimal.h"
#include "core/base/utf8.h"

enum range_kind range_kind_of(const struct type *type)
{
    switch (type->kind) {
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return RANGE_REAL;
    case TYPE_DECIMAL:
        return type->precision > 18 ? RANGE_WIDE : RANGE_WHOLE;
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_UUID:
    case TYPE_FIXED:
        return RANGE_BYTES;
    default:
        return RANGE_WHOLE;
    }
}

void range_destroy(struct range *range)
{
    buffer_destroy(&range->low.bytes);
    buffer_destroy(&range->high.bytes);
}

void range_add_whole(struct range *range, int64_t low, int64_t high)
{
    if (!range->set || low < range->low.whole)
        range->low.whole = low;
    if (!range->set || high > range->high.whole)
        range->high.whole = high;
    range->set = true;
}

void range_add_wide(struct range *range, int128 low, int128 high)
{
    if (!range->set || low < range->low.wide)
        range->low.wide = low;
    if (!range->set || high > range->high.wide)
        range->high.wide = high;
    range->set = true;
}

void range_add_real(struct range *range, double low, double high)
{
    if (!range->set || low < range->low.real)
        range->low.real = low;
    if (!range->set || high > range->high.real)
        range->high.real = high;
    range->set = true;
}

/* The first eight bytes as a number that orders as they do. */
static uint64_t head_of(struct slice value)
{
    uint64_t head = 0;
    if (value.length >= 8) {
        memcpy(&head, value.data, 8);
        return __builtin_bswap64(head);
    }
    for (size_t i = 0; i < value.length; i++)
        head |= (uint64_t)(uint8_t)value.data[i] << (56 - 8 * i);
    return head;
}

static bool set_bytes(struct range_bound *bound, uint64_t *head, struct slice value,
                      struct error *error)
{
    buffer_clear(&bound->bytes);
    *head = head_of(value);
    return buffer_append_slice(&bound->bytes, value, error);
}

bool range_add_bytes(struct range *range, struct slice value, struct error *error)
{
    uint64_t head = head_of(value);
    if (!range->set) {
        TRY(set_bytes(&range->low, &range->low_head, value, error));
        TRY(set_bytes(&range->high, &range->high_head, value, error));
        range->set = true;
        return true;
    }
    if (head > range->low_head && head < range->high_head)
        return true; /* inside, as nearly always */
    if (head <= range->low_head && slice_compare(value, buffer_slice(&range->low.bytes)) < 0)
        TRY(set_bytes(&range->low, &range->low_head, value, error));
    if (head >= range->high_head && slice_compare(value, buffer_slice(&range->high.bytes)) > 0)
        TRY(set_bytes(&range->high, &range->high_head, value, error));
    return true;
}

bool range_add_range(struct range *range, const struct range *part, struct error *error)
{
    if (!part->set)
        return true;
    switch (part->kind) {
    case RANGE_WHOLE:
        range_add_whole(range, part->low.whole, part->high.whole);
        return true;
    case RANGE_WIDE:
        range_add_wide(range, part->low.wide, part->high.wide);
        return true;
    case RANGE_REAL:
        range_add_real(range, part->low.real, part->high.real);
        return true;
    default:
        return range_add_bytes(range, buffer_slice(&part->low.bytes), error) &&
               range_add_bytes(range, buffer_slice(&part->high.bytes), error);
    }
}

static int compare_bounds(enum range_kind kind, const struct range_bound *a,
                          const struct range_bound *b)
{
    switch (kind) {
    case RANGE_WHOLE:
        return (a->whole > b->whole) - (a->whole < b->whole);
    case RANGE_WIDE:
        return (a->wide > b->wide) - (a->wide < b->wide);
    case RANGE_REAL:
        return (a->real > b->real) - (a->real < b->real);
    default:
        return slice_compare(buffer_slice(&a->bytes), buffer_slice(&b->bytes));
    }
}

int range_compare_low(const struct range *a, const struct range *b)
{
    return compare_bounds(a->kind, &a->low, &b->low);
}

int range_compare_high(const struct range *a, const struct range *b)
{
    return compare_bounds(a->kind, &a->high, &b->high);
}

/* A zero bound stands for both zeros: -0.0 below, +0.0 above. */
static double real_bound(const struct range_bound *bound, bool upper)
{
    return bound->real == 0 ? (upper ? 0.0 : -0.0) : bound->real;
}

/* Fixed-width forms, little-endian as in both formats; returns the length. */
static size_t fixed_form(const struct range_bound *bound, bool upper, const struct type *type,
                         uint8_t out[16])
{
    size_t width = type_width(type);
    if (type->kind == TYPE_FLOAT) {
        float value = (float)real_bound(bound, upper);
        memcpy(out, &value, sizeof value);
    } else if (type->kind == TYPE_DOUBLE) {
        double value = real_bound(bound, upper);
        memcpy(out, &value, sizeof value);
    } else {
        for (size_t i = 0; i < width; i++)
            out[i] = (uint8_t)((uint64_t)bound->whole >> (8 * i));
    }
    return width;
}

/* Cuts a text between characters, binary anywhere; at most `longest` bytes. */
static size_t cut_length(struct slice value, bool text, size_t longest)
{
    size_t length = longest;
    while (text && length > 0 && ((uint8_t)value.data[length] & 0xC0) == 0x80)
        length--;
    return length ? length : longest;
}

/* Makes the prefix in `data` the least value above all that begin with it; 0 when there is none. */
static size_t raise_prefix(char *data, size_t length, bool text)
{
    while (length > 0) {
        size_t last = length - 1;
        if (!text) {
            if ((uint8_t)data[last] != 0xFF) {
                data[last]++;
                return length;
            }
            length = last;
            continue;
        }
        while (last > 0 && ((uint8_t)data[last] & 0xC0) == 0x80)
            last--;
        uint32_t point = utf8_decode(data + last, length - last) + 1;
        point = point >= 0xD800 && point <= 0xDFFF ? 0xE000 : point;
        char raised[4];
        size_t width = point <= 0x10FFFF ? utf8_encode(point, raised) : 0;
        /* A longer form could overrun the limit by a byte: that is why prefixes keep 4 free. */
        if (width) {
            memcpy(data + last, raised, width);
            return last + width;
        }
        length = last;
    }
    return 0;
}

static enum range_result append_bytes(struct slice value, bool upper, const struct type *type,
                                      size_t longest, struct buffer *out, struct error *error)
{
    bool may_cut = type->kind == TYPE_STRING || type->kind == TYPE_BINARY;
    if (!may_cut || value.length <= longest)
        return buffer_append_slice(out, value, error) ? RANGE_EXACT : RANGE_FAILED;
    bool text = type->kind == TYPE_STRING && utf8_valid(value.data, value.length);
    size_t length = cut_length(value, text, longest - 4);
    size_t before = out->length;
    if (!buffer_reserve(out, longest + 4, error))
        return RANGE_FAILED;
    memcpy(out->data + before, value.data, length);
    if (upper)
        length = raise_prefix(out->data + before, length, text);
    out->length = before + length;
    return length ? RANGE_SHORTENED : RANGE_NONE;
}

enum range_result range_append_parquet(const struct range *range, bool upper,
                                       const struct type *type, int32_t width, size_t longest,
                                       struct buffer *out, struct error *error)
{
    const struct range_bound *bound = upper ? &range->high : &range->low;
    uint8_t bytes[16] = {0};
    if (range->kind == RANGE_BYTES)
        return append_bytes(buffer_slice(&bound->bytes), upper, type, longest, out, error);
    size_t length = (size_t)width;
    if (range->kind == RANGE_WIDE)
        decimal_to_bytes_fixed(bound->wide, bytes, length);
    else if (type->kind == TYPE_DECIMAL)
        memcpy(bytes, &bound->whole, sizeof bound->whole);
    else
        length = fixed_form(bound, upper, type, bytes);
    return buffer_append(out, bytes, length, error) ? RANGE_EXACT : RANGE_FAILED;
}

bool range_to_iceberg(const struct range *range, bool upper, const struct type *type,
                      struct arena *arena, struct slice *out, struct error *error)
{
    const struct range_bound *bound = upper ? &range->high : &range->low;
    uint8_t bytes[16] = {0};
    struct slice value = {(const char *)bytes, 0};
    if (range->kind == RANGE_BYTES)
        value = buffer_slice(&bound->bytes);
    else if (range->kind == RANGE_WIDE)
        value.length = decimal_to_bytes_minimal(bound->wide, bytes);
    else if (type->kind == TYPE_DECIMAL)
        value.length = decimal_to_bytes_minimal(bound->whole, bytes);
    else
        value.length = fixed_form(bound, upper, type, bytes);
    const char *copy = arena_copy_slice(arena, value, error);
    *out = slice_make(copy, value.length);
    return copy != NULL;
}
