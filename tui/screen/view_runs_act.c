/* Ending a run, and beginning the same again. */
#include <stdlib.h>
#include <string.h>

#include "core/base/host.h"
#include "core/base/memory.h"
#include "tui/screen/run_words.h"
#include "tui/screen/view_runs.h"

enum { WORDS_MOST = 32 };

static enum answer refuse(char *room, size_t size, const char **why, const char *format,
                          const char *what)
{
    snprintf(room, size, format, what);
    *why = room;
    return ANSWER_REFUSED;
}

static bool is_here(const struct run_summary *run)
{
    char host[128];
    host_name(host, sizeof host);
    return strcmp(run->host, host) == 0;
}

/* Event files are shared: what one says must at least be the verb that it names. */
static bool command_fits(const struct run_summary *run)
{
    const char *word = json_string_value(json_array_get(run->arguments, 0));
    size_t length = word ? strlen(word) : 0;
    return length && strncmp(run->verb, word, length) == 0 &&
           (run->verb[length] == '\0' || run->verb[length] == ' ');
}

enum answer runs_can_run(const struct app *app, const struct run_summary *run,
                         enum action_id action, char *room, size_t size, const char **why)
{
    (void)app;
    if (run == NULL ||
        (action != ACTION_RUN_EVENTS && action != ACTION_RUN_CANCEL && action != ACTION_RUN_AGAIN))
        return ANSWER_ABSENT;
    bool running = strcmp(run->state, "running") == 0;
    bool newer = strcmp(run->state, "newer") == 0;
    if (newer)
        return refuse(room, size, why, "run %s was written by a newer surfboard: use that one",
                      run->id);
    if (action == ACTION_RUN_CANCEL && !running)
        return refuse(room, size, why, "it is over: %s", run->state);
    if (action == ACTION_RUN_CANCEL && !is_here(run))
        return refuse(room, size, why, "it runs on %s: cancel it there", run->host);
    if (action == ACTION_RUN_AGAIN && running)
        return refuse(room, size, why, "run %s is still under way: x cancels it", run->id);
    if (action == ACTION_RUN_AGAIN && json_array_size(run->arguments) == 0)
        return refuse(room, size, why, "%s: its command was not recorded", run->verb);
    if (action == ACTION_RUN_AGAIN && !command_fits(run))
        return refuse(room, size, why, "its recorded command is not one of %s", run->verb);
    if (action == ACTION_RUN_AGAIN && json_array_size(run->arguments) >= WORDS_MOST)
        return refuse(room, size, why, "%s: its command is too long for here", run->verb);
    return ANSWER_WORKS;
}

/* ---- asking, then doing ---- */

/* The command, kept while the question stands. */
struct runs_order {
    char *words[WORDS_MOST + 1]; /* NULL-ended */
};

static void order_forget(void *context)
{
    struct runs_order *order = context;
    for (size_t i = 0; order->words[i]; i++)
        free(order->words[i]);
    free(order);
}

static void order_yes(struct app *app, void *context)
{
    const struct runs_order *order = context;
    const char *words[WORDS_MOST + 1] = {0};
    for (size_t i = 0; order->words[i]; i++)
        words[i] = order->words[i];
    app_run(app, words, NULL);
}

static struct runs_order *order_make(const struct run_summary *run, enum action_id action)
{
    struct runs_order *order = memory_zero(1, sizeof *order, NULL);
    bool ok = order != NULL;
    if (ok && action == ACTION_RUN_CANCEL) {
        ok = (order->words[0] = memory_copy_text("cancel", NULL)) != NULL &&
             (order->words[1] = memory_copy_text(run->id, NULL)) != NULL;
    } else if (ok) {
        size_t index;
        json_t *word;
        json_array_foreach(run->arguments, index, word)
        {
            const char *text = json_string_value(word);
            order->words[index] = ok ? memory_copy_text(text ? text : "", NULL) : NULL;
            ok = ok && order->words[index];
        }
    }
    if (ok)
        return order;
    if (order)
        order_forget(order);
    return NULL;
}

/* The name that was confirmed then has to be typed again. */
static const char *typed_name(const struct runs_order *order)
{
    for (size_t i = 0; order->words[i]; i++)
        if (strcmp(order->words[i], "--confirm") == 0 && order->words[i + 1])
            return order->words[i + 1];
    return NULL;
}

static const char *stays_behind(const struct run_summary *run)
{
    static const struct {
        const char *verb, *stays;
    } known[] = {
        {"merge", "what is committed stays; what it was writing is removed; the next merge goes on "
                  "where the last commit ended"},
        {"capture", "files that are written stay; the slot keeps the rest for the next capture"},
        {"up", "steps that are done stay done; the one under way is taken up again by the next up"},
        {"down", "what is undone stays undone; the rest stands"},
        {"verify", "nothing: it only reads"},
        {"simulate", "the rows that it wrote stay in the source"},
        {"maintain", "what is committed stays; the rest is done by the next one"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].verb, run->verb) == 0)
            return known[i].stays;
    return "what it has done so far stays";
}

static void plan_words(const struct runs_order *order, struct buffer *plan)
{
    buffer_append_text(plan, "surfboard", NULL);
    for (size_t i = 0; order->words[i]; i++)
        buffer_append_format(plan, NULL, " %s", order->words[i]);
}

void runs_ask(struct app *app, const struct run_summary *run, enum action_id action)
{
    struct runs_order *order = order_make(run, action);
    struct buffer plan = {0}, target = {0}, title = {0};
    char what[256], started[32] = "?";
    if (order == NULL)
        return;
    bool cancel = action == ACTION_RUN_CANCEL;
    run_words_what(run, what, sizeof what);
    if (run_words_started(run) >= 0)
        watch_time(run_words_started(run), true, started, sizeof started);
    buffer_append_format(&title, NULL, cancel ? "Cancel run %s" : "Run %s again", run->id);
    buffer_append_format(&target, NULL, "run %s: %s, begun %s by %s", run->id, what, started,
                         run->by);
    plan_words(order, &plan);
    if (cancel)
        buffer_append_text(&plan, "\nit stops at its next safe point", NULL);
    else if (run->resumable)
        buffer_append_text(&plan, "\nit goes on where the run that died was", NULL);
    struct ask ask = {.title = buffer_text(&title, NULL),
                      .target = buffer_text(&target, NULL),
                      .plan = buffer_text(&plan, NULL),
                      .undo = cancel ? "R begins the same again" : "x cancels it",
                      .cost = cancel ? stays_behind(run) : NULL,
                      .typed = cancel ? NULL : typed_name(order),
                      .button = cancel ? "cancel the run" : "run it again",
                      .yes = order_yes,
                      .forget = order_forget,
                      .context = order};
    if (ask.title && ask.target && ask.plan)
        app_ask(app, &ask);
    else
        order_forget(order);
    buffer_destroy(&title);
    buffer_destroy(&target);
    buffer_destroy(&plan);
}
