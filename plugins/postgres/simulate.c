#include "plugins/postgres/simulate.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/shop.h"
#include "plugins/postgres/simulate_shop.h"

enum { ROLLBACK_PERCENT = 4, TOLD_NS = 1000000000 };

struct simulation {
    const struct simulate_options *options;
    struct simulate_summary *summary;
    struct shop shop;
    int weights[SHOP_GROUPS];
    int64_t started_ns, told_ns;
    uint64_t told_rows;
    size_t toured; /* changes made once in order, before chance decides */
};

bool simulate_parse_mix(const char *text, int mix[3], struct error *error)
{
    char rest;
    if (sscanf(text, "%d:%d:%d%c", &mix[0], &mix[1], &mix[2], &rest) == 3 && mix[0] >= 0 &&
        mix[1] >= 0 && mix[2] >= 0 && mix[0] + mix[1] + mix[2] > 0 && mix[0] <= 10000 &&
        mix[1] <= 10000 && mix[2] <= 10000)
        return true;
    return error_set(error, ERROR_USAGE, "give three weights, as 40:45:15",
                     "--mix %s: weights of inserts, updates and deletes are wanted", text);
}

static bool simulation_stopped(const struct simulation *simulation)
{
    return simulation->options->stop && atomic_load(simulation->options->stop);
}

static uint64_t summary_rows(const struct simulate_summary *summary)
{
    return summary->inserts + summary->updates + summary->deletes;
}

/* ---- which change ---- */

static const struct shop_change *pick_in_group(struct simulation *simulation, int group)
{
    int total = 0;
    for (size_t i = 0; i < shop_change_count; i++)
        total += (int)shop_changes[i].group == group ? shop_changes[i].weight : 0;
    int at = (int)random_below(&simulation->shop.random, (uint64_t)total);
    for (size_t i = 0;; i++) {
        if ((int)shop_changes[i].group != group)
            continue;
        at -= shop_changes[i].weight;
        if (at < 0)
            return &shop_changes[i];
    }
}

static const struct shop_change *pick_change(struct simulation *simulation)
{
    /* First each kind once, so that a short run has shown them all. */
    while (simulation->toured < shop_change_count) {
        const struct shop_change *change = &shop_changes[simulation->toured++];
        if (simulation->weights[change->group] > 0)
            return change;
    }
    const int *weights = simulation->weights;
    int total = weights[0] + weights[1] + weights[2];
    int at = (int)random_below(&simulation->shop.random, (uint64_t)total);
    int group = at < weights[0] ? 0 : at < weights[0] + weights[1] ? 1 : 2;
    return pick_in_group(simulation, group);
}

/* ---- one transaction ---- */

static void count_transaction(struct simulation *simulation, const struct shop_change *change)
{
    struct simulate_summary *summary = simulation->summary;
    const struct shop *shop = &simulation->shop;
    summary->transactions++;
    summary->multi_table += change->multi_table;
    summary->inserts += shop->inserts;
    summary->updates += shop->updates;
    summary->deletes += shop->deletes;
    summary->key_changes += shop->key_changes;
}

/* Rolled back changes must leave the key lists alone: they are taken from kinds without keys. */
static bool roll_back(struct simulation *simulation, struct error *error)
{
    struct shop *shop = &simulation->shop;
    struct pg_rows rows = {0};
    TRY(pg_begin(shop->pg, error));
    bool ok = pg_query(shop->pg, "UPDATE customers SET name = 'never' WHERE id % 50 = 0", NULL, 0,
                       &rows, error);
    pg_rows_destroy(&rows);
    ok = ok && pg_query(shop->pg, "DELETE FROM payments WHERE amount < 10", NULL, 0, &rows, error);
    pg_rows_destroy(&rows);
    pg_rollback(shop->pg);
    simulation->summary->rollbacks++;
    return ok;
}

static bool make_change(struct simulation *simulation, struct error *error)
{
    struct shop *shop = &simulation->shop;
    if (simulation->toured == shop_change_count &&
        random_below(&shop->random, 100) < ROLLBACK_PERCENT)
        return roll_back(simulation, error);
    const struct shop_change *change = pick_change(simulation);
    shop->inserts = shop->updates = shop->deletes = shop->key_changes = 0;
    arena_reset(&shop->arena);
    TRY(pg_begin(shop->pg, error));
    if (!change->run(shop, error) || !pg_commit(shop->pg, error)) {
        pg_rollback(shop->pg);
        return error_prefix(error, "%s", change->name);
    }
    count_transaction(simulation, change);
    return true;
}

/* ---- the run ---- */

json_t *simulate_summary_json(const struct simulate_summary *summary, const char *name,
                              uint64_t seed)
{
    uint64_t rows = summary_rows(summary);
    return json_pack(
        "{s:s, s:i, s:s, s:I, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "event",
        name, "format", 1, "state", summary->stopped ? "stopped" : "done", "done", (json_int_t)rows,
        "unit", "rows", "rate", summary->seconds > 0 ? (double)rows / summary->seconds : 0.0,
        "transactions", (json_int_t)summary->transactions, "rollbacks",
        (json_int_t)summary->rollbacks, "multi_table", (json_int_t)summary->multi_table, "inserts",
        (json_int_t)summary->inserts, "updates", (json_int_t)summary->updates, "deletes",
        (json_int_t)summary->deletes, "key_changes", (json_int_t)summary->key_changes, "seed",
        (json_int_t)seed, "seconds", summary->seconds);
}

static void tell(struct simulation *simulation)
{
    int64_t now = clock_monotonic_ns();
    struct simulate_summary *summary = simulation->summary;
    summary->seconds = (double)(now - simulation->started_ns) / 1e9;
    if (simulation->options->event == NULL || now - simulation->told_ns < TOLD_NS)
        return;
    json_t *event = simulate_summary_json(summary, "progress", simulation->options->seed);
    uint64_t rows = summary_rows(summary);
    json_object_del(event, "state");
    json_object_set_new(event, "rate",
                        json_real((double)(rows - simulation->told_rows) * 1e9 /
                                  (double)(now - simulation->told_ns)));
    simulation->told_ns = now;
    simulation->told_rows = rows;
    if (event)
        simulation->options->event(simulation->options->context, event);
}

static bool simulation_over(const struct simulation *simulation)
{
    const struct simulate_options *options = simulation->options;
    int64_t elapsed_ms = (clock_monotonic_ns() - simulation->started_ns) / 1000000;
    return simulation_stopped(simulation) || (options->run_ms && elapsed_ms >= options->run_ms) ||
           (options->rows && summary_rows(simulation->summary) >= (uint64_t)options->rows);
}

/* Sleeps while the rows are ahead of the rate. */
static void keep_rate(struct simulation *simulation)
{
    double rate = simulation->options->rate;
    while (rate > 0 && !simulation_over(simulation)) {
        double due = (double)summary_rows(simulation->summary) / rate;
        double ahead = due - (double)(clock_monotonic_ns() - simulation->started_ns) / 1e9;
        if (ahead <= 0)
            return;
        clock_sleep_ms(ahead > 0.1 ? 100 : (int64_t)(ahead * 1000) + 1);
        tell(simulation);
    }
}

static bool simulation_run(struct simulation *simulation, struct error *error)
{
    bool marked;
    TRY(shop_is_marked(simulation->shop.pg, &marked, error));
    if (!marked)
        return error_set(error, ERROR_REFUSED,
                         "the generator only writes into databases that `surfboard demo` made",
                         "%s has no table " SHOP_MARKER, pg_name(simulation->shop.pg));
    TRY(shop_load(&simulation->shop, error));
    simulation->started_ns = simulation->told_ns = clock_monotonic_ns();
    while (!simulation_over(simulation)) {
        if (!make_change(simulation, error))
            return false;
        tell(simulation);
        keep_rate(simulation);
    }
    tell(simulation);
    simulation->summary->stopped = simulation_stopped(simulation);
    return true;
}

bool simulate_run(const struct simulate_options *options, struct simulate_summary *summary,
                  struct error *error)
{
    struct simulation simulation = {.options = options, .summary = summary};
    const int *mix = options->mix;
    bool given = mix[0] + mix[1] + mix[2] > 0;
    *summary = (struct simulate_summary){0};
    simulation.weights[SHOP_INSERT] = given ? mix[0] : 40;
    simulation.weights[SHOP_UPDATE] = given ? mix[1] : 45;
    simulation.weights[SHOP_DELETE] = given ? mix[2] : 15;
    random_seed(&simulation.shop.random, options->seed);
    simulation.shop.pg = session_open(
        &(struct pg_options){.dsn = options->dsn, .application_name = "surfboard simulate"}, error);
    bool ok = simulation.shop.pg && simulation_run(&simulation, error);
    pg_close(simulation.shop.pg);
    shop_destroy(&simulation.shop);
    return ok;
}
