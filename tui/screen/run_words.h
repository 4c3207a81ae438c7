/* run_words.h: a run in words and times, for the views that show runs. */
#ifndef SURFBOARD_TUI_SCREEN_RUN_WORDS_H
#define SURFBOARD_TUI_SCREEN_RUN_WORDS_H

#include "core/pipeline/run.h"

/* The state to show: "running", "waiting", "silent", "done", "failed", "died", "interrupted",
 * "newer". */
const char *run_words_state(const struct run_summary *run);
/* When it began and ended; -1: it does not say. */
int64_t run_words_started(const struct run_summary *run);
int64_t run_words_ended(const struct run_summary *run);
/* "12 s", "3 min"; until now while it runs; "" when nobody knows. */
void run_words_took(const struct run_summary *run, char *out, size_t size);
/* What it is at, or what came of it: "orders: 500 of 2000 rows, 6 s to go", the error's message,
 * where it died. */
void run_words_says(const struct run_summary *run, char *out, size_t size);
/* How far, 0 to 1; negative: nobody knows. */
double run_words_part(const struct run_summary *run);
/* "merge orders" */
void run_words_what(const struct run_summary *run, char *out, size_t size);

#endif
