#include "tui/screen/run_words.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/datetime.h"
#include "core/base/quantity.h"
#include "tui/screen/watch.h"

static bool is(const struct run_summary *run, const char *state)
{
    return strcmp(run->state, state) == 0;
}

const char *run_words_state(const struct run_summary *run)
{
    if (!is(run, "running"))
        return run->state;
    return run->silent ? "silent" : run->waiting ? "waiting" : "running";
}

static int64_t time_of(const char *text)
{
    int64_t us;
    return text && datetime_parse_timestamptz(slice_of(text), &us) ? us : -1;
}

int64_t run_words_started(const struct run_summary *run)
{
    return time_of(run->started);
}

int64_t run_words_ended(const struct run_summary *run)
{
    return time_of(run->ended);
}

void run_words_took(const struct run_summary *run, char *out, size_t size)
{
    int64_t from = run_words_started(run);
    const char *last = json_string_value(json_object_get(run->last, "at"));
    /* Of one that died: as long as it said something. */
    int64_t to = is(run, "running") ? clock_now_us()
                 : is(run, "died")  ? time_of(last)
                                    : run_words_ended(run);
    if (from < 0 || to < from)
        snprintf(out, size, "%s", "");
    else
        watch_age((double)(to - from) / 1e6, out, size);
}

static void says_progress(const struct run_progress_figures *figures, char *out, size_t size)
{
    char to_go[32] = "", rate[32] = "", done[QUANTITY_TEXT_SIZE], total[QUANTITY_TEXT_SIZE];
    if (figures->eta_s >= 0)
        watch_age(figures->eta_s, to_go, sizeof to_go);
    quantity_format_count((uint64_t)(figures->done > 0 ? figures->done : 0), done);
    quantity_format_count((uint64_t)(figures->total > 0 ? figures->total : 0), total);
    if (*to_go == '\0' && figures->rate >= 0)
        snprintf(rate, sizeof rate, ", %.0f/s", figures->rate);
    snprintf(out, size, "%s%s%s%s%s %s%s%s%s%s", figures->phase, *figures->phase ? ": " : "", done,
             figures->total >= 0 ? " of " : "", figures->total >= 0 ? total : "", figures->unit,
             *to_go ? ", " : "", to_go, *to_go ? " to go" : "", rate);
}

static void says_waiting(const struct run_summary *run, char *out, size_t size)
{
    const char *what = json_string_value(json_object_get(run->waiting, "for"));
    double since = json_number_value(json_object_get(run->waiting, "since_s"));
    double limit = json_number_value(json_object_get(run->waiting, "limit_s"));
    char waited[32], most[32] = "";
    watch_age(since, waited, sizeof waited);
    if (limit > 0)
        watch_age(limit, most, sizeof most);
    snprintf(out, size, "waits for %s, %s%s%s", what ? what : "something", waited,
             *most ? " of " : "", most);
}

void run_words_says(const struct run_summary *run, char *out, size_t size)
{
    const char *event = json_string_value(json_object_get(run->last, "event"));
    const char *message =
        json_string_value(json_object_get(json_object_get(run->last, "error"), "message"));
    char age[32];
    *out = '\0';
    if (is(run, "newer")) {
        snprintf(out, size, "written by a newer surfboard: that one shows it");
    } else if (is(run, "died")) {
        snprintf(out, size, "died without an end%s%s%s%s", event ? "; last said: " : "",
                 event ? event : "", run->torn ? ", in the middle of a line" : "",
                 run->resumable ? "; R goes on" : "");
    } else if (run->silent) {
        watch_age((double)run->silent_ms / 1e3, age, sizeof age);
        snprintf(out, size, "said nothing for %s: it stands still", age);
    } else if (run->waiting) {
        says_waiting(run, out, size);
    } else if (is(run, "running") && run->progress.known) {
        says_progress(&run->progress, out, size);
    } else if (message) {
        snprintf(out, size, "%s", message);
    } else if (is(run, "failed")) {
        snprintf(out, size, "exit %d", run->exit_code);
    }
}

double run_words_part(const struct run_summary *run)
{
    const struct run_progress_figures *figures = &run->progress;
    if (!is(run, "running") || !figures->known || figures->total <= 0 || figures->done < 0)
        return -1;
    double part = (double)figures->done / (double)figures->total;
    return part > 1 ? 1 : part;
}

void run_words_what(const struct run_summary *run, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", run->verb, run->object[0] ? " " : "", run->object);
}
