/* cdcgen - deterministic change-data-capture workload generator.
 * Writes a snapshot and N batches of Debezium-style JSON change events laid
 * out like an S3 sink, and the exact expected table state from its own model.
 * C17, no dependency; -DHAVE_ZLIB adds .gz, -DHAVE_ZSTD adds .zst.  See tests/tools/README.md. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

typedef unsigned __int128 u128;

static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("cdcgen: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(2);
}
static void *xrealloc(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        die("out of memory (%zu bytes)", n);
    return p;
}

/* ---------------------------------------------------------------- hashing */
static inline uint64_t mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}
static inline uint64_t next64(uint64_t *s)
{
    return mix64(*s += 0x9e3779b97f4a7c15ULL);
}
static inline double unit(uint64_t *s)
{
    return (double)(next64(s) >> 11) * 0x1p-53;
}
static inline uint64_t below(uint64_t *s, uint64_t n)
{
    return (uint64_t)(((u128)next64(s) * n) >> 64);
}

static const uint32_t md5k[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
#define ROL(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
static void md5_block(uint32_t st[4], const uint8_t *p)
{
    uint32_t w[16], a = st[0], b = st[1], c = st[2], d = st[3], t;
    memcpy(w, p, 64); /* little endian host assumed */
#define R1(a, b, c, d, i, s)                                                                       \
    t = a + (d ^ (b & (c ^ d))) + md5k[i] + w[i];                                                  \
    a = b + ROL(t, s);
#define R2(a, b, c, d, i, s)                                                                       \
    t = a + (c ^ (d & (b ^ c))) + md5k[i] + w[(5 * (i) + 1) & 15];                                 \
    a = b + ROL(t, s);
#define R3(a, b, c, d, i, s)                                                                       \
    t = a + (b ^ c ^ d) + md5k[i] + w[(3 * (i) + 5) & 15];                                         \
    a = b + ROL(t, s);
#define R4(a, b, c, d, i, s)                                                                       \
    t = a + (c ^ (b | ~d)) + md5k[i] + w[(7 * (i)) & 15];                                          \
    a = b + ROL(t, s);
#define Q(R, i, s0, s1, s2, s3)                                                                    \
    R(a, b, c, d, i, s0) R(d, a, b, c, i + 1, s1) R(c, d, a, b, i + 2, s2) R(b, c, d, a, i + 3, s3)
    Q(R1, 0, 7, 12, 17, 22);
    Q(R1, 4, 7, 12, 17, 22);
    Q(R1, 8, 7, 12, 17, 22);
    Q(R1, 12, 7, 12, 17, 22);
    Q(R2, 16, 5, 9, 14, 20);
    Q(R2, 20, 5, 9, 14, 20);
    Q(R2, 24, 5, 9, 14, 20);
    Q(R2, 28, 5, 9, 14, 20);
    Q(R3, 32, 4, 11, 16, 23);
    Q(R3, 36, 4, 11, 16, 23);
    Q(R3, 40, 4, 11, 16, 23);
    Q(R3, 44, 4, 11, 16, 23);
    Q(R4, 48, 6, 10, 15, 21);
    Q(R4, 52, 6, 10, 15, 21);
    Q(R4, 56, 6, 10, 15, 21);
    Q(R4, 60, 6, 10, 15, 21);
    st[0] += a;
    st[1] += b;
    st[2] += c;
    st[3] += d;
}
/* first 15 hex digits of md5(text) as an integer (60 bits) */
static uint64_t md5_60(const uint8_t *p, size_t n)
{
    uint32_t st[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t tail[128];
    size_t i = 0, r;
    for (; i + 64 <= n; i += 64)
        md5_block(st, p + i);
    r = n - i;
    memcpy(tail, p + i, r);
    tail[r++] = 0x80;
    size_t tot = r <= 56 ? 64 : 128;
    memset(tail + r, 0, tot - r);
    uint64_t bits = (uint64_t)n * 8;
    memcpy(tail + tot - 8, &bits, 8);
    for (i = 0; i < tot; i += 64)
        md5_block(st, tail + i);
    uint64_t be = ((uint64_t)__builtin_bswap32(st[0]) << 32) | __builtin_bswap32(st[1]);
    return be >> 4;
}

/* ---------------------------------------------------------------- buffers */
typedef struct {
    char *p;
    size_t n, cap;
} buf;
static inline char *room(buf *b, size_t k)
{
    if (b->n + k > b->cap) {
        b->cap = (b->n + k) * 2;
        b->p = xrealloc(b->p, b->cap);
    }
    return b->p + b->n;
}
static inline void put(buf *b, const char *s, size_t k)
{
    memcpy(room(b, k), s, k);
    b->n += k;
}
static inline void puts_(buf *b, const char *s)
{
    put(b, s, strlen(s));
}
#define LIT(b, s) put(b, s, sizeof(s) - 1)
static const char DD[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657585960"
    "6162636465666768697071727374757677787980818283848586878889909192939495969798"
    "99";
static inline void put_u(buf *b, uint64_t v)
{
    char t[24];
    int i = 24;
    while (v >= 100) {
        unsigned q = (unsigned)(v % 100);
        v /= 100;
        i -= 2;
        memcpy(t + i, DD + q * 2, 2);
    }
    if (v >= 10) {
        i -= 2;
        memcpy(t + i, DD + v * 2, 2);
    } else
        t[--i] = (char)('0' + v);
    put(b, t + i, (size_t)(24 - i));
}
static inline void put_i(buf *b, int64_t v)
{
    if (v < 0) {
        *room(b, 1) = '-';
        b->n++;
        put_u(b, 0 - (uint64_t)v);
    } else
        put_u(b, (uint64_t)v);
}
static inline void put_pad(buf *b, uint64_t v, int w)
{
    char *q = room(b, (size_t)w);
    for (int i = w - 1; i >= 0; i--) {
        q[i] = (char)('0' + v % 10);
        v /= 10;
    }
    b->n += (size_t)w;
}
static void put_dec(buf *b, int64_t v, int scale)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, p = 1;
    for (int i = 0; i < scale; i++)
        p *= 10;
    if (v < 0) {
        *room(b, 1) = '-';
        b->n++;
    }
    put_u(b, u / p);
    *room(b, 1) = '.';
    b->n++;
    put_pad(b, u % p, scale);
}
/* x = k/64, as a JSON number in the style of a JVM double printer */
static void put_dbl(buf *b, int64_t k)
{
    uint64_t u = k < 0 ? 0 - (uint64_t)k : (uint64_t)k, ip = u / 64,
             fr = (u % 64) * 15625; /* 6 digits */
    if (k < 0) {
        *room(b, 1) = '-';
        b->n++;
    }
    if (ip < 10000000) {
        put_u(b, ip);
        *room(b, 1) = '.';
        b->n++;
        put_pad(b, fr, 6);
        while (b->p[b->n - 1] == '0' && b->p[b->n - 2] != '.')
            b->n--;
        return;
    }
    buf t = {0};
    put_u(&t, ip);
    size_t e = t.n - 1;
    put_pad(&t, fr, 6);
    *room(b, 2) = t.p[0];
    b->n++;
    *room(b, 1) = '.';
    b->n++;
    put(b, t.p + 1, t.n - 1);
    free(t.p);
    while (b->p[b->n - 1] == '0' && b->p[b->n - 2] != '.')
        b->n--;
    *room(b, 1) = 'E';
    b->n++;
    put_u(b, e);
}
static void put_json_str(buf *b, const char *s, size_t n, bool esc)
{
    char *q;
    if (!esc) {
        q = room(b, n + 2);
        *q = '"';
        memcpy(q + 1, s, n);
        q[n + 1] = '"';
        b->n += n + 2;
        return;
    }
    q = room(b, n * 6 + 2);
    char *o = q;
    *o++ = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            *o++ = '\\';
            *o++ = (char)c;
        } else if (c == '\n') {
            *o++ = '\\';
            *o++ = 'n';
        } else if (c == '\t') {
            *o++ = '\\';
            *o++ = 't';
        } else if (c < 32)
            o += sprintf(o, "\\u%04X", c);
        else
            *o++ = (char)c;
    }
    *o++ = '"';
    b->n += (size_t)(o - q);
}

/* ---------------------------------------------------------------- options */
enum { SKEW_UNIFORM, SKEW_ZIPF, SKEW_LATEST };
enum { PK_INT, PK_UUID, PK_COMPOSITE };
enum { BEFORE_FULL, BEFORE_KEY };
enum { FMT_JSONL, FMT_GZ, FMT_ZST };
static struct {
    uint64_t seed, rows, events, file_rows;
    uint32_t batches, partitions;
    int ins, upd, del;
    int skew, pk, before, fmt, level;
    bool wide, tombstones, schemas, flat, scd2, checksum, no_base_files;
    double theta, reinsert, noop, toast, replay, pk_update, overlap, copy;
    const char *out, *topic, *table, *csv;
} o = {.seed = 1,
       .rows = 100000,
       .events = 10000,
       .file_rows = 50000,
       .batches = 1,
       .partitions = 1,
       .ins = 20,
       .upd = 70,
       .del = 10,
       .level = -1,
       .checksum = true,
       .tombstones = true,
       .theta = 0.99,
       .reinsert = 5,
       .out = "cdc-out",
       .topic = NULL,
       .table = "orders"};

/* ---------------------------------------------------------------- columns */
enum { T_INT, T_BIG, T_DEC, T_TS, T_DATE, T_BOOL, T_DBL, T_STR };
enum { C_STABLE, C_SLOW, C_HOT };
typedef struct {
    const char *name;
    int type, prec, scale;
    bool pk, nullable, toast;
    char frag[40];
    size_t fl;
} col;
typedef struct {
    int64_t i;
    const char *s;
    uint32_t n;
    bool null, esc, unavail;
} val;
static col cols[24];
static int ncols, npk;
static void addcol(const char *name, int type, bool nullable)
{
    col *c = &cols[ncols++];
    *c = (col){.name = name, .type = type, .nullable = nullable};
    c->fl = (size_t)snprintf(c->frag, sizeof c->frag, "%s\"%s\":", ncols > 1 ? "," : "", name);
}
static void decl_columns(void)
{
    if (o.pk == PK_INT) {
        addcol("id", T_BIG, false);
        npk = 1;
    } else if (o.pk == PK_UUID) {
        addcol("id", T_STR, false);
        npk = 1;
    } else {
        addcol("tenant_id", T_INT, false);
        addcol("order_no", T_STR, false);
        npk = 2;
    }
    for (int i = 0; i < npk; i++)
        cols[i].pk = true;
    if (!o.wide) {
        addcol("customer_id", T_INT, false);
        addcol("status", T_STR, false);
        addcol("amount", T_DEC, false);
        cols[ncols - 1].prec = 12;
        cols[ncols - 1].scale = 2;
        addcol("updated_at", T_TS, false);
        addcol("note", T_STR, true);
        cols[ncols - 1].toast = true;
        return;
    }
    addcol("account_id", T_BIG, false);
    addcol("customer_id", T_INT, false);
    addcol("status", T_STR, false);
    addcol("priority", T_INT, false);
    addcol("is_active", T_BOOL, false);
    addcol("amount", T_DEC, false);
    cols[ncols - 1].prec = 12;
    cols[ncols - 1].scale = 2;
    addcol("tax", T_DEC, true);
    cols[ncols - 1].prec = 18;
    cols[ncols - 1].scale = 4;
    addcol("rate", T_DBL, true);
    addcol("quantity", T_INT, true);
    addcol("created_at", T_TS, false);
    addcol("updated_at", T_TS, false);
    addcol("ship_date", T_DATE, true);
    addcol("email", T_STR, false);
    addcol("city", T_STR, true);
    addcol("country", T_STR, false);
    addcol("channel", T_STR, false);
    addcol("reference", T_STR, true);
    addcol("note", T_STR, true);
    addcol("comment", T_STR, true);
    cols[ncols - 1].toast = true;
}
static const char *const words[64] = {
    "order",   "ship",    "carton",  "blue",    "express",  "return",  "parcel",  "north",
    "window",  "paper",   "silver",  "handle",  "fragile",  "signed",  "courier", "depot",
    "morning", "later",   "client",  "invoice", "paid",     "partial", "credit",  "stock",
    "branch",  "weekly",  "sample",  "batch",   "green",    "metal",   "pallet",  "urgent",
    "letter",  "garden",  "bridge",  "market",  "contract", "annual",  "renewal", "support",
    "ticket",  "phone",   "review",  "pending", "approved", "refund",  "voucher", "season",
    "winter",  "summer",  "harbour", "station", "corner",   "second",  "quality", "control",
    "detail",  "summary", "version", "import",  "export",   "customs", "the",     "of"};
static const char *const statuses[8] = {"new",     "paid",      "picked",   "packed",
                                        "shipped", "delivered", "returned", "cancelled"};
static const char *const channels[4] = {"web", "store", "mobile-app", "partner"};
static const char *const countries[16] = {"DE", "FR", "US", "GB", "JP", "BR", "IN", "CN",
                                          "ES", "IT", "NL", "SE", "PL", "CA", "AU", "ZA"};
static const char *const cities[16] = {
    "Berlin", "Lyon",   "New York",         "London", "東京", "São Paulo", "Mumbai", "上海",
    "Málaga", "Milano", "'s-Hertogenbosch", "Malmö",  "Łódź", "Montréal",  "Sydney", "Cape Town"};
static const char *const odd[8] = {"\"quoted\"", "back\\slash", "line\nbreak", "tab\there",
                                   "naïve",      "東京",        "a|b",         "\xF0\x9F\x9A\x9A"};

typedef struct {
    char a[1024];
    uint32_t n;
} arena;
static inline void a_txt(arena *A, uint64_t *s, int nw, val *v)
{
    uint32_t st = A->n;
    bool esc = false;
    uint64_t r = next64(s);
    if ((r >> 58) == 0) { /* 1/64: an awkward fragment first */
        const char *w = odd[(r >> 50) & 7];
        size_t l = strlen(w);
        memcpy(A->a + A->n, w, l);
        A->n += (uint32_t)l;
        A->a[A->n++] = ' ';
        esc = true;
    }
    for (int i = 0; i < nw; i++) {
        if (i % 8 == 0)
            r = next64(s);
        const char *w = words[r & 63];
        r >>= 6;
        size_t l = strlen(w);
        memcpy(A->a + A->n, w, l);
        A->n += (uint32_t)l;
        A->a[A->n++] = ' ';
    }
    v->s = A->a + st;
    v->n = A->n - 1 - st;
    v->esc = esc;
    v->null = false;
}
static inline void v_const(val *v, const char *s)
{
    v->s = s;
    v->n = (uint32_t)strlen(s);
    v->esc = false;
    v->null = false;
}
static inline void a_hex(arena *A, uint64_t x, int n)
{
    static const char H[] = "0123456789abcdef";
    for (int i = n - 1; i >= 0; i--) {
        A->a[A->n + (uint32_t)i] = H[x & 15];
        x >>= 4;
    }
    A->n += (uint32_t)n;
}
#define TS0 INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z, micros */

/* per-key state: bit31 alive, bits 24-30 generation, bits 0-23 version */
#define ALIVE 0x80000000u
#define GEN(s) (((s) >> 24) & 127u)
#define VER(s) ((s)&0xffffffu)

static void pk_vals(uint64_t id, val *v, arena *A)
{
    if (o.pk == PK_INT) {
        v[0] = (val){.i = (int64_t)id + 1};
        return;
    }
    uint64_t h = mix64(mix64(id + 1) ^ (o.seed * 0x9e3779b97f4a7c15ULL)); /* bijective in id */
    if (o.pk == PK_UUID) {
        uint64_t h2 = mix64(h ^ 0x5851f42d4c957f2dULL);
        uint32_t st = A->n;
        a_hex(A, h >> 32, 8);
        A->a[A->n++] = '-';
        a_hex(A, h >> 16, 4);
        A->a[A->n++] = '-';
        A->a[A->n++] = '4';
        a_hex(A, h2 >> 52, 3);
        A->a[A->n++] = '-';
        a_hex(A, 0x8000 | ((h2 >> 34) & 0x3fff), 4);
        A->a[A->n++] = '-';
        a_hex(A, h & 0xffff, 4);
        a_hex(A, h2, 8);
        v[0] = (val){.s = A->a + st, .n = 36};
        return;
    }
    v[0] = (val){.i = (int64_t)(h % 997) + 1};
    uint32_t st = A->n;
    buf b = {.p = A->a + A->n, .n = 0, .cap = sizeof A->a - A->n};
    LIT(&b, "SO-");
    put_u(&b, id + 1);
    A->n += (uint32_t)b.n;
    v[1] = (val){.s = A->a + st, .n = A->n - st};
}
static void row_vals(uint64_t id, uint32_t st, val *v, arena *A)
{
    uint32_t gen = GEN(st), ver = VER(st);
    uint64_t base = mix64(id * 0xd6e8feb86659fd93ULL + o.seed) ^ ((uint64_t)gen << 40);
    uint64_t S = base ^ 0x1111111111111111ULL;
    uint64_t W = mix64(base ^ 0x2222222222222222ULL ^ (uint64_t)(ver / 4) * 0xa0761d6478bd642fULL);
    uint64_t H = mix64(base ^ 0x3333333333333333ULL ^ (uint64_t)ver * 0xe7037ed1a0b428dbULL);
    uint64_t r;
    A->n = 0;
    pk_vals(id, v, A);
    val *c = v + npk;
    if (!o.wide) {
        c[0] = (val){.i = (int64_t)below(&S, 50000) + 1};
        r = next64(&H);
        c[1] = (val){0};
        v_const(&c[1], statuses[r & 7]);
        c[2] = (val){.i = (int64_t)((r >> 8) % 2000000) - 20000};
        c[3] = (val){.i = TS0 + (int64_t)ver * 60000000 + (int64_t)(next64(&H) % 86400000000ULL)};
        c[4] = (val){0};
        if (next64(&W) % 100 < 5)
            c[4].null = true;
        else
            a_txt(A, &W, 5, &c[4]);
        return;
    }
    c[0] = (val){.i = (int64_t)(next64(&S) >> 14)};
    c[1] = (val){.i = (int64_t)below(&S, 200000) + 1};
    r = next64(&H);
    c[2] = (val){0};
    v_const(&c[2], statuses[r & 7]);
    c[3] = (val){.i = (int64_t)((r >> 3) & 3)};
    c[4] = (val){.i = (int64_t)((r >> 5) % 10 != 0)};
    c[5] = (val){.i = (int64_t)((r >> 10) % 200000000) - 2000000};
    r = next64(&H);
    c[6] = (val){.i = (int64_t)(r % 90000000000ULL), .null = (r >> 60) == 0};
    r = next64(&W);
    c[7] = (val){.i = (int64_t)((r >> 8) % (INT64_C(1) << ((r & 7) == 0 ? 36 : 24))) - 1000,
                 .null = (r >> 59) == 0};
    r = next64(&H);
    c[8] = (val){.i = (int64_t)(r % 500), .null = (r >> 60) == 0};
    int64_t created = TS0 - (int64_t)(next64(&S) % (UINT64_C(86400000000) * 700));
    c[9] = (val){.i = created};
    c[10] = (val){.i = TS0 + (int64_t)ver * 60000000 + (int64_t)(next64(&H) % 86400000000ULL)};
    r = next64(&W);
    c[11] = (val){.i = 20454 + (int64_t)(r % 400), .null = (r >> 60) < 3};
    c[12] = (val){.s = A->a + A->n};
    {
        uint32_t s0 = A->n;
        buf b = {.p = A->a + A->n, .cap = sizeof A->a - A->n};
        r = next64(&S);
        puts_(&b, words[r & 63]);
        LIT(&b, ".");
        puts_(&b, words[(r >> 6) & 63]);
        put_u(&b, (r >> 12) % 10000);
        LIT(&b, "@example.com");
        A->n += (uint32_t)b.n;
        c[12].n = A->n - s0;
    }
    r = next64(&S);
    c[13] = (val){0};
    if ((r >> 60) == 0)
        c[13].null = true;
    else
        v_const(&c[13], cities[r & 15]);
    c[14] = (val){0};
    v_const(&c[14], countries[(r >> 4) & 15]);
    c[15] = (val){0};
    v_const(&c[15], channels[(r >> 8) & 3]);
    c[16] = (val){.s = A->a + A->n, .n = 20};
    {
        uint64_t x = next64(&S);
        A->a[A->n++] = 'R';
        A->a[A->n++] = 'F';
        A->a[A->n++] = '-';
        A->a[A->n++] = 'x';
        a_hex(A, x, 16);
    }
    if ((r >> 12) % 20 == 0)
        c[16].null = true;
    c[17] = (val){0};
    if (next64(&W) % 100 < 10)
        c[17].null = true;
    else
        a_txt(A, &W, 8, &c[17]);
    c[18] = (val){0};
    if (next64(&W) % 100 < 30)
        c[18].null = true;
    else
        a_txt(A, &W, 12, &c[18]);
}
static inline void json_val(buf *b, const col *c, const val *v)
{
    if (v->unavail) {
        LIT(b, "\"__debezium_unavailable_value\"");
        return;
    }
    if (v->null) {
        LIT(b, "null");
        return;
    }
    switch (c->type) {
    case T_STR:
        put_json_str(b, v->s, v->n, v->esc);
        break;
    case T_DEC:
        *room(b, 1) = '"';
        b->n++;
        put_dec(b, v->i, c->scale);
        *room(b, 1) = '"';
        b->n++;
        break;
    case T_BOOL:
        if (v->i)
            LIT(b, "true");
        else
            LIT(b, "false");
        break;
    case T_DBL:
        put_dbl(b, v->i);
        break;
    default:
        put_i(b, v->i);
    }
}
static void json_row(buf *b, const val *v, int n)
{
    *room(b, 1) = '{';
    b->n++;
    for (int i = 0; i < n; i++) {
        put(b, cols[i].frag, cols[i].fl);
        json_val(b, &cols[i], &v[i]);
    }
    *room(b, 1) = '}';
    b->n++;
}
/* before image of a delete with REPLICA IDENTITY DEFAULT: key, others null or type default */
static void json_row_keyonly(buf *b, const val *v)
{
    *room(b, 1) = '{';
    b->n++;
    for (int i = 0; i < ncols; i++) {
        put(b, cols[i].frag, cols[i].fl);
        if (i < npk)
            json_val(b, &cols[i], &v[i]);
        else if (cols[i].nullable)
            LIT(b, "null");
        else
            switch (cols[i].type) {
            case T_STR:
                LIT(b, "\"\"");
                break;
            case T_DEC:
                LIT(b, "\"0\"");
                break;
            case T_BOOL:
                LIT(b, "false");
                break;
            case T_DBL:
                LIT(b, "0.0");
                break;
            default:
                LIT(b, "0");
            }
    }
    *room(b, 1) = '}';
    b->n++;
}
static void canon(buf *b, const val *v)
{
    for (int i = 0; i < ncols; i++) {
        if (i) {
            *room(b, 1) = '|';
            b->n++;
        }
        if (v[i].null) {
            LIT(b, "\\N");
            continue;
        }
        switch (cols[i].type) {
        case T_STR:
            put(b, v[i].s, v[i].n);
            break;
        case T_DEC:
            put_dec(b, v[i].i, cols[i].scale);
            break;
        case T_BOOL:
            if (v[i].i)
                LIT(b, "true");
            else
                LIT(b, "false");
            break;
        default:
            put_i(b, v[i].i);
        }
    }
}

/* ---------------------------------------------------------------- output */
typedef struct {
    FILE *f;
    buf b;
    uint64_t rows, offset, files;
#ifdef HAVE_ZLIB
    gzFile gz;
#endif
#ifdef HAVE_ZSTD
    ZSTD_CStream *zs;
    char *zo;
#endif
} part;
static part *parts;
static char batchdir[64];
static uint64_t bytes_plain, bytes_stored, files_written;
static FILE *flist;

static void mkdirs(const char *path)
{
    char t[4096];
    snprintf(t, sizeof t, "%s", path);
    for (char *q = t + 1; *q; q++)
        if (*q == '/') {
            *q = 0;
            if (mkdir(t, 0777) && errno != EEXIST)
                die("mkdir %s: %s", t, strerror(errno));
            *q = '/';
        }
    if (mkdir(t, 0777) && errno != EEXIST)
        die("mkdir %s: %s", t, strerror(errno));
}
static const char *ext(void)
{
    return o.fmt == FMT_GZ ? ".jsonl.gz" : o.fmt == FMT_ZST ? ".jsonl.zst" : ".jsonl";
}
static char curname[4096];
static void part_open(part *p, uint32_t pi)
{
    char dir[3000];
    snprintf(dir, sizeof dir, "%s/%s%s%s/%u", o.out, batchdir, batchdir[0] ? "/" : "", o.topic, pi);
    mkdirs(dir);
    snprintf(curname, sizeof curname, "%s/%020" PRIu64 "%s", dir, p->offset, ext());
    p->rows = 0;
#ifdef HAVE_ZLIB
    if (o.fmt == FMT_GZ) {
        char m[16];
        snprintf(m, sizeof m, "wb%d", o.level < 0 ? 6 : o.level);
        if (!(p->gz = gzopen(curname, m)))
            die("%s: %s", curname, strerror(errno));
        gzbuffer(p->gz, 1 << 18);
        goto opened;
    }
#endif
    if (!(p->f = fopen(curname, "wb")))
        die("%s: %s", curname, strerror(errno));
    setvbuf(p->f, NULL, _IONBF, 0);
#ifdef HAVE_ZSTD
    if (o.fmt == FMT_ZST) {
        if (!p->zs) {
            p->zs = ZSTD_createCStream();
            p->zo = xrealloc(NULL, 1 << 20);
        }
        ZSTD_initCStream(p->zs, o.level < 0 ? 3 : o.level);
    }
#endif
#ifdef HAVE_ZLIB
opened:
#endif
    fprintf(flist, "%s\n", curname + strlen(o.out) + 1);
    files_written++;
}
static bool part_is_open(const part *p)
{
#ifdef HAVE_ZLIB
    if (p->gz)
        return true;
#endif
    return p->f != NULL;
}
static void part_flush(part *p, bool end)
{
    bytes_plain += p->b.n;
#ifdef HAVE_ZLIB
    if (p->gz) {
        if (p->b.n && gzwrite(p->gz, p->b.p, (unsigned)p->b.n) <= 0)
            die("gzip write failed");
        p->b.n = 0;
        if (end) {
            gzflush(p->gz, Z_FINISH);
            bytes_stored += (uint64_t)gzoffset(p->gz);
            if (gzclose(p->gz) != Z_OK)
                die("gzip close failed");
            p->gz = NULL;
        }
        return;
    }
#endif
#ifdef HAVE_ZSTD
    if (o.fmt == FMT_ZST) {
        ZSTD_inBuffer in = {p->b.p, p->b.n, 0};
        for (;;) {
            ZSTD_outBuffer out = {p->zo, 1 << 20, 0};
            size_t r = ZSTD_compressStream2(p->zs, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(r))
                die("zstd: %s", ZSTD_getErrorName(r));
            if (out.pos && fwrite(p->zo, 1, out.pos, p->f) != out.pos)
                die("write: %s", strerror(errno));
            bytes_stored += out.pos;
            if (end ? r == 0 : in.pos == in.size)
                break;
        }
        p->b.n = 0;
        if (end) {
            if (fclose(p->f))
                die("close: %s", strerror(errno));
            p->f = NULL;
        }
        return;
    }
#endif
    if (p->b.n && fwrite(p->b.p, 1, p->b.n, p->f) != p->b.n)
        die("write: %s", strerror(errno));
    bytes_stored += p->b.n;
    p->b.n = 0;
    if (end) {
        if (fclose(p->f))
            die("close: %s", strerror(errno));
        p->f = NULL;
    }
}
/* begin a record: returns the buffer to append the line to */
static buf *rec_begin(uint32_t pi)
{
    part *p = &parts[pi];
    if (part_is_open(p) && p->rows >= o.file_rows)
        part_flush(p, true);
    if (!part_is_open(p))
        part_open(p, pi);
    else {
        *room(&p->b, 1) = '\n';
        p->b.n++;
    } /* separator: no newline after the last line of a file */
    p->rows++;
    return &p->b;
}
static void rec_end(uint32_t pi)
{
    part *p = &parts[pi];
    p->offset++;
    if (p->b.n >= (1 << 20))
        part_flush(p, false);
}

/* ---------------------------------------------------------------- schemas (optional envelope) */
static buf schema_value, schema_key;
static void schema_fields(buf *b, int n)
{
    for (int i = 0; i < n; i++) {
        const col *c = &cols[i];
        static const char *ty[] = {"int32", "int64",   "string", "int64",
                                   "int32", "boolean", "double", "string"};
        if (i)
            LIT(b, ",");
        LIT(b, "{\"type\":\"");
        puts_(b, ty[c->type]);
        puts_(b, c->nullable ? "\",\"optional\":true" : "\",\"optional\":false");
        if (c->type == T_TS)
            LIT(b, ",\"name\":\"io.debezium.time.MicroTimestamp\",\"version\":1");
        if (c->type == T_DATE)
            LIT(b, ",\"name\":\"io.debezium.time.Date\",\"version\":1");
        LIT(b, ",\"field\":\"");
        puts_(b, c->name);
        LIT(b, "\"}");
    }
}
static void build_schemas(void)
{
    static const char *src[] = {
        "string\",false,\"version", "string\",false,\"connector", "string\",false,\"name",
        "int64\",false,\"ts_ms",    "string\",true,\"snapshot",   "string\",false,\"db",
        "string\",true,\"sequence", "string\",false,\"schema",    "string\",false,\"table",
        "int64\",true,\"txId",      "int64\",true,\"lsn",         "int64\",true,\"xmin"};
    buf *b = &schema_key;
    LIT(b, "{\"type\":\"struct\",\"fields\":[");
    schema_fields(b, npk);
    LIT(b, "],\"optional\":false,\"name\":\"");
    puts_(b, o.topic);
    LIT(b, ".Key\"}");
    b = &schema_value;
    LIT(b, "{\"type\":\"struct\",\"fields\":[");
    for (int k = 0; k < 2; k++) {
        LIT(b, "{\"type\":\"struct\",\"fields\":[");
        schema_fields(b, ncols);
        LIT(b, "],\"optional\":true,\"name\":\"");
        puts_(b, o.topic);
        LIT(b, ".Value\",\"field\":\"");
        puts_(b, k ? "after\"}," : "before\"},");
    }
    LIT(b, "{\"type\":\"struct\",\"fields\":[");
    for (size_t i = 0; i < sizeof src / sizeof *src; i++) {
        char t[64];
        snprintf(t, sizeof t, "%s", src[i]);
        char *c1 = strstr(t, "\","), *c2 = strstr(c1 + 2, ",\"");
        if (i)
            LIT(b, ",");
        LIT(b, "{\"type\":\"");
        put(b, t, (size_t)(c1 - t));
        LIT(b, "\",\"optional\":");
        put(b, c1 + 2, (size_t)(c2 - c1 - 2));
        LIT(b, ",\"field\":\"");
        puts_(b, c2 + 2);
        LIT(b, "\"}");
    }
    LIT(b, "],\"optional\":false,\"name\":\"io.debezium.connector.postgresql.Source\",\"field\":"
           "\"source\"},"
           "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,\"field\":"
           "\"id\"},{\"type\":\"int64\",\"optional\":false,\"field\":\"total_order\"},"
           "{\"type\":\"int64\",\"optional\":false,\"field\":\"data_collection_order\"}],"
           "\"optional\":true,\"name\":\"event.block\",\"version\":1,\"field\":\"transaction\"},"
           "{\"type\":\"string\",\"optional\":false,\"field\":\"op\"},{\"type\":\"int64\","
           "\"optional\":true,\"field\":\"ts_ms\"}],\"optional\":false,\"name\":\"");
    puts_(b, o.topic);
    LIT(b, ".Envelope\"}");
}

/* ---------------------------------------------------------------- model */
static uint32_t *state, *bin; /* bin: batch_in of the current version, only with --scd2 */
static uint64_t nid, cap;
static uint64_t alive_n;
static u128 sum;
static u128 scd_sum;
static uint64_t scd_rows; /* history table: closed rows only are accumulated here, plus open ones */
static uint64_t *dead;
static uint64_t dead_n, dead_cap;
static uint64_t lsn = 24000000, tx = 700, clock_ms = 1767225600000ULL, commit_lsn = 24000000;
static uint32_t batch_no;
static uint64_t n_ins, n_upd, n_del, n_noop, n_tomb, n_events, n_replay, n_toast;

typedef struct {
    uint64_t id, lsn, commit, ts, tx, mate;
    uint32_t from, to;
    char op;
} event; /* mate: 1 + id of the other half of a key change */
static uint64_t next_mate;
static event *log_;
static uint64_t log_n, log_cap;
typedef struct {
    uint64_t id;
    uint32_t st;
} touch;
static touch *touched;
static uint64_t touched_n, touched_cap;
static uint8_t *mark;
static uint64_t mark_cap; /* touched in this batch */

static buf cbuf;
static arena ar1, ar2;
static inline uint64_t row_hash(uint64_t id, uint32_t st)
{
    val v[24];
    row_vals(id, st, v, &ar1);
    cbuf.n = 0;
    canon(&cbuf, v);
    return md5_60((uint8_t *)cbuf.p, cbuf.n);
}
static uint64_t scd_hash(uint64_t id, uint32_t st, uint32_t bi, uint32_t bo)
{
    val v[24];
    row_vals(id, st, v, &ar1);
    cbuf.n = 0;
    canon(&cbuf, v);
    LIT(&cbuf, "|");
    put_u(&cbuf, bi);
    LIT(&cbuf, "|");
    put_u(&cbuf, bo);
    return md5_60((uint8_t *)cbuf.p, cbuf.n);
}
static void grow(uint64_t n)
{
    if (n <= cap)
        return;
    cap = n + n / 4 + 1024;
    state = xrealloc(state, cap * 4);
    if (o.scd2)
        bin = xrealloc(bin, cap * 4);
    mark = xrealloc(mark, cap / 8 + 1);
    if (cap / 8 + 1 > mark_cap) {
        memset(mark + mark_cap, 0, cap / 8 + 1 - mark_cap);
        mark_cap = cap / 8 + 1;
    }
}
static void touch_id(uint64_t id, uint32_t st)
{
    if (mark[id >> 3] & (1u << (id & 7)))
        return;
    mark[id >> 3] |= (uint8_t)(1u << (id & 7));
    if (touched_n == touched_cap) {
        touched_cap = touched_cap * 2 + 4096;
        touched = xrealloc(touched, touched_cap * sizeof *touched);
    }
    touched[touched_n++] = (touch){id, st};
}
static char iso_sec[96];
static uint64_t iso_cached = UINT64_MAX;
static void put_iso(buf *b, uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (s != iso_cached) {
        time_t t = (time_t)s;
        struct tm g;
        gmtime_r(&t, &g);
        snprintf(iso_sec, sizeof iso_sec, "%04d-%02d-%02dT%02d:%02d:%02d.", g.tm_year + 1900,
                 g.tm_mon + 1, g.tm_mday, g.tm_hour, g.tm_min, g.tm_sec);
        iso_cached = s;
    }
    put(b, iso_sec, 20);
    put_pad(b, ms % 1000, 3);
    LIT(b, "Z");
}
static uint32_t part_of(uint64_t id)
{
    return o.partitions == 1 ? 0 : (uint32_t)(mix64(id ^ 0x7f4a7c15) % o.partitions);
}
static void put_key(buf *b, const val *v)
{
    LIT(b, "{\"key\":");
    if (o.schemas) {
        LIT(b, "{\"schema\":");
        put(b, schema_key.p, schema_key.n);
        LIT(b, ",\"payload\":");
    }
    json_row(b, v, npk);
    if (o.schemas)
        LIT(b, "}");
}
static void put_tail(buf *b, const event *e, uint64_t off, uint64_t ms)
{
    LIT(b, ",\"offset\":");
    put_u(b, off);
    LIT(b, ",\"timestamp\":\"");
    put_iso(b, ms);
    LIT(b, "\",\"headers\":[");
    if (e->mate) {
        val v[24];
        row_vals(e->mate - 1, 0, v, &ar1);
        puts_(b, e->op == 'd' ? "{\"key\":\"__debezium.newkey\",\"value\":"
                              : "{\"key\":\"__debezium.oldkey\",\"value\":");
        json_row(b, v, npk);
        LIT(b, "}");
    }
    LIT(b, "]}");
}
static void emit(const event *e, const char *snap)
{
    uint32_t pi = part_of(e->id);
    buf *b = rec_begin(pi);
    val va[24], vb[24];
    bool has_a = e->op != 'd', full = o.before == BEFORE_FULL,
         has_b = e->op == 'd' || (e->op == 'u' && full);
    if (has_a)
        row_vals(e->id, e->to, va, &ar2);
    if (has_b)
        row_vals(e->id, e->from, vb, &ar1);
    put_key(b, has_a ? va : vb);
    LIT(b, ",\"value\":");
    if (o.schemas) {
        LIT(b, "{\"schema\":");
        put(b, schema_value.p, schema_value.n);
        LIT(b, ",\"payload\":");
    }
    LIT(b, "{\"before\":");
    if (!has_b)
        LIT(b, "null");
    else if (full)
        json_row(b, vb, ncols);
    else
        json_row_keyonly(b, vb);
    LIT(b, ",\"after\":");
    if (!has_a)
        LIT(b, "null");
    else {
        if (o.toast > 0 && !full && e->op == 'u' && GEN(e->from) == GEN(e->to) &&
            VER(e->from) / 4 == VER(e->to) / 4 &&
            (mix64(e->id ^ e->lsn) % 10000) < (uint64_t)(o.toast * 100))
            for (int i = 0; i < ncols; i++)
                if (cols[i].toast && !va[i].null) {
                    va[i].unavail = true;
                    n_toast++;
                }
        json_row(b, va, ncols);
    }
    LIT(b, ",\"source\":{\"version\":\"3.6.0.Final\",\"connector\":\"postgresql\",\"name\":"
           "\"shop\",\"ts_ms\":");
    put_u(b, e->ts);
    LIT(b, ",\"snapshot\":\"");
    puts_(b, snap);
    LIT(b, "\",\"db\":\"shop\",\"sequence\":\"[");
    if (e->commit) {
        LIT(b, "\\\"");
        put_u(b, e->commit);
        LIT(b, "\\\"");
    } else
        LIT(b, "null");
    LIT(b, ",\\\"");
    put_u(b, e->lsn);
    LIT(b, "\\\"]\",\"schema\":\"public\",\"table\":\"");
    puts_(b, o.table);
    LIT(b, "\",\"txId\":");
    put_u(b, e->tx);
    LIT(b, ",\"lsn\":");
    put_u(b, e->lsn);
    LIT(b, ",\"xmin\":null},\"transaction\":null,\"op\":\"");
    *room(b, 1) = e->op;
    b->n++;
    LIT(b, "\",\"ts_ms\":");
    put_u(b, e->ts + 12 + (e->lsn & 63));
    LIT(b, "}");
    if (o.schemas)
        LIT(b, "}");
    put_tail(b, e, parts[pi].offset, e->ts + 20 + (e->lsn & 63));
    rec_end(pi);
    if (e->op == 'd' && o.tombstones) {
        b = rec_begin(pi);
        row_vals(e->id, e->from, vb, &ar1); /* the header's key may have used its place */
        put_key(b, vb);
        LIT(b, ",\"value\":null");
        put_tail(b, e, parts[pi].offset, e->ts + 20 + (e->lsn & 63));
        rec_end(pi);
        n_tomb++;
    }
}
static void advance(uint64_t *rng)
{
    uint64_t r = next64(rng);
    lsn += 56 + (r & 0xf8);
    if ((r >> 16) % 3 == 0) {
        tx++;
        commit_lsn = lsn;
    }
    if ((r >> 32) % 20 == 0)
        clock_ms++;
}
static void apply(uint64_t id, uint32_t to, char op)
{
    uint32_t from = state[id];
    event e = {.id = id,
               .lsn = lsn,
               .commit = commit_lsn,
               .ts = clock_ms,
               .tx = tx,
               .mate = next_mate,
               .from = from,
               .to = to,
               .op = op};
    next_mate = 0;
    emit(&e, "false");
    touch_id(id, from);
    if (o.checksum) {
        if (from & ALIVE)
            sum -= row_hash(id, from);
        if (to & ALIVE)
            sum += row_hash(id, to);
    }
    if ((from & ALIVE) && !(to & ALIVE)) {
        alive_n--;
        if (dead_n == dead_cap) {
            dead_cap = dead_cap * 2 + 1024;
            dead = xrealloc(dead, dead_cap * 8);
        }
        dead[dead_n++] = id;
    }
    if (!(from & ALIVE) && (to & ALIVE))
        alive_n++;
    state[id] = to;
    n_events++;
    if (o.replay > 0) {
        if (log_n == log_cap) {
            log_cap = log_cap * 2 + 4096;
            log_ = xrealloc(log_, log_cap * sizeof *log_);
        }
        log_[log_n++] = e;
    }
}

/* zipf by Gray et al. over [0,n) */
static struct {
    uint64_t n;
    double theta, zetan, alpha, eta, half;
} zf;
static void zipf_init(uint64_t n, double theta)
{
    double z = 0;
    uint64_t lim = n < 1000000 ? n : 1000000;
    for (uint64_t i = 1; i <= lim; i++)
        z += pow((double)i, -theta);
    if (n > lim) /* integral of the tail, midpoint corrected */
        z += (pow((double)n + 0.5, 1 - theta) - pow((double)lim + 0.5, 1 - theta)) / (1 - theta);
    zf.n = n;
    zf.theta = theta;
    zf.zetan = z;
    zf.alpha = 1 / (1 - theta);
    zf.half = 1 + pow(0.5, theta);
    zf.eta = (1 - pow(2.0 / (double)n, 1 - theta)) / (1 - zf.half / z);
}
static uint64_t zipf(uint64_t *rng)
{
    double u = unit(rng), uz = u * zf.zetan;
    if (uz < 1)
        return 0;
    if (uz < zf.half)
        return zf.n > 1 ? 1 : 0;
    uint64_t r = (uint64_t)((double)zf.n * pow(zf.eta * u - zf.eta + 1, zf.alpha));
    return r >= zf.n ? zf.n - 1 : r;
}
/* a live key, or UINT64_MAX when none is left */
static uint64_t pick(uint64_t *rng, int skew)
{
    if (!alive_n)
        return UINT64_MAX;
    for (int t = 0; t < 10000; t++) {
        uint64_t id;
        if (skew == SKEW_ZIPF)
            id = mix64(zipf(rng) + o.seed) % zf.n;
        else if (skew == SKEW_LATEST) {
            uint64_t r = zipf(rng);
            id = r < nid ? nid - 1 - r : below(rng, nid);
        } else
            id = below(rng, nid);
        if (state[id] & ALIVE)
            return id;
        if (t > 100)
            skew = SKEW_UNIFORM;
    }
    for (uint64_t i = 0; i < nid; i++)
        if (state[i] & ALIVE)
            return i;
    return UINT64_MAX;
}
static void insert_one(uint64_t *rng, bool may_reuse)
{
    if (may_reuse && dead_n && unit(rng) * 100 < o.reinsert) {
        uint64_t k = below(rng, dead_n), id = dead[k];
        dead[k] = dead[--dead_n];
        apply(id, ALIVE | (((GEN(state[id]) + 1) & 127u) << 24), 'c');
    } else {
        grow(nid + 1);
        uint64_t id = nid++;
        state[id] = 0;
        if (o.scd2)
            bin[id] = 0;
        apply(id, ALIVE, 'c');
    }
    n_ins++;
}
static void print_u128(FILE *f, u128 v)
{
    char t[48];
    int i = 48;
    t[--i] = 0;
    do {
        t[--i] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v);
    fputs(t + i, f);
}
static FILE *fexp;
static u128 open_sum; /* scd2: sum over open rows */
static void batch_close(void)
{
    for (uint32_t i = 0; i < o.partitions; i++)
        if (part_is_open(&parts[i]))
            part_flush(&parts[i], true);
    uint64_t changed = 0;
    for (uint64_t i = 0; i < touched_n; i++) {
        uint64_t id = touched[i].id;
        uint32_t was = touched[i].st, now = state[id];
        mark[id >> 3] &= (uint8_t) ~(1u << (id & 7));
        if (was == now || (!(was & ALIVE) && !(now & ALIVE)))
            continue;
        changed++;
        if (!o.scd2)
            continue;
        if (was & ALIVE) {
            open_sum -= scd_hash(id, was, bin[id], 2147483647u);
            scd_sum += scd_hash(id, was, bin[id], batch_no - 1);
            scd_rows++;
        }
        if (now & ALIVE) {
            bin[id] = batch_no;
            open_sum += scd_hash(id, now, batch_no, 2147483647u);
        }
    }
    fprintf(fexp, "{\"batch\":%u,\"rows\":%" PRIu64 ",\"sum\":\"", batch_no, alive_n);
    print_u128(fexp, sum);
    fprintf(fexp,
            "\",\"events\":%" PRIu64 ",\"inserts\":%" PRIu64 ",\"updates\":%" PRIu64
            ",\"deletes\":%" PRIu64 ",\"noops\":%" PRIu64 ",\"replayed\":%" PRIu64
            ",\"tombstones\":%" PRIu64 ",\"unavailable\":%" PRIu64 ",\"keys_touched\":%" PRIu64
            ",\"keys_changed\":%" PRIu64 ",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64
            ",\"bytes_stored\":%" PRIu64,
            n_events, n_ins, n_upd, n_del, n_noop, n_replay, n_tomb, n_toast, touched_n, changed,
            files_written, bytes_plain, bytes_stored);
    if (o.scd2) {
        fprintf(fexp, ",\"scd2_rows\":%" PRIu64 ",\"scd2_sum\":\"", scd_rows + alive_n);
        print_u128(fexp, scd_sum + open_sum);
        fputs("\"", fexp);
    }
    fputs(",\"end_offsets\":[", fexp);
    for (uint32_t i = 0; i < o.partitions; i++)
        fprintf(fexp, "%s%" PRIu64, i ? "," : "", parts[i].offset);
    fputs("]}\n", fexp);
    fflush(fexp);
    touched_n = 0;
    log_n = 0;
    n_ins = n_upd = n_del = n_noop = n_tomb = n_events = n_replay = n_toast = files_written =
        bytes_plain = bytes_stored = 0;
}
static void batch_name(void)
{
    if (o.flat)
        batchdir[0] = 0;
    else
        snprintf(batchdir, sizeof batchdir, "b%05u", batch_no);
}
static void gen_base(void)
{
    uint64_t rng = mix64(o.seed ^ 0xba5e);
    batch_no = 0;
    batch_name();
    grow(o.rows);
    const uint64_t slsn = lsn,
                   stx = tx; /* one position for the whole snapshot, as Debezium has it */
    for (nid = 0; nid < o.rows; nid++) {
        state[nid] = ALIVE;
        if (o.scd2)
            bin[nid] = 0;
        if (!o.no_base_files) {
            advance(&rng);
            event e = {.id = nid,
                       .lsn = slsn,
                       .commit = 0,
                       .ts = clock_ms,
                       .tx = stx,
                       .from = 0,
                       .to = ALIVE,
                       .op = 'r'};
            emit(&e, nid == 0 ? "first" : nid + 1 == o.rows ? "last" : "true");
        }
        if (o.checksum)
            sum += row_hash(nid, ALIVE);
        if (o.scd2)
            open_sum += scd_hash(nid, ALIVE, 0, 2147483647u);
    }
    alive_n = o.rows;
    n_events = o.rows;
    batch_close();
}
static void gen_batch(uint32_t k)
{
    uint64_t rng = mix64(o.seed + 0x1000 + k);
    batch_no = k;
    batch_name();
    uint64_t n = o.events, rep = (uint64_t)((double)n * o.replay / 100);
    int tot = o.ins + o.upd + o.del;
    while (n_events < n) {
        advance(&rng);
        int d = (int)below(&rng, (uint64_t)tot);
        uint64_t id;
        if (d < o.ins ||
            (id = pick(&rng, d < o.ins + o.upd ? o.skew : SKEW_UNIFORM)) == UINT64_MAX) {
            insert_one(&rng, true);
            if (o.copy > 0 &&
                unit(&rng) * 100 < o.copy) /* as by COPY: several rows at one source position */
                for (int j = 0; j < 4 && n_events < n; j++)
                    insert_one(&rng, true);
            continue;
        }
        uint32_t st = state[id];
        if (d < o.ins + o.upd) {
            double x = unit(&rng) * 100;
            if (x < o.pk_update) { /* a changed primary key arrives as delete + create in one
                                      transaction */
                next_mate = nid + 1;
                apply(id, st & ~ALIVE, 'd');
                n_del++;
                next_mate = id + 1;
                insert_one(&rng, false);
            } else if (x < o.pk_update + o.noop) {
                apply(id, st, 'u');
                n_upd++;
                n_noop++;
            } else {
                uint32_t nv = (st & ~0xffffffu) | ((VER(st) + 1) & 0xffffffu);
                apply(id, nv, 'u');
                n_upd++;
            }
        } else {
            apply(id, st & ~ALIVE, 'd');
            n_del++;
        }
    }
    /* at-least-once: the tail of the batch is delivered a second time, with new offsets */
    for (uint64_t i = log_n > rep ? log_n - rep : 0; rep && i < log_n; i++) {
        emit(&log_[i], "false");
        n_replay++;
    }
    batch_close();
}
static int cmp_uuid(const void *a, const void *b)
{
    val x[2], y[2];
    ar1.n = ar2.n = 0;
    pk_vals(*(const uint64_t *)a, x, &ar1);
    pk_vals(*(const uint64_t *)b, y, &ar2);
    if (o.pk == PK_COMPOSITE) {
        if (x[0].i != y[0].i)
            return x[0].i < y[0].i ? -1 : 1;
        x[0] = x[1];
        y[0] = y[1];
    }
    uint32_t m = x[0].n < y[0].n ? x[0].n : y[0].n;
    int c = memcmp(x[0].s, y[0].s, m);
    return c ? c : (int)x[0].n - (int)y[0].n;
}
static void csv_dump(void)
{
    FILE *f = fopen(o.csv, "wb");
    if (!f)
        die("%s: %s", o.csv, strerror(errno));
    buf b = {0};
    for (int i = 0; i < ncols; i++) {
        if (i)
            LIT(&b, ",");
        puts_(&b, cols[i].name);
    }
    LIT(&b, "\n");
    uint64_t *ids = xrealloc(NULL, alive_n * 8), n = 0;
    for (uint64_t i = 0; i < nid; i++)
        if (state[i] & ALIVE)
            ids[n++] = i;
    if (o.pk != PK_INT)
        qsort(ids, n, 8, cmp_uuid);
    for (uint64_t k = 0; k < n; k++) {
        val v[24];
        row_vals(ids[k], state[ids[k]], v, &ar1);
        for (int i = 0; i < ncols; i++) {
            if (i)
                LIT(&b, ",");
            if (v[i].null)
                continue; /* NULL: empty, unquoted */
            switch (cols[i].type) {
            case T_STR:
                LIT(&b, "\"");
                for (uint32_t j = 0; j < v[i].n; j++) {
                    if (v[i].s[j] == '"')
                        LIT(&b, "\"");
                    put(&b, v[i].s + j, 1);
                }
                LIT(&b, "\"");
                break;
            case T_DEC:
                put_dec(&b, v[i].i, cols[i].scale);
                break;
            case T_BOOL:
                puts_(&b, v[i].i ? "true" : "false");
                break;
            case T_DBL:
                put_dbl(&b, v[i].i);
                break;
            default:
                put_i(&b, v[i].i);
            }
        }
        LIT(&b, "\n");
        if (b.n > (1 << 20)) {
            if (fwrite(b.p, 1, b.n, f) != b.n)
                die("csv write");
            b.n = 0;
        }
    }
    if (b.n && fwrite(b.p, 1, b.n, f) != b.n)
        die("csv write");
    if (fclose(f))
        die("csv close");
    free(ids);
}
static void write_schema(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/schema.json", o.out);
    FILE *f = fopen(path, "wb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    fprintf(f, "{\"table\":\"%s\",\"topic\":\"%s\",\"primary_key\":[", o.table, o.topic);
    for (int i = 0; i < npk; i++)
        fprintf(f, "%s\"%s\"", i ? "," : "", cols[i].name);
    fputs("],\"columns\":[", f);
    for (int i = 0; i < ncols; i++) {
        static const char *ty[] = {"int",  "long",    "decimal", "timestamp",
                                   "date", "boolean", "double",  "string"};
        fprintf(f, "%s{\"name\":\"%s\",\"type\":\"%s", i ? "," : "", cols[i].name,
                ty[cols[i].type]);
        if (cols[i].type == T_DEC)
            fprintf(f, "(%d,%d)", cols[i].prec, cols[i].scale);
        fprintf(f, "\",\"required\":%s}", cols[i].nullable ? "false" : "true");
    }
    fputs("]}\n", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/surfboard.json",
             o.out); /* the same as a schema file of the command line: Postgres type names */
    if (!(f = fopen(path, "wb")))
        die("%s: %s", path, strerror(errno));
    fprintf(f, "{\"name\":\"%s\",\"columns\":[", o.table);
    for (int i = 0; i < ncols; i++) {
        static const char *pg[] = {"integer", "bigint",  "numeric",          "timestamp",
                                   "date",    "boolean", "double precision", "text"};
        fprintf(f, "%s{\"name\":\"%s\",\"type\":\"%s", i ? "," : "", cols[i].name,
                pg[cols[i].type]);
        if (cols[i].type == T_DEC)
            fprintf(f, "(%d,%d)", cols[i].prec, cols[i].scale);
        fprintf(f, "\"%s}", cols[i].nullable ? "" : ",\"nullable\":false");
    }
    fputs("],\"primary_key\":[", f);
    for (int i = 0; i < npk; i++)
        fprintf(f, "%s\"%s\"", i ? "," : "", cols[i].name);
    fprintf(f, "],\"replica_identity\":\"%s\"}\n", o.before == BEFORE_FULL ? "full" : "default");
    fclose(f);
}
static void usage(void)
{
    fputs("usage: cdcgen --out DIR [options]\n"
          "  --seed N (1)            --rows N (100000)        --events N per batch (10000)   "
          "--batches N (1)\n"
          "  --mix I/U/D (20/70/10)  --skew uniform|zipf|latest  --theta F (0.99)\n"
          "  --profile narrow|wide   --pk int|uuid|composite  --format aiven-jsonl|gz|zst    "
          "--level N\n"
          "  --partitions N (1)      --file-rows N (50000)    --topic NAME (shop.public.TABLE) "
          "--table NAME (orders)\n"
          "  --before full|key       --tombstones 0|1 (1)     --schemas (wrap in schema/payload)\n"
          "  --reinsert PCT (5)      --noop PCT (0)           --pk-update PCT (0)       --copy PCT "
          "(0)\n"
          "  --toast PCT (0; with --before key)               --replay PCT (0)\n"
          "  --layout split|flat     --skip-base-files        --scd2       --no-checksum     "
          "--expect-csv FILE\n",
          stderr);
    exit(2);
}
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
#define OPT(s) (!strcmp(a, s))
#define ARG (i + 1 < argc ? argv[++i] : (usage(), ""))
        if (OPT("--out"))
            o.out = ARG;
        else if (OPT("--seed"))
            o.seed = strtoull(ARG, NULL, 0);
        else if (OPT("--rows"))
            o.rows = strtoull(ARG, NULL, 0);
        else if (OPT("--events"))
            o.events = strtoull(ARG, NULL, 0);
        else if (OPT("--batches"))
            o.batches = (uint32_t)strtoul(ARG, NULL, 0);
        else if (OPT("--mix")) {
            if (sscanf(ARG, "%d/%d/%d", &o.ins, &o.upd, &o.del) != 3 || o.ins < 0 || o.upd < 0 ||
                o.del < 0 || o.ins + o.upd + o.del <= 0)
                usage();
        } else if (OPT("--skew")) {
            const char *v = ARG;
            o.skew = !strcmp(v, "uniform")  ? SKEW_UNIFORM
                     : !strcmp(v, "zipf")   ? SKEW_ZIPF
                     : !strcmp(v, "latest") ? SKEW_LATEST
                                            : (usage(), 0);
        } else if (OPT("--theta")) {
            o.theta = atof(ARG);
            if (!(o.theta > 0 && o.theta < 1))
                die("--theta must be in (0,1)");
        } else if (OPT("--profile")) {
            const char *v = ARG;
            if (!strcmp(v, "wide"))
                o.wide = true;
            else if (strcmp(v, "narrow"))
                usage();
        } else if (OPT("--pk")) {
            const char *v = ARG;
            o.pk = !strcmp(v, "int")         ? PK_INT
                   : !strcmp(v, "uuid")      ? PK_UUID
                   : !strcmp(v, "composite") ? PK_COMPOSITE
                                             : (usage(), 0);
        } else if (OPT("--format")) {
            const char *v = ARG;
            o.fmt = !strcmp(v, "aiven-jsonl") || !strcmp(v, "jsonl") ? FMT_JSONL
                    : !strcmp(v, "gz")                               ? FMT_GZ
                    : !strcmp(v, "zst")                              ? FMT_ZST
                                                                     : (usage(), 0);
        } else if (OPT("--level"))
            o.level = atoi(ARG);
        else if (OPT("--partitions")) {
            o.partitions = (uint32_t)strtoul(ARG, NULL, 0);
            if (!o.partitions)
                usage();
        } else if (OPT("--file-rows")) {
            o.file_rows = strtoull(ARG, NULL, 0);
            if (!o.file_rows)
                usage();
        } else if (OPT("--topic"))
            o.topic = ARG;
        else if (OPT("--table"))
            o.table = ARG;
        else if (OPT("--before")) {
            const char *v = ARG;
            if (!strcmp(v, "key"))
                o.before = BEFORE_KEY;
            else if (strcmp(v, "full"))
                usage();
        } else if (OPT("--tombstones"))
            o.tombstones = atoi(ARG) != 0;
        else if (OPT("--schemas"))
            o.schemas = true;
        else if (OPT("--reinsert"))
            o.reinsert = atof(ARG);
        else if (OPT("--noop"))
            o.noop = atof(ARG);
        else if (OPT("--pk-update"))
            o.pk_update = atof(ARG);
        else if (OPT("--copy"))
            o.copy = atof(ARG);
        else if (OPT("--toast"))
            o.toast = atof(ARG);
        else if (OPT("--replay"))
            o.replay = atof(ARG);
        else if (OPT("--layout")) {
            const char *v = ARG;
            if (!strcmp(v, "flat"))
                o.flat = true;
            else if (strcmp(v, "split"))
                usage();
        } else if (OPT("--skip-base-files"))
            o.no_base_files = true;
        else if (OPT("--scd2"))
            o.scd2 = true;
        else if (OPT("--no-checksum"))
            o.checksum = false;
        else if (OPT("--expect-csv"))
            o.csv = ARG;
        else
            usage();
    }
    if (!o.rows)
        die("--rows must be at least 1");
#ifndef HAVE_ZLIB
    if (o.fmt == FMT_GZ)
        die("built without zlib");
#endif
#ifndef HAVE_ZSTD
    if (o.fmt == FMT_ZST)
        die("built without zstd");
#endif
    if (o.toast > 0 && o.before != BEFORE_KEY)
        die("--toast needs --before key");
    char topic[256];
    if (!o.topic) {
        snprintf(topic, sizeof topic, "shop.public.%s", o.table);
        o.topic = topic;
    }
    decl_columns();
    if (o.schemas)
        build_schemas();
    if (o.skew != SKEW_UNIFORM)
        zipf_init(o.rows, o.theta);
    mkdirs(o.out);
    char path[4096];
    snprintf(path, sizeof path, "%s/expect.jsonl", o.out);
    if (!(fexp = fopen(path, "wb")))
        die("%s: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/files.txt", o.out);
    if (!(flist = fopen(path, "wb")))
        die("%s: %s", path, strerror(errno));
    write_schema();
    parts = xrealloc(NULL, o.partitions * sizeof *parts);
    memset(parts, 0, o.partitions * sizeof *parts);
    gen_base();
    for (uint32_t k = 1; k <= o.batches; k++)
        gen_batch(k);
    if (o.csv)
        csv_dump();
    if (fclose(fexp) || fclose(flist))
        die("write failed");
    return 0;
}
