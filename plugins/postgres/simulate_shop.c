#include "plugins/postgres/simulate_shop.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

/* ---- keys ---- */

static bool keys_add(struct keys *keys, int64_t key, struct error *error)
{
    TRY(memory_grow(&keys->items, &keys->capacity, keys->count + 1, sizeof *keys->items, error));
    keys->items[keys->count++] = key;
    if (key >= keys->next)
        keys->next = key + 1;
    return true;
}

/* A random place in the list; its count must not be 0. */
static size_t keys_pick(struct shop *shop, const struct keys *keys)
{
    return (size_t)random_below(&shop->random, keys->count);
}

static void keys_drop(struct keys *keys, size_t place)
{
    keys->items[place] = keys->items[--keys->count];
}

static bool load_keys(struct shop *shop, const char *sql, struct keys *keys, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(pg_query(shop->pg, sql, NULL, 0, &rows, error));
    bool ok = true;
    for (size_t i = 0; ok && i < pg_rows_count(&rows); i++)
        ok = keys_add(keys, strtoll(pg_rows_value(&rows, i, 0), NULL, 10), error);
    pg_rows_destroy(&rows);
    return ok;
}

bool shop_load(struct shop *shop, struct error *error)
{
    TRY(load_keys(shop, "SELECT id FROM customers ORDER BY id", &shop->customers, error));
    TRY(load_keys(shop, "SELECT id FROM orders ORDER BY id", &shop->orders, error));
    TRY(load_keys(shop, "SELECT id FROM articles ORDER BY id", &shop->articles, error));
    struct pg_rows rows = {0};
    TRY(pg_query(shop->pg, "SELECT sku FROM products ORDER BY sku COLLATE \"C\"", NULL, 0, &rows,
                 error));
    size_t count = pg_rows_count(&rows);
    bool ok =
        memory_grow(&shop->products, &shop->product_capacity, count, sizeof *shop->products, error);
    for (size_t i = 0; ok && i < count; i++)
        snprintf(shop->products[i].text, SKU_SIZE, "%s", pg_rows_value(&rows, i, 0));
    shop->product_count = ok ? count : 0;
    pg_rows_destroy(&rows);
    return ok;
}

void shop_destroy(struct shop *shop)
{
    free(shop->customers.items);
    free(shop->orders.items);
    free(shop->articles.items);
    free(shop->products);
    arena_destroy(&shop->arena);
}

/* ---- statements and values ---- */

enum { PARAMETERS = 12 };

/* Runs a statement and counts its rows in *counter (NULL: not at all). */
static bool shop_sql(struct shop *shop, uint64_t *counter, const char *sql, size_t count,
                     const char *const *values, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(pg_query(shop->pg, sql, values, count, &rows, error));
    if (counter)
        *counter += (uint64_t)pg_rows_affected(&rows);
    pg_rows_destroy(&rows);
    return true;
}

#define SQL(shop, counter, sql, error, ...)                                                        \
    shop_sql(shop, counter, sql, sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *),     \
             (const char *[]){__VA_ARGS__}, error)

/* Out of memory reads as null, which every statement survives; the arena's error is not lost: the
 * next statement fails for the same reason. */
static const char *number(struct shop *shop, int64_t value)
{
    return arena_format(&shop->arena, NULL, "%lld", (long long)value);
}

static const char *decimal(struct shop *shop, uint64_t below, int scale)
{
    uint64_t unit = scale == 4 ? 10000 : 100;
    return arena_format(&shop->arena, NULL, "%llu.%0*llu",
                        (unsigned long long)random_below(&shop->random, below), scale,
                        (unsigned long long)random_below(&shop->random, unit));
}

static bool chance(struct shop *shop, unsigned percent)
{
    return random_below(&shop->random, 100) < percent;
}

static const char *one_of(struct shop *shop, const char *const *words, size_t count)
{
    return words[random_below(&shop->random, count)];
}

/* Some words, with all that makes trouble for writers of JSON. */
static const char *text(struct shop *shop, unsigned words)
{
    static const char *const vocabulary[] = {
        "blue", "größe", "quick", "\"quoted\"", "back\\slash", "été",    "tab\there", "new\nline",
        "日本", "😀",     "paper", "{brace}",    "NULL",        "O'Hara", "null",      "plain"};
    char out[512];
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < words && used + 32 < sizeof out; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", i ? " " : "",
                                 one_of(shop, vocabulary, 16));
    return arena_copy_text(&shop->arena, out, NULL);
}

/* A text of `size` bytes that does not compress to nothing. */
static const char *large_text(struct shop *shop, size_t size)
{
    char *out = arena_allocate(&shop->arena, size + 1, NULL);
    for (size_t i = 0; out && i < size; i++)
        out[i] = i % 79 == 78 ? '\n' : (char)('a' + random_below(&shop->random, 26));
    if (out)
        out[size] = '\0';
    return out;
}

static const char *timestamp(struct shop *shop)
{
    uint64_t random = random_next(&shop->random);
    return arena_format(&shop->arena, NULL, "2025-%02u-%02u %02u:%02u:%02u.%06u",
                        (unsigned)(1 + random % 12), (unsigned)(1 + (random >> 8) % 28),
                        (unsigned)((random >> 16) % 24), (unsigned)((random >> 24) % 60),
                        (unsigned)((random >> 32) % 60), (unsigned)((random >> 40) % 1000000));
}

static const char *date(struct shop *shop)
{
    return arena_format(&shop->arena, NULL, "%u-%02u-%02u",
                        (unsigned)(1950 + random_below(&shop->random, 70)),
                        (unsigned)(1 + random_below(&shop->random, 12)),
                        (unsigned)(1 + random_below(&shop->random, 28)));
}

static const char *uuid(struct shop *shop)
{
    uint8_t bytes[16];
    char out[UUID_TEXT_SIZE];
    uint64_t halves[2] = {random_next(&shop->random), random_next(&shop->random)};
    memcpy(bytes, halves, sizeof bytes);
    uuid_format(bytes, out);
    return arena_copy_text(&shop->arena, out, NULL);
}

static const char *a_sku(struct shop *shop)
{
    return shop->product_count
               ? shop->products[random_below(&shop->random, shop->product_count)].text
               : "SKU-000000";
}

/* ---- inserts ---- */

static bool new_customer(struct shop *shop, struct error *error)
{
    static const char *const countries[] = {"DE", "FR", "GB", "SE", "ES", "X "};
    static const char *const states[] = {"new", "active", "blocked", "très fidèle"};
    int64_t id = shop->customers.next;
    TRY(SQL(shop, &shop->inserts,
            "INSERT INTO customers VALUES ($1, $2, $3, $4::customer_status, $5, $6, $7, $8, $9,"
            " CASE WHEN $10 = '' THEN NULL ELSE ARRAY[$10, NULL, 'x'] END, $11)",
            error, number(shop, id), text(shop, 2),
            chance(shop, 80) ? arena_format(&shop->arena, NULL, "c%lld@example.org", (long long)id)
                             : NULL,
            one_of(shop, states, 4), chance(shop, 85) ? decimal(shop, 5000, 2) : NULL,
            chance(shop, 90) ? (chance(shop, 30) ? "t" : "f") : NULL, one_of(shop, countries, 6),
            chance(shop, 80) ? date(shop) : NULL, chance(shop, 50) ? "2001:db8::1" : "10.1.2.3",
            chance(shop, 60) ? text(shop, 1) : "", timestamp(shop)));
    return keys_add(&shop->customers, id, error);
}

static bool insert_lines(struct shop *shop, int64_t order, unsigned count, struct error *error)
{
    for (unsigned line = 1; line <= count; line++)
        TRY(SQL(shop, &shop->inserts,
                "INSERT INTO order_lines VALUES ($1, $2, $3, $4, $5, $6,"
                " CASE WHEN $7 = '' THEN NULL ELSE ARRAY[$7] END)",
                error, number(shop, order), number(shop, line), a_sku(shop),
                number(shop, 1 + (int64_t)random_below(&shop->random, 9)),
                chance(shop, 90) ? decimal(shop, 900, 2) : NULL, chance(shop, 20) ? "0.15" : NULL,
                chance(shop, 15) ? text(shop, 1) : ""));
    return true;
}

static bool insert_payment(struct shop *shop, int64_t order, struct error *error)
{
    static const char *const methods[] = {"card", "transfer", "cash"};
    return SQL(shop, &shop->inserts,
               "INSERT INTO payments VALUES ($1, $2, $3, $4, $5::json, $6, $7)", error, uuid(shop),
               number(shop, order), decimal(shop, 9000, 4), one_of(shop, methods, 3),
               chance(shop, 70) ? "{\"code\":  0, \"list\": [1.50, null, \"é\"]}" : NULL,
               timestamp(shop), chance(shop, 60) ? date(shop) : NULL);
}

static bool new_order(struct shop *shop, struct error *error)
{
    int64_t id = shop->orders.next;
    if (shop->customers.count == 0)
        return new_customer(shop, error);
    int64_t customer = shop->customers.items[keys_pick(shop, &shop->customers)];
    TRY(SQL(shop, &shop->inserts,
            "INSERT INTO orders VALUES ($1, $2, 'open', $3, $4, NULL, $5::interval, $6, $7, $8)",
            error, number(shop, id), number(shop, customer), decimal(shop, 9000, 2),
            timestamp(shop), chance(shop, 80) ? "3 days 04:05:06.789" : NULL,
            chance(shop, 70) ? "1" : NULL, chance(shop, 50) ? "t" : NULL,
            chance(shop, 60) ? text(shop, 6) : NULL));
    TRY(insert_lines(shop, id, 1 + (unsigned)random_below(&shop->random, 5), error));
    if (chance(shop, 10)) { /* work that never happened, inside one that did */
        uint64_t nothing = 0;
        TRY(pg_exec(shop->pg, "SAVEPOINT mistake", error));
        TRY(SQL(shop, &nothing, "DELETE FROM order_lines WHERE order_id = $1", error,
                number(shop, id)));
        TRY(pg_exec(shop->pg, "ROLLBACK TO SAVEPOINT mistake", error));
    }
    TRY(SQL(shop, &shop->updates, "UPDATE products SET stock = stock - 1 WHERE sku = $1", error,
            a_sku(shop)));
    if (chance(shop, 50))
        TRY(insert_payment(shop, id, error));
    return keys_add(&shop->orders, id, error);
}

static bool new_article(struct shop *shop, struct error *error)
{
    int64_t id = shop->articles.next;
    TRY(SQL(shop, &shop->inserts,
            "INSERT INTO articles VALUES ($1, $2, 1, $3, jsonb_build_object('k', $4::text, 'n', 1),"
            " decode(md5($4), 'hex'), ARRAY[$3, NULL, 'end'],"
            " (SELECT array_agg(i) FROM generate_series(1, 700) i), $5, $6)",
            error, number(shop, id), text(shop, 3),
            large_text(shop, 2500 + random_below(&shop->random, 4000)), large_text(shop, 2600),
            chance(shop, 80) ? uuid(shop) : NULL, timestamp(shop)));
    return keys_add(&shop->articles, id, error);
}

static bool new_batch(struct shop *shop, struct error *error)
{
    if (shop->orders.count == 0)
        return new_order(shop, error);
    int64_t order = shop->orders.items[keys_pick(shop, &shop->orders)];
    /* One statement, many rows. */
    return SQL(shop, &shop->inserts,
               "INSERT INTO order_lines SELECT $1::bigint, m.last + g, $2, g, g * 1.11, NULL, NULL"
               " FROM (SELECT coalesce(max(line_no), 0) AS last FROM order_lines"
               " WHERE order_id = $1::bigint) m, generate_series(1, $3::int) g",
               error, number(shop, order), a_sku(shop),
               number(shop, 3 + (int64_t)random_below(&shop->random, 12)));
}

/* ---- updates ---- */

static bool touch_customer(struct shop *shop, struct error *error)
{
    if (shop->customers.count == 0)
        return new_customer(shop, error);
    const char *id = number(shop, shop->customers.items[keys_pick(shop, &shop->customers)]);
    if (chance(shop, 20))
        return SQL(shop, &shop->updates,
                   "UPDATE customers SET email = NULL, credit = NULL, tags = NULL, vip = NULL"
                   " WHERE id = $1",
                   error, id);
    if (chance(shop, 10)) /* an update that changes nothing */
        return SQL(shop, &shop->updates, "UPDATE customers SET name = name WHERE id = $1", error,
                   id);
    return SQL(shop, &shop->updates,
               "UPDATE customers SET credit = coalesce(credit, 0) + $2::numeric, vip = NOT vip,"
               " status = 'active' WHERE id = $1",
               error, id, decimal(shop, 100, 2));
}

static bool pay_order(struct shop *shop, struct error *error)
{
    if (shop->orders.count == 0)
        return new_order(shop, error);
    int64_t order = shop->orders.items[keys_pick(shop, &shop->orders)];
    TRY(SQL(shop, &shop->updates,
            "UPDATE orders SET state = 'paid', paid_at = $2, note = $3 WHERE id = $1", error,
            number(shop, order), timestamp(shop), chance(shop, 60) ? text(shop, 8) : NULL));
    return insert_payment(shop, order, error);
}

static bool touch_product(struct shop *shop, struct error *error)
{
    return SQL(shop, &shop->updates,
               "UPDATE products SET price = $2, rating = $3, stock = stock + 5,"
               " attributes = attributes || jsonb_build_object('note', $4::text) WHERE sku = $1",
               error, a_sku(shop), decimal(shop, 500, 2),
               chance(shop, 90) ? decimal(shop, 5, 2) : "NaN", text(shop, 2));
}

/* The large columns stay as they are and are not sent. */
static bool edit_article(struct shop *shop, struct error *error)
{
    if (shop->articles.count == 0)
        return new_article(shop, error);
    const char *id = number(shop, shop->articles.items[keys_pick(shop, &shop->articles)]);
    return SQL(shop, &shop->updates,
               "UPDATE articles SET title = $2, revision = revision + 1, edited_at = $3"
               " WHERE id = $1",
               error, id, text(shop, 4), timestamp(shop));
}

static bool rewrite_article(struct shop *shop, struct error *error)
{
    if (shop->articles.count == 0)
        return new_article(shop, error);
    const char *id = number(shop, shop->articles.items[keys_pick(shop, &shop->articles)]);
    if (chance(shop, 25))
        return SQL(shop, &shop->updates,
                   "UPDATE articles SET body = NULL, chapters = NULL WHERE id = $1", error, id);
    return SQL(shop, &shop->updates,
               "UPDATE articles SET body = $2, revision = revision + 1 WHERE id = $1", error, id,
               large_text(shop, 2500 + random_below(&shop->random, 8000)));
}

/* ---- changed keys ---- */

static bool rename_product(struct shop *shop, struct error *error)
{
    if (shop->product_count == 0)
        return touch_customer(shop, error);
    struct sku *sku = &shop->products[random_below(&shop->random, shop->product_count)];
    struct sku fresh;
    snprintf(fresh.text, sizeof fresh.text, "SKU-%012llx",
             (unsigned long long)(random_next(&shop->random) >> 16));
    uint64_t before = shop->updates;
    TRY(SQL(shop, &shop->updates, "UPDATE products SET sku = $2 WHERE sku = $1", error, sku->text,
            fresh.text));
    shop->key_changes += shop->updates - before;
    *sku = fresh;
    return true;
}

/* With large values that are not sent: they must be found under the old key. */
static bool move_article(struct shop *shop, struct error *error)
{
    if (shop->articles.count == 0)
        return new_article(shop, error);
    size_t place = keys_pick(shop, &shop->articles);
    int64_t fresh = shop->articles.next;
    uint64_t before = shop->updates;
    TRY(SQL(shop, &shop->updates, "UPDATE articles SET id = $2 WHERE id = $1", error,
            number(shop, shop->articles.items[place]), number(shop, fresh)));
    shop->key_changes += shop->updates - before;
    keys_drop(&shop->articles, place);
    return keys_add(&shop->articles, fresh, error);
}

static bool renumber_line(struct shop *shop, struct error *error)
{
    if (shop->orders.count == 0)
        return new_order(shop, error);
    const char *order = number(shop, shop->orders.items[keys_pick(shop, &shop->orders)]);
    uint64_t before = shop->updates;
    TRY(SQL(shop, &shop->updates,
            "UPDATE order_lines l SET line_no = m.most + 1 FROM (SELECT min(line_no) AS least,"
            " max(line_no) AS most FROM order_lines WHERE order_id = $1) m"
            " WHERE l.order_id = $1 AND l.line_no = m.least",
            error, order));
    shop->key_changes += shop->updates - before;
    return true;
}

/* Two keys change places by way of a third, in one transaction. */
static bool swap_lines(struct shop *shop, struct error *error)
{
    static const char *const moves[] = {
        "UPDATE order_lines SET line_no = -1 WHERE order_id = $1 AND line_no = 1",
        "UPDATE order_lines SET line_no = 1 WHERE order_id = $1 AND line_no = 2",
        "UPDATE order_lines SET line_no = 2 WHERE order_id = $1 AND line_no = -1"};
    if (shop->orders.count == 0)
        return new_order(shop, error);
    const char *order = number(shop, shop->orders.items[keys_pick(shop, &shop->orders)]);
    uint64_t before = shop->updates;
    for (size_t i = 0; i < 3; i++)
        TRY(SQL(shop, &shop->updates, moves[i], error, order));
    shop->key_changes += shop->updates - before;
    return true;
}

/* ---- deletes ---- */

static bool cancel_order(struct shop *shop, struct error *error)
{
    if (shop->orders.count == 0)
        return new_order(shop, error);
    size_t place = keys_pick(shop, &shop->orders);
    const char *order = number(shop, shop->orders.items[place]);
    TRY(SQL(shop, &shop->deletes, "DELETE FROM payments WHERE order_id = $1", error, order));
    TRY(SQL(shop, &shop->deletes, "DELETE FROM order_lines WHERE order_id = $1", error, order));
    TRY(SQL(shop, &shop->deletes, "DELETE FROM orders WHERE id = $1", error, order));
    keys_drop(&shop->orders, place);
    return true;
}

static bool drop_customer(struct shop *shop, struct error *error)
{
    if (shop->customers.count == 0)
        return new_customer(shop, error);
    size_t place = keys_pick(shop, &shop->customers);
    TRY(SQL(shop, &shop->deletes, "DELETE FROM customers WHERE id = $1", error,
            number(shop, shop->customers.items[place])));
    keys_drop(&shop->customers, place);
    return true;
}

static bool drop_article(struct shop *shop, struct error *error)
{
    if (shop->articles.count == 0)
        return new_article(shop, error);
    size_t place = keys_pick(shop, &shop->articles);
    const char *id = number(shop, shop->articles.items[place]);
    TRY(SQL(shop, &shop->deletes, "DELETE FROM articles WHERE id = $1", error, id));
    if (chance(shop, 40)) /* and back again under the same key */
        return SQL(shop, &shop->inserts,
                   "INSERT INTO articles (id, title, revision) VALUES ($1, $2, 1)", error, id,
                   text(shop, 2));
    keys_drop(&shop->articles, place);
    return true;
}

const struct shop_change shop_changes[] = {
    {"new_order", SHOP_INSERT, 50, true, new_order},
    {"new_customer", SHOP_INSERT, 25, false, new_customer},
    {"new_article", SHOP_INSERT, 5, false, new_article},
    {"new_batch", SHOP_INSERT, 5, false, new_batch},
    {"touch_customer", SHOP_UPDATE, 30, false, touch_customer},
    {"pay_order", SHOP_UPDATE, 30, true, pay_order},
    {"touch_product", SHOP_UPDATE, 20, false, touch_product},
    {"edit_article", SHOP_UPDATE, 12, false, edit_article},
    {"rewrite_article", SHOP_UPDATE, 5, false, rewrite_article},
    {"rename_product", SHOP_UPDATE, 3, false, rename_product},
    {"move_article", SHOP_UPDATE, 2, false, move_article},
    {"renumber_line", SHOP_UPDATE, 3, false, renumber_line},
    {"swap_lines", SHOP_UPDATE, 2, false, swap_lines},
    {"cancel_order", SHOP_DELETE, 60, true, cancel_order},
    {"drop_customer", SHOP_DELETE, 25, false, drop_customer},
    {"drop_article", SHOP_DELETE, 15, false, drop_article},
};
const size_t shop_change_count = sizeof shop_changes / sizeof *shop_changes;
