#include "core/change/event.h"

#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "core/change/scan.h"

#ifdef __x86_64__
static bool have_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

struct change_scanner *change_scanner_create_with(enum change_lanes lanes, struct error *error)
{
    struct change_scanner *scanner = memory_zero(1, sizeof *scanner, error);
    if (scanner == NULL)
        return NULL;
    scanner->line = NULL;
    if (lanes == CHANGE_LANES_PORTABLE)
        scanner->line = scan_line_portable;
#ifdef __x86_64__
    if ((lanes == CHANGE_LANES_AVX2 || lanes == CHANGE_LANES_BEST) && have_avx2())
        scanner->line = scan_line_avx2;
    else if (lanes == CHANGE_LANES_SSE2 || lanes == CHANGE_LANES_BEST)
        scanner->line = scan_line_sse2;
#else
    if (lanes == CHANGE_LANES_BEST)
        scanner->line = scan_line_portable;
#endif
    if (scanner->line == NULL) {
        free(scanner);
        error_set(error, ERROR_UNSUPPORTED, NULL,
                  "this processor lacks the instructions asked for");
        return NULL;
    }
    return scanner;
}

struct change_scanner *change_scanner_create(struct error *error)
{
    return change_scanner_create_with(CHANGE_LANES_BEST, error);
}

void change_scanner_destroy(struct change_scanner *scanner)
{
    if (scanner == NULL)
        return;
    buffer_destroy(&scanner->key_text);
    buffer_destroy(&scanner->value_text);
    buffer_destroy(&scanner->name);
    buffer_destroy(&scanner->transaction_id);
    buffer_destroy(&scanner->source_schema);
    buffer_destroy(&scanner->source_table);
    free(scanner);
}

bool change_scan_line(struct change_scanner *scanner, struct slice line, struct change *out,
                      struct error *error)
{
    return scanner->line(scanner, line, out, error);
}

bool change_scan_torn(const struct change_scanner *scanner)
{
    return scanner->torn;
}

bool change_timestamp_ms(const struct change *change, int64_t *out)
{
    int64_t us;
    if (token_integer(change->timestamp, out))
        return true;
    if (!datetime_parse_timestamptz(change->timestamp, &us))
        return false;
    *out = us / 1000 - (us % 1000 < 0);
    return true;
}

int change_position_compare(const struct change_position *a, const struct change_position *b,
                            bool *exact)
{
    bool both = a->total_order >= 0 && b->total_order >= 0;
    if (exact)
        *exact = both || a->seq0 != b->seq0 || a->seq1 != b->seq1;
    if (a->seq0 != b->seq0)
        return a->seq0 < b->seq0 ? -1 : 1;
    if (a->seq1 != b->seq1)
        return a->seq1 < b->seq1 ? -1 : 1;
    return both ? (a->total_order > b->total_order) - (a->total_order < b->total_order) : 0;
}

struct slice change_transaction_key(struct slice transaction_id, uint64_t *lsn)
{
    const char *colon =
        transaction_id.length ? memchr(transaction_id.data, ':', transaction_id.length) : NULL;
    int64_t value = 0;
    size_t length = colon ? (size_t)(colon - transaction_id.data) : transaction_id.length;
    if (colon)
        token_integer(slice_make(colon + 1, transaction_id.length - length - 1), &value);
    if (lsn)
        *lsn = value > 0 ? (uint64_t)value : 0;
    return slice_make(transaction_id.data, length);
}
