/* The promises of core/store on S3: whole objects, a key is won once, and whatever a server or a
 * line does, the truth about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/s3_store.h"
#include "core/store/s3_xml.h"
#include "tests/unit/fake_s3.h"
#include "tests/unit/store_race.h"

static int start(void **state)
{
    (void)state;
    fake_s3_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_s3_stop();
    return 0;
}

static int reset(void **state)
{
    (void)state;
    fake_s3_use(NULL, NULL, NULL);
    fake_s3_reset();
    return 0;
}

static struct store *open_store(const char *uri)
{
    struct error error = {0};
    struct store *store = store_open(uri, NULL, &error);
    if (store == NULL)
        fail_msg("%s", error.message);
    return store;
}

/* The lake, with the proof of If-None-Match behind it. */
static struct store *open_lake(void)
{
    struct store *store = open_store("s3://lake/t");
    struct error error = {0};
    if (!store_put_if_absent(store, "proof", SLICE_LITERAL("x"), &error))
        fail_msg("%s", error.message);
    return store;
}

static void assert_object(struct store *store, const char *key, const char *body)
{
    struct buffer bytes = {0};
    struct error error = {0};
    if (!store_read(store, key, &bytes, &error))
        fail_msg("%s", error.message);
    assert_true(slice_is(buffer_slice(&bytes), body));
    buffer_destroy(&bytes);
}

static void assert_good(const struct error *error, bool ok)
{
    if (!ok)
        fail_msg("%s [%s]", error->message, error_kind_name(error->kind));
}

static void assert_says(const struct error *error, enum error_kind kind, const char *word)
{
    if (error->kind != kind || strstr(error->message, word) == NULL || !error->remedy[0])
        fail_msg("not as expected: %s [%s] (%s)", error->message, error_kind_name(error->kind),
                 error->remedy);
    assert_null(strstr(error->message, "fakesecret"));
    assert_null(strstr(error->remedy, "fakesecret"));
}

/* ---- places ---- */

static void uris_of_every_form_name_the_same_place(void **state)
{
    (void)state;
    static const char *const uris[] = {"s3://lake/a/b", "s3a://lake/a/b/", "s3n://lake//a//b"};
    for (size_t i = 0; i < 3; i++) {
        struct store *store = open_store(uris[i]);
        const char *key = NULL;
        assert_string_equal(store_root(store), "s3://lake/a/b");
        assert_string_equal(store_uri(store), "s3://lake/a/b");
        assert_false(store_is_local(store));
        assert_true(store_key(store, "s3://lake/a/b/c/d", &key));
        assert_string_equal(key, "c/d");
        assert_true(store_key(store, "s3a://lake/a/b/c", &key));
        assert_false(store_key(store, "s3://lake/a/b", &key));
        assert_false(store_key(store, "s3://lake/a/bc", &key));
        assert_false(store_key(store, "s3://lakes/a/b/c", &key));
        assert_false(store_key(store, "/lake/a/b/c", &key));
        store_close(store);
    }
    struct store *bucket = open_store("s3://lake");
    assert_string_equal(store_uri(bucket), "s3://lake");
    store_close(bucket);
    static const char *const bad[] = {"s3://", "s3:///a", "s3://x", "s3://lake/../etc", "s3://a b"};
    for (size_t i = 0; i < 5; i++) {
        struct error error = {0};
        assert_null(store_open(bad[i], NULL, &error));
        assert_int_equal(error.kind, ERROR_CONFIG);
    }
}

static void the_environment_says_where_s3_is(void **state)
{
    (void)state;
    struct error error = {0};
    s3_use(NULL, NULL);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_ENDPOINT_URL_S3");
    assert_null(store_open("s3://lake/t", NULL, &error));
    assert_says(&error, ERROR_CONFIG, "access key");
    assert_non_null(strstr(error.remedy, "AWS_ACCESS_KEY_ID"));
    setenv("AWS_ACCESS_KEY_ID", "fakekey", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "fakesecret", 1);
    setenv("AWS_ENDPOINT_URL", fake_s3_url(), 1);
    setenv("AWS_REGION", "eu-west-1", 1);
    struct store *store = open_store("s3://far/x");
    assert_good(&error, store_put(store, "a", SLICE_LITERAL("1"), &error));
    assert_object(store, "a", "1");
    store_close(store);
    setenv("AWS_ENDPOINT_URL", "ftp://user:fakesecret@host", 1);
    assert_null(store_open("s3://lake/t", NULL, &error));
    assert_says(&error, ERROR_CONFIG, "no URL");
    const struct error problem = {.kind = ERROR_CONFIG, .message = "the credential is missing"};
    s3_use_error(&problem);
    assert_null(store_open("s3://lake/t", NULL, &error));
    assert_string_equal(error.message, problem.message);
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_ENDPOINT_URL", "AWS_REGION"};
    for (size_t i = 0; i < 4; i++)
        unsetenv(names[i]);
}

static void the_bucket_may_stand_before_the_host(void **state)
{
    (void)state;
    struct s3_settings settings = {.endpoint = "https://S3.example.com:443/",
                                   .access_key = "a",
                                   .secret = "fakesecret",
                                   .http = {.connect_ms = 1, .tries = 1}};
    assert_true(s3_use(&settings, NULL));
    struct store *store = open_store("s3://lake/t");
    struct error error = {0};
    struct buffer bytes = {0};
    assert_false(store_read(store, "x", &bytes, &error));
    assert_int_equal(error.kind, ERROR_UNREACHABLE);
    assert_non_null(strstr(error.message, "https://lake.S3.example.com/t/x"));
    store_close(store);
}

/* ---- errors ---- */

static void every_trouble_has_its_kind_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *access, *secret, *region, *uri, *fault;
        enum error_kind kind;
        const char *word;
    } cases[] = {
        {NULL, "wrong", NULL, "s3://lake/t", NULL, ERROR_REFUSED, "SignatureDoesNotMatch"},
        {"other", NULL, NULL, "s3://lake/t", NULL, ERROR_REFUSED, "InvalidAccessKeyId"},
        {NULL, NULL, NULL, "s3://nobucket/t", NULL, ERROR_CONFIG, "NoSuchBucket"},
        {NULL, NULL, NULL, "s3://far/t", NULL, ERROR_CONFIG, "eu-west-1"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 9 deny", ERROR_REFUSED, "AccessDenied"},
        {NULL, NULL, NULL, "s3://lake/t",
         "* * 9 error 403 RequestTimeTooSkewed <ServerTime>2020-02-02T02:02:02Z</ServerTime>",
         ERROR_REFUSED, "2020-02-02T02:02:02Z"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 9 error 403 RequestTimeTooSkewed", ERROR_REFUSED,
         "the server's 20"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 9 html", ERROR_CONFIG, "S3"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 9 status 404", ERROR_CONFIG, "not as S3"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 99 status 503", ERROR_UNREACHABLE, "503"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 99 error 503 SlowDown", ERROR_UNREACHABLE,
         "SlowDown"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 99 cut", ERROR_UNREACHABLE, "tried 4 times"},
        {NULL, NULL, NULL, "s3://lake/t", "* * 9 raw 200 <ListBucketResult><Contents>",
         ERROR_CONFIG, "XML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_s3_reset();
        fake_s3_use(cases[i].access, cases[i].secret, cases[i].region);
        if (cases[i].fault)
            fake_s3_fault(cases[i].fault);
        struct store *store = open_store(cases[i].uri);
        struct store_listing listing;
        struct error error = {0};
        assert_false(store_list(store, "a/", &listing, &error));
        assert_says(&error, cases[i].kind, cases[i].word);
        if (cases[i].kind != ERROR_UNREACHABLE && !strstr(cases[i].word, "XML")) {
            struct buffer bytes = {0};
            assert_false(store_read(store, "x", &bytes, &error));
            assert_says(&error, cases[i].kind, cases[i].word);
            buffer_destroy(&bytes);
            assert_false(store_put(store, "x", SLICE_LITERAL("1"), &error));
            assert_says(&error, cases[i].kind, cases[i].word);
        }
        store_close(store);
    }
}

static void nobody_there_and_no_tls_are_told_apart(void **state)
{
    (void)state;
    struct s3_settings settings = {.endpoint = "http://127.0.0.1:1",
                                   .path_style = true,
                                   .access_key = "a",
                                   .secret = "fakesecret",
                                   .http = {.tries = 2, .wait_ms = 1}};
    char tls[64];
    struct error error = {0};
    struct buffer bytes = {0};
    assert_true(s3_use(&settings, NULL));
    struct store *store = open_store("s3://lake/t");
    assert_false(store_read(store, "x", &bytes, &error));
    assert_says(&error, ERROR_UNREACHABLE, "127.0.0.1:1");
    error_clear(&error);
    /* Nothing was sent, so nothing is unknown. */
    assert_false(store_put_if_absent(store, "x", SLICE_LITERAL("1"), &error));
    assert_says(&error, ERROR_UNREACHABLE, "127.0.0.1:1");
    store_close(store);
    snprintf(tls, sizeof tls, "https%s", fake_s3_url() + 4);
    settings.endpoint = tls;
    assert_true(s3_use(&settings, NULL));
    store = open_store("s3://lake/t");
    assert_false(store_read(store, "x", &bytes, &error));
    assert_says(&error, ERROR_UNREACHABLE, "https://");
    assert_non_null(strstr(error.remedy, "http://"));
    store_close(store);
}

static void a_denied_head_says_what_the_body_would(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    bool exists = true;
    assert_good(&error, store_exists(store, "none", &exists, &error));
    assert_false(exists);
    fake_s3_fault("* /none 9 error 403 RequestTimeTooSkewed");
    assert_false(store_exists(store, "none", &exists, &error));
    assert_says(&error, ERROR_REFUSED, "RequestTimeTooSkewed");
    store_close(store);
}

/* ---- trouble that passes ---- */

static void what_may_be_repeated_is_repeated(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    assert_good(&error, store_put(store, "x", SLICE_LITERAL("0123456789"), &error));
    static const char *const faults[] = {
        "GET x 2 cut",        "GET x 1 half",    "GET x 2 error 503 SlowDown",
        "GET x 1 status 500", "GET x 1 stall 3", "GET x 1 error 400 RequestTimeout",
        "GET x 1 lost"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fake_s3_fault(faults[i]);
        assert_object(store, "x", "0123456789");
    }
    fake_s3_fault("PUT y 1 error 400 XAmzContentSHA256Mismatch\nPUT y 1 lost\nPUT y 1 status 503");
    assert_good(&error, store_put(store, "y", SLICE_LITERAL("new"), &error));
    assert_object(store, "y", "new");
    fake_s3_fault("DELETE y 2 lost");
    assert_good(&error, store_delete(store, "y", &error));
    assert_good(&error, store_delete(store, "y", &error));
    store_close(store);
}

static void one_connection_serves_many_requests(void **state)
{
    (void)state;
    struct store *store = open_lake();
    for (int i = 0; i < 20; i++) {
        struct store *other = open_store("s3://lake/t");
        assert_object(other, "proof", "x");
        store_close(other);
    }
    struct http_client *client = ((struct s3_store *)store)->connection->client;
    assert_int_equal(http_client_connections(client), 1);
    store_close(store);
}

static void a_stop_ends_a_call_that_hangs(void **state)
{
    (void)state;
    struct http_client *client = http_client_create(NULL, NULL);
    static atomic_bool stopped = true;
    char url[96];
    snprintf(url, sizeof url, "%s/lake/x", fake_s3_url());
    struct http_request request = {.method = "GET", .url = url, .stop = &stopped};
    struct http_answer answer = {0};
    struct error error = {0};
    fake_s3_fault("* * 9 stall 5");
    int64_t began = clock_monotonic_ns();
    assert_false(http_send(client, &request, &answer, &error));
    assert_int_equal(error.kind, ERROR_INTERRUPTED);
    request.stop = NULL;
    request.total_ms = 300;
    assert_false(http_send(client, &request, &answer, &error));
    assert_int_equal(error.kind, ERROR_UNREACHABLE);
    assert_true(clock_monotonic_ns() - began < INT64_C(4000000000));
    http_answer_destroy(&answer);
    http_client_destroy(client);
}

/* ---- put if absent ---- */

static void put_if_absent_is_won_once(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    assert_good(&error, store_put_if_absent(store, "a/v1", SLICE_LITERAL("first"), &error));
    /* The same bytes are another's all the same. */
    assert_false(store_put_if_absent(store, "a/v1", SLICE_LITERAL("first"), &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    assert_good(&error, store_put(store, "a/v1", SLICE_LITERAL("third"), &error));
    assert_object(store, "a/v1", "third");
    store_close(store);
}

static void a_lost_answer_to_a_put_is_settled(void **state)
{
    (void)state;
    struct store *store = open_lake();
    static const char *const faults[] = {
        "PUT %s 1 lost",       /* done, and nobody said so */
        "PUT %s 1 cut",        /* not done */
        "PUT %s 1 status 500", /* who knows */
        "PUT %s 1 late 0.02",  /* done after the connection was gone */
        "PUT %s 3 cut",        /* not done, three times */
        "PUT %s 1 error 409 ConditionalRequestConflict",
        "PUT %s 1 lost\nPUT %s 1 lost",
        "PUT %s 1 lost\nHEAD %s 1 status 503", /* settling meets trouble, too */
        "PUT %s 1 stall 3",
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char key[16], fault[96];
        struct error error = {0};
        snprintf(key, sizeof key, "settle%zu", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(fault, sizeof fault, faults[i], key, key);
#pragma GCC diagnostic pop
        fake_s3_fault(fault);
        assert_good(&error, store_put_if_absent(store, key, SLICE_LITERAL("ours"), &error));
        assert_object(store, key, "ours");
        assert_false(store_put_if_absent(store, key, SLICE_LITERAL("ours"), &error));
        assert_int_equal(error.kind, ERROR_EXISTS);
        /* A lost answer to a lost race is a lost race. */
        snprintf(fault, sizeof fault, "PUT %s 1 lost", key);
        fake_s3_fault(fault);
        assert_false(store_put_if_absent(store, key, SLICE_LITERAL("ours"), &error));
        assert_int_equal(error.kind, ERROR_EXISTS);
    }
    store_close(store);
}

static void what_can_not_be_settled_is_unknown(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    fake_s3_fault("PUT u1 1 lost\n* u1 99 cut");
    assert_false(store_put_if_absent(store, "u1", SLICE_LITERAL("x"), &error));
    assert_says(&error, ERROR_UNKNOWN, "u1");
    /* Never there, but each try may still be under way. */
    fake_s3_reset();
    fake_s3_fault("PUT u2 99 cut");
    assert_false(store_put_if_absent(store, "u2", SLICE_LITERAL("x"), &error));
    assert_says(&error, ERROR_UNKNOWN, "u2");
    /* Answered each time: plainly not done. */
    fake_s3_fault("PUT u3 99 error 503 SlowDown");
    assert_false(store_put_if_absent(store, "u3", SLICE_LITERAL("x"), &error));
    assert_says(&error, ERROR_UNREACHABLE, "SlowDown");
    fake_s3_fault("PUT u4 1 deny");
    assert_false(store_put_if_absent(store, "u4", SLICE_LITERAL("x"), &error));
    assert_says(&error, ERROR_REFUSED, "AccessDenied");
    store_close(store);
}

static void a_server_deaf_to_conditions_is_refused(void **state)
{
    (void)state;
    struct store *store = open_store("s3://lake/t");
    struct error error = {0};
    fake_s3_fault("PUT * 2 deaf");
    assert_false(store_put_if_absent(store, "d", SLICE_LITERAL("x"), &error));
    assert_says(&error, ERROR_UNSUPPORTED, "If-None-Match");
    store_close(store);
}

static void of_many_racing_writers_one_wins(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    /* Some answers are lost, some requests are never carried out. */
    fake_s3_fault("PUT m/v1 2 lost\nPUT m/v3 3 lost\nPUT m/v4 2 cut\nPUT m/v7 1 status 500");
    int won = store_race(store, &error);
    assert_good(&error, won >= 0);
    assert_int_equal(won, 20);
    store_close(store);
}

/* ---- large objects ---- */

static char *make_bytes(size_t length)
{
    char *bytes = malloc(length);
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    return bytes;
}

static struct store_writer *write_all(struct store *store, const char *key, const char *bytes,
                                      size_t length)
{
    struct error error = {0};
    struct store_writer *writer = store_writer_open(store, key, &error);
    assert_non_null(writer);
    for (size_t at = 0; at < length; at += 1000003) {
        size_t left = length - at;
        assert_good(&error, sink_write(store_writer_sink(writer), bytes + at,
                                       left < 1000003 ? left : 1000003, &error));
    }
    return writer;
}

enum { LARGE = 21000000 };

static void large_objects_go_in_parts_and_come_in_ranges(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    char *bytes = make_bytes(LARGE);
    fake_s3_fault("PUT partNumber=2 1 cut\nPUT partNumber=1 1 lost\nPOST uploadId 1 lost");
    struct store_writer *writer = write_all(store, "big", bytes, LARGE);
    bool exists = true;
    assert_good(&error, store_exists(store, "big", &exists, &error));
    assert_false(exists);
    assert_good(&error, store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    assert_true(fake_s3_count("partNumber=3") > 0);

    struct buffer whole = {0};
    fake_s3_fault("GET big 1 half\nGET big 1 status 503");
    assert_good(&error, store_read(store, "big", &whole, &error));
    assert_int_equal(whole.length, LARGE);
    assert_memory_equal(whole.data, bytes, LARGE);
    buffer_destroy(&whole);

    struct source source;
    assert_good(&error, store_source_open(store, "big", &source, &error));
    assert_int_equal(source.size, LARGE);
    assert_null(source.map(source.context));
    static const struct {
        uint64_t at;
        size_t length;
    } cases[] = {{0, 4},
                 {LARGE - 8, 8},
                 {1048575, 2},
                 {5000000, 1500000},
                 {100, 20000000},
                 {LARGE, 0},
                 {0, LARGE},
                 {LARGE - 2000000, 2000000},
                 {3145728, 1048575}};
    static char out[LARGE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_good(&error, source_read(&source, cases[i].at, out, cases[i].length, &error));
        assert_memory_equal(out, bytes + cases[i].at, cases[i].length);
    }
    assert_false(source_read(&source, LARGE - 1, out, 2, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    /* Another object under the same key is never mixed in. */
    assert_good(&error, store_put(store, "big", slice_make(bytes + 1, LARGE - 1), &error));
    assert_false(source_read(&source, 9000000, out, 100, &error));
    assert_says(&error, ERROR_INPUT, "big");
    store_source_close(&source);
    free(bytes);
    store_close(store);
}

static void an_upload_loses_to_who_was_first_and_leaves_nothing(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    char *bytes = make_bytes(LARGE);
    assert_good(&error, store_put(store, "taken", SLICE_LITERAL("theirs"), &error));
    struct store_writer *writer = write_all(store, "taken", bytes, LARGE);
    assert_false(store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    /* Somebody comes between the look and the completion. */
    writer = write_all(store, "between", bytes, LARGE);
    fake_s3_fault("HEAD between 1 error 404 NoSuchKey");
    assert_good(&error, store_put(store, "between", SLICE_LITERAL("theirs"), &error));
    assert_false(store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    assert_object(store, "between", "theirs");
    /* An answer that begins well and ends in an error. */
    writer = write_all(store, "late", bytes, LARGE);
    fake_s3_fault("POST uploadId 1 raw 200 <Error><Code>InternalError</Code></Error>");
    assert_good(&error, store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    store_writer_abort(write_all(store, "aborted", bytes, LARGE));
    fake_s3_age();
    size_t removed = 99;
    assert_good(&error, store_sweep(store, "", &removed, &error));
    assert_int_equal(removed, 0);
    /* What a killed writer left is swept when it is old. */
    writer = write_all(store, "dead", bytes, LARGE);
    assert_good(&error, store_sweep(store, "", &removed, &error));
    assert_int_equal(removed, 0);
    fake_s3_age();
    assert_good(&error, store_sweep(store, "", &removed, &error));
    assert_int_equal(removed, 1);
    assert_false(store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    assert_true(error.kind == ERROR_CONFLICT);
    free(bytes);
    store_close(store);
}

static void small_sources_are_one_request(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    struct source source;
    assert_good(&error, store_put(store, "none", SLICE_LITERAL(""), &error));
    assert_good(&error, store_put(store, "ten", SLICE_LITERAL("0123456789"), &error));
    assert_good(&error, store_source_open(store, "ten", &source, &error));
    store_close(store); /* a source outlives its store */
    assert_int_equal(source.size, 10);
    assert_memory_equal(source.map(source.context), "0123456789", 10);
    char part[4];
    assert_good(&error, source_read(&source, 3, part, 4, &error));
    assert_memory_equal(part, "3456", 4);
    assert_int_equal(fake_s3_count("GET /lake/t/ten"), 1);
    store_source_close(&source);
    store = open_store("s3://lake/t");
    assert_good(&error, store_source_open(store, "none", &source, &error));
    assert_int_equal(source.size, 0);
    store_source_close(&source);
    assert_object(store, "none", "");
    assert_false(store_source_open(store, "absent", &source, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    store_close(store);
}

/* ---- listings ---- */

static void listings_come_in_pages_and_whole(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    static const char *const keys[] = {"t-1/x", "t/0/1",      "t/0/1.gz",      "t/0.x",  "t/00/2",
                                       "t0",    "\xC3\xA9/e", "a b+c=d&e/<f>", "q\"'%41"};
    enum { KEYS = sizeof keys / sizeof *keys };
    for (size_t i = 0; i < KEYS; i++) {
        assert_good(&error, store_put(store, keys[i], slice_of(keys[i]), &error));
        assert_object(store, keys[i], keys[i]);
    }
    for (int page = 0; page < 4; page++) {
        struct store_listing listing;
        const struct s3_list list = {.prefix = "", .page = page};
        assert_good(&error, s3_list_objects((struct s3_store *)store, &list, &listing, &error));
        assert_int_equal(listing.count, KEYS + 1);
        for (size_t i = 1; i < listing.count; i++)
            assert_true(strcmp(listing.entries[i - 1].key, listing.entries[i].key) < 0);
        assert_true(listing.entries[0].size > 0);
        assert_true(listing.entries[0].modified_ms > INT64_C(1600000000000));
        store_listing_destroy(&listing);
    }
    static const struct {
        const char *prefix;
        size_t count;
    } cases[] = {{"t/", 4}, {"t/0", 4}, {"t/0/", 2}, {"t", 6}, {"none/at/all", 0}, {"t/0/1.", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store_listing listing;
        assert_good(&error, store_list(store, cases[i].prefix, &listing, &error));
        assert_int_equal(listing.count, cases[i].count);
        store_listing_destroy(&listing);
    }
    struct store_listing listing;
    const struct s3_list after = {.prefix = "t/", .after = "t/0/1", .page = 1};
    assert_good(&error, s3_list_objects((struct s3_store *)store, &after, &listing, &error));
    assert_int_equal(listing.count, 2);
    assert_string_equal(listing.entries[0].key, "t/0/1.gz");
    store_listing_destroy(&listing);
    const struct s3_list folders = {.prefix = "t/", .delimiter = "/", .page = 1};
    assert_good(&error, s3_list_objects((struct s3_store *)store, &folders, &listing, &error));
    assert_int_equal(listing.count, 3); /* t/0.x, t/0/, t/00/ */
    assert_string_equal(listing.entries[1].key, "t/0/");
    store_listing_destroy(&listing);
    bool there = false;
    assert_good(&error, store_has_folder(store, "t/0", &there, &error));
    assert_true(there);
    assert_good(&error, store_has_folder(store, "t/0.", &there, &error));
    assert_false(there);
    fake_s3_fault("GET list-type 1 half\nGET list-type 1 lost");
    assert_good(&error, store_list(store, "", &listing, &error));
    assert_int_equal(listing.count, KEYS + 1);
    store_listing_destroy(&listing);
    store_close(store);
}

static void a_missing_root_is_not_an_empty_store(void **state)
{
    (void)state;
    struct store *store = open_store("s3://lake/nowhere");
    struct store_listing listing;
    struct error error = {0};
    assert_false(store_list(store, "", &listing, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    struct buffer bytes = {0};
    assert_false(store_read(store, "x", &bytes, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    bool exists = true;
    assert_true(store_exists(store, "x", &exists, NULL));
    assert_false(exists);
    assert_true(store_delete(store, "x", NULL));
    buffer_destroy(&bytes);
    store_close(store);
}

static void a_listing_that_goes_round_in_circles_ends(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct store_listing listing;
    struct error error = {0};
    fake_s3_fault("GET * 9 raw 200 <ListBucketResult><IsTruncated>true</IsTruncated>"
                  "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>");
    assert_false(store_list(store, "", &listing, &error));
    assert_says(&error, ERROR_UNREACHABLE, "goes on");
    store_close(store);
}

static void many_are_removed_at_once(void **state)
{
    (void)state;
    struct store *store = open_lake();
    struct error error = {0};
    static const char *const keys[] = {"a<&>\"'", "b", "none", "c/d"};
    assert_good(&error, store_put(store, keys[0], SLICE_LITERAL("1"), &error));
    assert_good(&error, store_put(store, keys[3], SLICE_LITERAL("1"), &error));
    fake_s3_fault("POST delete 1 cut");
    assert_good(&error, store_delete_many(store, keys, 4, &error));
    struct store_listing listing;
    assert_good(&error, store_list(store, "", &listing, &error));
    assert_int_equal(listing.count, 1);
    store_listing_destroy(&listing);
    static const char *const stuck[] = {"undeletable"};
    assert_false(store_delete_many(store, stuck, 1, &error));
    assert_says(&error, ERROR_REFUSED, "undeletable");
    static char names[2100][8];
    const char *many[2100];
    for (size_t i = 0; i < 2100; i++) {
        snprintf(names[i], sizeof names[i], "k%zu", i);
        many[i] = names[i];
    }
    assert_good(&error, store_delete_many(store, many, 2100, &error));
    assert_int_equal(fake_s3_count("200 POST /lake?delete="), 5);
    static const char *const bad[] = {"", "/x", "../x", "a//b", "a/.", "a/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(store_put(store, bad[i], SLICE_LITERAL("x"), &error));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    store_close(store);
}

static void a_bucket_is_made_and_removed_when_empty(void **state)
{
    (void)state;
    struct store *store = open_store("s3://fresh/t");
    struct error error = {0};
    bool is = true;
    assert_good(&error, store_root_exists(store, &is, &error));
    assert_false(is);
    fake_s3_fault("PUT fresh 1 lost\nDELETE fresh 1 lost");
    assert_good(&error, store_root_make(store, &error));
    assert_good(&error, store_root_make(store, &error));
    assert_good(&error, store_root_exists(store, &is, &error));
    assert_true(is);
    assert_good(&error, store_put(store, "x", SLICE_LITERAL("1"), &error));
    fake_s3_reset();
    assert_good(&error, store_root_make(store, &error));
    assert_good(&error, store_put(store, "x", SLICE_LITERAL("1"), &error));
    assert_good(&error, store_root_remove(store, &is, &error));
    assert_false(is);
    assert_good(&error, store_delete(store, "x", &error));
    assert_good(&error, store_root_remove(store, &is, &error));
    assert_true(is);
    store_close(store);
}

/* ---- XML ---- */

static bool count_element(void *context, const char *path, struct slice text, struct error *error)
{
    (void)error;
    struct buffer *out = context;
    return buffer_append_format(out, NULL, "%s=%.*s;", path, SLICE_ARG(text));
}

static void xml_is_read_and_hostile_xml_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct error error = {0};
    static const char good[] =
        "\xEF\xBB\xBF<?xml version=\"1.0\"?><!-- c --><s:R xmlns:s='x>y' a=\"1\">\n <K>a&amp;&lt;"
        "&#233;&#x1F600;</K><E/><D><![CDATA[<x>]]></D></s:R>\n";
    assert_good(&error, s3_xml_walk(slice_of(good), "R", count_element, &out, &error));
    assert_true(slice_is(buffer_slice(&out), "K=a&<\xC3\xA9\xF0\x9F\x98\x80;E=;D=<x>;=\n;") ||
                slice_is(buffer_slice(&out), "K=a&<\xC3\xA9\xF0\x9F\x98\x80;E=;D=<x>;=;"));
    static const char *const bad[] = {"",
                                      "x",
                                      "<R>",
                                      "<R></Q>",
                                      "</R>",
                                      "<R/><R/>",
                                      "<R>&none;</R>",
                                      "<R>&#0;</R>",
                                      "<R>&#xD800;</R>",
                                      "<R>&#99999999999999999999;</R>",
                                      "<R>&",
                                      "<R a='",
                                      "<R><![CDATA[",
                                      "<!DOCTYPE R [<!ENTITY a \"b\">]><R>&a;</R>",
                                      "<R><",
                                      "<>",
                                      "<R><a<b></R>",
                                      "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
                                      "<Q/>"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_clear(&error);
        assert_false(s3_xml_walk(slice_of(bad[i]),
                                 bad[i][0] == '<' && bad[i][1] == 'a' ? NULL : "R", count_element,
                                 &out, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    buffer_destroy(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(uris_of_every_form_name_the_same_place, reset),
        cmocka_unit_test_setup(the_environment_says_where_s3_is, reset),
        cmocka_unit_test_setup(the_bucket_may_stand_before_the_host, reset),
        cmocka_unit_test_setup(every_trouble_has_its_kind_and_remedy, reset),
        cmocka_unit_test_setup(nobody_there_and_no_tls_are_told_apart, reset),
        cmocka_unit_test_setup(a_denied_head_says_what_the_body_would, reset),
        cmocka_unit_test_setup(what_may_be_repeated_is_repeated, reset),
        cmocka_unit_test_setup(one_connection_serves_many_requests, reset),
        cmocka_unit_test_setup(a_stop_ends_a_call_that_hangs, reset),
        cmocka_unit_test_setup(put_if_absent_is_won_once, reset),
        cmocka_unit_test_setup(a_lost_answer_to_a_put_is_settled, reset),
        cmocka_unit_test_setup(what_can_not_be_settled_is_unknown, reset),
        cmocka_unit_test_setup(a_server_deaf_to_conditions_is_refused, reset),
        cmocka_unit_test_setup(of_many_racing_writers_one_wins, reset),
        cmocka_unit_test_setup(large_objects_go_in_parts_and_come_in_ranges, reset),
        cmocka_unit_test_setup(an_upload_loses_to_who_was_first_and_leaves_nothing, reset),
        cmocka_unit_test_setup(small_sources_are_one_request, reset),
        cmocka_unit_test_setup(listings_come_in_pages_and_whole, reset),
        cmocka_unit_test_setup(a_missing_root_is_not_an_empty_store, reset),
        cmocka_unit_test_setup(a_listing_that_goes_round_in_circles_ends, reset),
        cmocka_unit_test_setup(many_are_removed_at_once, reset),
        cmocka_unit_test_setup(a_bucket_is_made_and_removed_when_empty, reset),
        cmocka_unit_test_setup(xml_is_read_and_hostile_xml_refused, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
