#include "plugins/postgres/shop.h"

#include <stdio.h>
#include <string.h>

#include "plugins/postgres/session.h"

const char *const shop_tables[] = {"customers", "products", "orders", "order_lines",
                                   "payments",  "articles", NULL};

static const char shop_ddl[] =
    "CREATE TYPE customer_status AS ENUM ('new', 'active', 'blocked', 'très fidèle');"
    "CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped', 'returned');"
    "CREATE TABLE customers ("
    " id bigint PRIMARY KEY, name text NOT NULL, email varchar(120),"
    " status customer_status NOT NULL DEFAULT 'new', credit numeric(12,2) DEFAULT 0.00,"
    " vip boolean DEFAULT false, country char(2), born date, last_ip inet, tags text[],"
    " created_at timestamptz NOT NULL DEFAULT now());"
    "CREATE TABLE products ("
    " sku varchar(24) PRIMARY KEY, name text NOT NULL, price numeric(10,2) NOT NULL,"
    " cost numeric, weight real, rating double precision, stock int NOT NULL DEFAULT 0,"
    " pack smallint, attributes jsonb, photo bytea, sold_from time, released date);"
    "CREATE TABLE orders ("
    " id bigint PRIMARY KEY, customer_id bigint NOT NULL, state order_state NOT NULL,"
    " total numeric(12,2) NOT NULL, placed_at timestamp NOT NULL, paid_at timestamptz,"
    " deliver_within interval, priority smallint, gift boolean, note text);"
    "ALTER TABLE orders REPLICA IDENTITY FULL;"
    "CREATE TABLE order_lines ("
    " order_id bigint, line_no int, sku varchar(24) NOT NULL, quantity int NOT NULL,"
    " price numeric(10,2), discount double precision, options text[],"
    " PRIMARY KEY (order_id, line_no));"
    "CREATE TABLE payments ("
    " id uuid PRIMARY KEY, order_id bigint NOT NULL, amount numeric(14,4) NOT NULL,"
    " method varchar(20) NOT NULL, reply json, booked_at timestamptz NOT NULL, value_date date);"
    "CREATE TABLE articles ("
    " id int PRIMARY KEY, title text NOT NULL, revision int NOT NULL DEFAULT 1, body text,"
    " meta jsonb, attachment bytea, chapters text[], word_counts int[], author uuid,"
    " edited_at timestamp);"
    "ALTER TABLE articles ALTER body SET STORAGE EXTERNAL, ALTER meta SET STORAGE EXTERNAL,"
    " ALTER attachment SET STORAGE EXTERNAL, ALTER chapters SET STORAGE EXTERNAL,"
    " ALTER word_counts SET STORAGE EXTERNAL;"
    "CREATE TABLE " SHOP_MARKER " (note text NOT NULL, created_at timestamptz NOT NULL);"
    "INSERT INTO " SHOP_MARKER " VALUES ('a generator may write into this database', now());";

/* %1$lld customers, %2$lld orders, %3$lld products, %4$lld articles. */
static const char shop_rows[] =
    "INSERT INTO customers SELECT g, 'Customer ' || g,"
    " CASE WHEN g %% 9 <> 0 THEN 'c' || g || '@example.org' END,"
    " (ARRAY['new','active','blocked','très fidèle'])[1 + g %% 4]::customer_status,"
    " CASE WHEN g %% 11 <> 0 THEN round(g * 1.37, 2) END,"
    " CASE WHEN g %% 7 <> 0 THEN g %% 3 = 0 END, (ARRAY['DE','FR','GB','SE','ES'])[1 + g %% 5],"
    " CASE WHEN g %% 5 <> 0 THEN date '1950-01-01' + (g * 37 %% 20000)::int END,"
    " ('10.' || g / 65536 %% 256 || '.' || g / 256 %% 256 || '.' || g %% 256)::inet,"
    " CASE WHEN g %% 6 <> 0 THEN ARRAY['t' || g %% 13, 'é \"quoted\", ' || g %% 17] END,"
    " timestamptz '2024-01-01 00:00:00+00' + g * interval '1 hour 1.000001 second'"
    " FROM generate_series(1, %1$lld) g;"
    "INSERT INTO products SELECT 'SKU-' || lpad(g::text, 6, '0'), 'Product ' || g,"
    " round(1 + g * 0.73, 2), CASE WHEN g %% 4 <> 0 THEN g / 7.0 END, g * 0.25,"
    " CASE WHEN g %% 10 <> 0 THEN (g %% 50) / 10.0 END, g %% 500, (g %% 12)::smallint,"
    " jsonb_build_object('colour', (ARRAY['red','grün','blue'])[1 + g %% 3], 'size', g %% 50),"
    " decode(md5(g::text), 'hex'), time '08:00' + (g %% 600) * interval '1 minute',"
    " date '2020-01-01' + (g %% 1500)::int FROM generate_series(1, %3$lld) g;"
    "INSERT INTO orders SELECT g, 1 + g %% %1$lld,"
    " (ARRAY['open','paid','shipped','returned'])[1 + g %% 4]::order_state, round(g * 3.10, 2),"
    " timestamp '2024-02-01' + g * interval '17 minutes 0.123456 seconds',"
    " CASE WHEN g %% 4 <> 0 THEN timestamptz '2024-02-02 00:00+00' + g * interval '1 hour' END,"
    " (g %% 14) * interval '1 day 02:30:00.5', (g %% 5)::smallint,"
    " CASE WHEN g %% 3 <> 0 THEN g %% 2 = 0 END,"
    " CASE WHEN g %% 4 <> 0 THEN 'note ' || g || E' \\t\"line\"\\n' END"
    " FROM generate_series(1, %2$lld) g;"
    "INSERT INTO order_lines SELECT o, l,"
    " 'SKU-' || lpad((1 + (o * 7 + l * 13) %% %3$lld)::text, 6, '0'), 1 + (o + l) %% 9,"
    " CASE WHEN l <> 3 THEN round((o + l) / 3.0, 2) END,"
    " CASE WHEN o %% 4 = 0 THEN 0.05 * l END, CASE WHEN o %% 5 = 0 THEN ARRAY['gift wrap'] END"
    " FROM generate_series(1, %2$lld) o, generate_series(1, 3) l WHERE l <= 1 + o %% 3;"
    "INSERT INTO payments SELECT md5('payment' || g)::uuid, g, g * 3.1001,"
    " (ARRAY['card','transfer','cash'])[1 + g %% 3],"
    " ('{\"code\": ' || g || ', \"text\":  \"ok\"}')::json,"
    " timestamptz '2024-02-02 00:00+00' + g * interval '1 hour',"
    " CASE WHEN g %% 6 <> 0 THEN date '2024-02-02' + (g %% 300)::int END"
    " FROM generate_series(1, %2$lld) g WHERE g %% 4 <> 0;"
    "INSERT INTO articles SELECT g, 'Article ' || g, 1, repeat(md5(g::text), 100 + g::int %% 50),"
    " jsonb_build_object('k', repeat(md5('j' || g), 90), 'n', g),"
    " CASE WHEN g %% 3 <> 0 THEN decode(repeat(md5('b' || g), 160), 'hex') END,"
    " ARRAY[repeat('chapter ' || g || ' ', 300), 'end'],"
    " (SELECT array_agg(g * 1000 + i) FROM generate_series(1, 700) i),"
    " md5('author' || g %% 20)::uuid, timestamp '2024-03-01' + g * interval '1 minute'"
    " FROM generate_series(1, %4$lld) g;";

bool shop_is_marked(struct pg *pg, bool *marked, struct error *error)
{
    return session_flag(pg, "SELECT to_regclass('public." SHOP_MARKER "') IS NOT NULL", NULL, 0,
                        marked, error);
}

bool shop_create(struct pg *pg, int64_t rows, struct error *error)
{
    bool marked;
    TRY(shop_is_marked(pg, &marked, error));
    if (marked)
        return true;
    char sql[sizeof shop_rows + 512];
    long long customers = rows > 0 ? rows : 1;
    long long articles = customers / 10 + 3;
    snprintf(sql, sizeof sql, shop_rows, customers, customers * 2, customers / 2 + 10,
             articles > 2000 ? 2000 : articles);
    TRY(pg_begin(pg, error));
    if (pg_exec(pg, shop_ddl, error) && pg_exec(pg, sql, error) && pg_commit(pg, error))
        return pg_exec(pg, "ANALYZE", error);
    pg_rollback(pg);
    return error_prefix(error, "creating the demo shop");
}
