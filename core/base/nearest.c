#include "core/base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { NEAREST_MOST = 63 };

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t nearest_cost(char a, char b)
{
    if (a == b)
        return 0;
    return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : 2;
}

size_t nearest_distance(const char *a, const char *b)
{
    size_t a_length = strnlen(a, NEAREST_MOST), b_length = strnlen(b, NEAREST_MOST);
    size_t rows[3][NEAREST_MOST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = 2 * j;
    for (size_t i = 1; i <= a_length; i++) {
        now[0] = 2 * i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = last[j - 1] + nearest_cost(a[i - 1], b[j - 1]);
            now[j] = least_of(now[j], least_of(last[j], now[j - 1]) + 2);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least_of(now[j], before[j - 2] + 2);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t best_distance = 0;
    for (size_t i = 0; i < count; i++) {
        size_t longer = strlen(words[i]) > strlen(word) ? strlen(words[i]) : strlen(word);
        size_t allowed = longer >= 4 ? 4 : 2;
        if (allowed < longer * 2 / 3)
            allowed = longer * 2 / 3;
        size_t distance = nearest_distance(word, words[i]);
        if (distance <= allowed && (best == NULL || distance < best_distance)) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}
