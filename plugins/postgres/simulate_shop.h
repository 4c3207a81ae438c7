/* simulate_shop.h: what the generator knows of the shop's rows, and the changes that it makes.
 * Private to simulate*.c. */
#ifndef SURFBOARD_POSTGRES_SIMULATE_SHOP_H
#define SURFBOARD_POSTGRES_SIMULATE_SHOP_H

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/net/pg.h"
#include "plugins/postgres/simulate.h"

enum { SKU_SIZE = 25 };

struct sku {
    char text[SKU_SIZE];
};

/* Keys of the rows that are there; `next` is free. */
struct keys {
    int64_t *items;
    size_t count, capacity;
    int64_t next;
};

struct shop {
    struct pg *pg;
    struct random random;
    struct keys customers, orders, articles;
    struct sku *products;
    size_t product_count, product_capacity;
    struct arena arena; /* texts of one transaction */
    /* Rows changed by the running transaction. */
    uint64_t inserts, updates, deletes, key_changes;
};

enum shop_group { SHOP_INSERT, SHOP_UPDATE, SHOP_DELETE, SHOP_GROUPS };

struct shop_change {
    const char *name;
    enum shop_group group;
    int weight; /* inside its group */
    bool multi_table;
    /* Sends the statements of one transaction, without BEGIN and COMMIT, and keeps its key lists
     * up to date. */
    bool (*run)(struct shop *shop, struct error *error);
};

extern const struct shop_change shop_changes[];
extern const size_t shop_change_count;

/* Reads the keys that are there. */
bool shop_load(struct shop *shop, struct error *error);
void shop_destroy(struct shop *shop);

#endif
