/* shop model | shop create DSN CUSTOMERS: the demo's model, and its shop with the marker that lets
 * the generator write, for tests that want the embedded pipeline without the demo around it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/postgres/session.h"
#include "plugins/postgres/shop.h"
#include "tui/demo/demo.h"

int main(int count, char **arguments)
{
    struct error error = {0};
    if (count == 2 && strcmp(arguments[1], "model") == 0)
        return puts(demo_model) < 0;
    if (count != 4 || strcmp(arguments[1], "create") != 0) {
        fprintf(stderr, "usage: shop model | shop create DSN CUSTOMERS\n");
        return 2;
    }
    struct pg *pg = session_open(&(struct pg_options){.dsn = arguments[2]}, &error);
    bool ok = pg && shop_create(pg, atoll(arguments[3]), &error);
    if (!ok)
        fprintf(stderr, "shop: %s\n", error.message);
    pg_close(pg);
    return !ok;
}
