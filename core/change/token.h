/* token.h: the tokens of strict JSON over borrowed bytes; private to core/change.
 *
 * A file includes this with TOKEN_LANES set to 0 (portable), 1 (SSE2) or 2 (AVX2, compiled for it);
 * without it the best that every machine of this architecture has. All functions are static: each
 * including file gets its own set, so that the lanes inline into the loops around them.
 *
 * Functions return false with j->problem set and j->at at the byte that is wrong. Nothing beyond
 * j->end is ever touched.
 */
#ifndef SURFBOARD_CHANGE_TOKEN_H
#define SURFBOARD_CHANGE_TOKEN_H

#include <stdint.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/slice.h"
#include "core/base/utf8.h"

#ifndef TOKEN_LANES
#ifdef __SSE2__
#define TOKEN_LANES 1
#else
#define TOKEN_LANES 0
#endif
#endif
#if TOKEN_LANES == 2
#include <immintrin.h>
#elif TOKEN_LANES == 1
#include <emmintrin.h>
#endif

#define TOKEN_LIKELY(x) __builtin_expect(!!(x), 1)
#define TOKEN_UNUSED __attribute__((unused))
#define TOKEN_HOT static inline __attribute__((always_inline))

enum { TOKEN_DEPTH = 512 };

struct cursor {
    const char *at;
    const char *end;
    const char *problem; /* plain text, static */
    unsigned depth;      /* containers entered so far */
};

enum token_kind {
    TOKEN_ABSENT,
    TOKEN_NULL,
    TOKEN_FALSE,
    TOKEN_TRUE,
    TOKEN_INTEGER, /* a number without fraction and exponent */
    TOKEN_NUMBER,  /* any other number */
    TOKEN_STRING,  /* without escapes: raw is the text */
    TOKEN_ESCAPED, /* with escapes: see token_unescape() */
    TOKEN_OBJECT,
    TOKEN_ARRAY
};

struct token {
    enum token_kind kind;
    struct slice raw; /* strings without their quotes, all else as it stands */
};

/* token.c */
/* Appends the text of a checked string with escapes. */
bool token_unescape(struct slice raw, struct buffer *out, struct error *error);
/* The next four characters as a number; -1 when they are not hex digits. */
int32_t token_hex4(const char *text, size_t length);
/* A checked integer as a signed 64-bit value; false when it does not fit. */
bool token_integer(struct slice raw, int64_t *out);

static inline struct cursor cursor_over(struct slice text)
{
    const char *at = text.data ? text.data : "";
    return (struct cursor){.at = at, .end = at + text.length};
}

static inline bool token_fail(struct cursor *j, const char *problem)
{
    j->problem = problem;
    return false;
}

/* The text is right so far but ends too early: j->at then is j->end, which tells a torn line. */
static inline bool token_cut(struct cursor *j, const char *problem)
{
    j->at = j->end;
    return token_fail(j, problem);
}

/* ---- lanes: where a run of like bytes ends ---- */

/* The first byte of a string that is a quote, a backslash, a control character or not ASCII. */
TOKEN_HOT const char *token_plain_end(const char *at, const char *end)
{
#if TOKEN_LANES == 2
    while (end - at >= 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
        __m256i stop = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                       _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
        /* Signed: below a blank are the control characters and everything from 0x80 up. */
        stop = _mm256_or_si256(stop, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes));
        unsigned mask = (unsigned)_mm256_movemask_epi8(stop);
        if (TOKEN_LIKELY(mask))
            return at + __builtin_ctz(mask);
        at += 32;
    }
#elif TOKEN_LANES == 1
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        /* Signed: below a blank are the control characters and everything from 0x80 up. */
        stop = _mm_or_si128(stop, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (TOKEN_LIKELY(mask))
            return at + __builtin_ctz(mask);
        at += 16;
    }
#else
    /* Eight bytes at once: a byte's high bit is set in `stop` when it may be one of ours. */
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';
        uint64_t stop = (quote - ones) | (backslash - ones) | (bytes - ones * 0x20) | bytes;
        if (stop & highs)
            break;
        at += 8;
    }
#endif
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
        at++;
    }
    return at;
}

/* The first byte that is not a digit. */
TOKEN_HOT const char *token_digits_end(const char *at, const char *end)
{
#if TOKEN_LANES >= 1
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i digits = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
        __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
        unsigned mask = (unsigned)_mm_movemask_epi8(small) ^ 0xFFFFu;
        if (TOKEN_LIKELY(mask))
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Whether the next `length` (at most 32) bytes are those of `text`, whose 32 bytes can be read. */
TOKEN_HOT bool token_same(const char *at, const char *end, const char *text, size_t length)
{
    if ((size_t)(end - at) < length)
        return false;
#if TOKEN_LANES >= 1
    if (TOKEN_LIKELY(end - at >= 32)) {
        __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)at),
                                   _mm_loadu_si128((const __m128i *)(const void *)text));
        uint64_t mask = (unsigned)_mm_movemask_epi8(a);
        if (length > 16) {
            __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(at + 16)),
                                       _mm_loadu_si128((const __m128i *)(const void *)(text + 16)));
            mask |= (uint64_t)(unsigned)_mm_movemask_epi8(b) << 16;
        }
        uint64_t wanted = (UINT64_C(1) << length) - 1;
        return (mask & wanted) == wanted;
    }
#endif
    return memcmp(at, text, length) == 0;
}

/* ---- tokens ---- */

TOKEN_HOT void token_space(struct cursor *j)
{
    while (j->at < j->end && (unsigned char)*j->at <= ' ' &&
           (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

/* Steps over white space and the byte `wanted`. */
TOKEN_HOT bool token_expect(struct cursor *j, char wanted, const char *problem)
{
    token_space(j);
    if (TOKEN_LIKELY(j->at < j->end && *j->at == wanted)) {
        j->at++;
        return true;
    }
    return token_fail(j, j->at < j->end ? problem : "the line ends in the middle");
}

/* At a backslash: steps over the escape. token.c */
bool token_escape(struct cursor *j);
/* At a byte from 0x80 on: steps over the character. */
bool token_character(struct cursor *j);

static bool __attribute__((noinline))
token_string_rest(struct cursor *j, const char *start, struct slice *raw, bool *escaped)
{
    while (j->at < j->end) {
        unsigned char c = (unsigned char)*j->at;
        if (c == '"') {
            *raw = slice_make(start, (size_t)(j->at - start));
            j->at++;
            return true;
        }
        if (c == '\\') {
            *escaped = true;
            if (!token_escape(j))
                return false;
        } else if (c < 0x20) {
            return token_fail(j, "a control character in a string");
        } else {
            if (!token_character(j))
                return false;
            if (j->at < j->end && (unsigned char)*j->at >= 0x80)
                continue;
        }
        j->at = token_plain_end(j->at, j->end);
    }
    return token_fail(j, "a string without its end");
}

/* The slow paths work on copies, so that the cursors of hot loops stay in registers. */
TOKEN_HOT bool token_string_slow(struct cursor *j, const char *start, struct slice *raw,
                                 bool *escaped)
{
    struct cursor slow = *j;
    struct slice text = {0};
    bool has_escapes = false, good = token_string_rest(&slow, start, &text, &has_escapes);
    *j = slow;
    *raw = text;
    *escaped = has_escapes;
    return good;
}

/* Behind an opening quote: reads up to and over the closing one. */
TOKEN_HOT bool token_string(struct cursor *j, struct slice *raw, bool *escaped)
{
    const char *start = j->at;
    *escaped = false;
    j->at = token_plain_end(start, j->end);
    if (TOKEN_LIKELY(j->at < j->end && *j->at == '"')) {
        *raw = slice_make(start, (size_t)(j->at - start));
        j->at++;
        return true;
    }
    return token_string_slow(j, start, raw, escaped);
}

/* At '.', 'e' or 'E' behind the integer part. */
static bool __attribute__((noinline)) token_number_rest(struct cursor *j)
{
    if (*j->at == '.') {
        const char *start = ++j->at;
        j->at = token_digits_end(start, j->end);
        if (j->at == start)
            return token_fail(j, "a number without digits behind its point");
    }
    if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
        j->at++;
        if (j->at < j->end && (*j->at == '+' || *j->at == '-'))
            j->at++;
        const char *start = j->at;
        j->at = token_digits_end(start, j->end);
        if (j->at == start)
            return token_fail(j, "a number without digits in its exponent");
    }
    return true;
}

/* At a minus or a digit. */
TOKEN_HOT bool token_number(struct cursor *j, bool *integer)
{
    if (*j->at == '-')
        j->at++;
    const char *start = j->at;
    j->at = token_digits_end(start, j->end);
    if (j->at == start)
        return token_fail(j, "a number without digits");
    if (*start == '0' && j->at - start > 1) {
        j->at = start;
        return token_fail(j, "a number with a leading zero");
    }
    *integer = true;
    if (j->at < j->end && (*j->at == '.' || *j->at == 'e' || *j->at == 'E')) {
        *integer = false;
        struct cursor slow = *j;
        bool good = token_number_rest(&slow);
        *j = slow;
        return good;
    }
    return true;
}

TOKEN_HOT bool token_word(struct cursor *j, const char *word, size_t length)
{
    size_t left = (size_t)(j->end - j->at);
    if (TOKEN_LIKELY(left >= length)) {
        if (TOKEN_LIKELY(memcmp(j->at, word, length) == 0)) {
            j->at += length;
            return true;
        }
    } else if (memcmp(j->at, word, left) == 0) {
        return token_cut(j, "the line ends in the middle");
    }
    return token_fail(j, "not a JSON value");
}

/* A value that is not a container, at its first byte. */
TOKEN_HOT bool token_scalar_hot(struct cursor *j, struct token *out)
{
    const char *start = j->at;
    if (start == j->end)
        return token_fail(j, "the line ends where a value should stand");
    bool flag;
    switch (*start) {
    case '"':
        j->at++;
        if (!token_string(j, &out->raw, &flag))
            return false;
        out->kind = flag ? TOKEN_ESCAPED : TOKEN_STRING;
        return true;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        if (!token_number(j, &flag))
            return false;
        out->kind = flag ? TOKEN_INTEGER : TOKEN_NUMBER;
        break;
    case 'n':
        if (!token_word(j, "null", 4))
            return false;
        out->kind = TOKEN_NULL;
        break;
    case 't':
        if (!token_word(j, "true", 4))
            return false;
        out->kind = TOKEN_TRUE;
        break;
    case 'f':
        if (!token_word(j, "false", 5))
            return false;
        out->kind = TOKEN_FALSE;
        break;
    default:
        return token_fail(j, "not a JSON value");
    }
    out->raw = slice_make(start, (size_t)(j->at - start));
    return true;
}

TOKEN_UNUSED static bool __attribute__((noinline)) token_scalar(struct cursor *j, struct token *out)
{
    struct cursor here = *j;
    bool good = token_scalar_hot(&here, out);
    *j = here;
    return good;
}

/* A member's name and colon; white space around them is stepped over. */
static inline bool token_name(struct cursor *j, struct slice *raw, bool *escaped)
{
    if (!token_expect(j, '"', "a member's name should stand here") ||
        !token_string(j, raw, escaped))
        return false;
    return token_expect(j, ':', "a colon should follow a member's name");
}

/* At an opening brace or bracket: checks and steps over the whole container. The kinds of the open
 * ones are kept as bits, 1 for an object. */
static bool __attribute__((noinline)) token_container(struct cursor *j)
{
    uint64_t objects[TOKEN_DEPTH / 64] = {0};
    unsigned base = j->depth, depth = base;
    struct token scalar;
    struct slice name;
    bool escaped;

open:;
    bool object = *j->at == '{';
    if (depth == TOKEN_DEPTH)
        return token_fail(j, "nested too deep");
    j->at++;
    if (object)
        objects[depth / 64] |= UINT64_C(1) << depth % 64;
    else
        objects[depth / 64] &= ~(UINT64_C(1) << depth % 64);
    depth++;
    token_space(j);
    if (j->at < j->end && *j->at == (object ? '}' : ']'))
        goto close;
    for (;;) {
        if (object && !token_name(j, &name, &escaped))
            return false;
        token_space(j);
        if (j->at < j->end && (*j->at == '{' || *j->at == '['))
            goto open;
        if (!token_scalar(j, &scalar))
            return false;
    next:
        token_space(j);
        if (j->at == j->end)
            return token_fail(j, "the line ends in the middle");
        if (TOKEN_LIKELY(*j->at == ',')) {
            j->at++;
            continue;
        }
        if (*j->at != (object ? '}' : ']'))
            return token_fail(j, object ? "a comma or a closing brace should stand here"
                                        : "a comma or a closing bracket should stand here");
    close:
        j->at++;
        if (--depth == base)
            return true;
        object = objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
        goto next;
    }
}

/* Any value; white space before it is stepped over. */
static inline bool token_value(struct cursor *j, struct token *out)
{
    token_space(j);
    if (j->at < j->end && (*j->at == '{' || *j->at == '[')) {
        const char *start = j->at;
        if (!token_container(j))
            return false;
        out->kind = *start == '{' ? TOKEN_OBJECT : TOKEN_ARRAY;
        out->raw = slice_make(start, (size_t)(j->at - start));
        return true;
    }
    return token_scalar(j, out);
}

/* White space up to the end, and nothing else. */
static inline bool token_end(struct cursor *j)
{
    token_space(j);
    return j->at == j->end || token_fail(j, "text behind the end of the value");
}

/* Enters an object or array at its first byte; *empty when it is left again at once. */
static inline bool token_enter(struct cursor *j, char closing, bool *empty)
{
    if (j->depth == TOKEN_DEPTH)
        return token_fail(j, "nested too deep");
    j->at++;
    token_space(j);
    *empty = j->at < j->end && *j->at == closing;
    if (*empty)
        j->at++;
    else
        j->depth++;
    return true;
}

/* Behind a value of a container: a comma (*more) or its end. */
TOKEN_HOT bool token_more(struct cursor *j, char closing, bool *more)
{
    token_space(j);
    if (j->at == j->end)
        return token_fail(j, "the line ends in the middle");
    *more = *j->at == ',';
    if (!*more && *j->at != closing)
        return token_fail(j, "a comma or the end of the list should stand here");
    if (!*more)
        j->depth--;
    j->at++;
    return true;
}

/* ---- members whose order is learnt ---- */

/* The n-th member of the last object of a kind stood as `text`, name and colon, and meant `id`. */
struct token_slot {
    char text[32];   /* `"name":` */
    uint32_t length; /* 0: nothing learnt */
    uint32_t id;
};

/* Reads the name of member `index`. True with *known when it is the one that stood there last time;
 * else the caller finds the id of the name and may have it learnt. */
TOKEN_HOT bool token_member(struct cursor *j, const struct token_slot *slots, size_t count,
                            size_t index, bool *known, uint32_t *id, struct slice *raw,
                            bool *escaped)
{
    token_space(j);
    if (TOKEN_LIKELY(index < count)) {
        const struct token_slot *slot = &slots[index];
        if (TOKEN_LIKELY(slot->length && token_same(j->at, j->end, slot->text, slot->length))) {
            j->at += slot->length;
            *id = slot->id;
            *known = true;
            return true;
        }
    }
    *known = false;
    struct cursor slow = *j;
    struct slice name = {0};
    bool has_escapes = false, good = token_name(&slow, &name, &has_escapes);
    *j = slow;
    *raw = name;
    *escaped = has_escapes;
    return good;
}

TOKEN_UNUSED static void token_learn(struct token_slot *slots, size_t count, size_t index,
                                     struct slice raw, uint32_t id)
{
    if (index >= count || raw.length + 3 > sizeof slots->text)
        return;
    struct token_slot *slot = &slots[index];
    slot->text[0] = '"';
    memcpy(slot->text + 1, raw.data, raw.length);
    slot->text[raw.length + 1] = '"';
    slot->text[raw.length + 2] = ':';
    slot->length = (uint32_t)raw.length + 3;
    slot->id = id;
}

#endif
