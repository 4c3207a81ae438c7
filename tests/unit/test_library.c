/* The promises of libraries that load when first used: a lean start, a clear word when one is not
 * there, and calls that arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/library.h"
#include "core/net/libraries.h"

static bool is_mapped(const char *name)
{
    struct buffer maps = {0};
    struct error error = {0};
    assert_true(file_read("/proc/self/maps", &maps, &error));
    assert_non_null(buffer_text(&maps, &error));
    bool found = strstr(maps.data, name) != NULL;
    buffer_destroy(&maps);
    return found;
}

/* Runs first: nothing of theirs was called yet. */
static void nothing_is_loaded_before_its_use(void **state)
{
    (void)state;
    static const char *const late[] = {"libpq.so", "libcurl",   "libsnappy",
                                       "libssl",   "libcrypto", "libldap"};
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_false(is_mapped(late[i]));
}

static void *answer;
static const struct library_symbol absent_symbols[] = {{"no_such_function", &answer}};

static void a_missing_library_says_what_to_install(void **state)
{
    (void)state;
    static struct library library =
        LIBRARY("libnone", "libnone5", absent_symbols, "libnone.so.5", "libnone.so.4");
    for (int i = 0; i < 2; i++) {
        struct error error = {0};
        assert_false(library_ready(&library, &error));
        assert_int_equal(error.kind, ERROR_IO);
        assert_non_null(strstr(error.message, "libnone.so.5"));
        assert_non_null(strstr(error.remedy, "libnone5"));
    }
    assert_false(library_ready(&library, NULL));
}

static void a_library_without_our_functions_is_too_old(void **state)
{
    (void)state;
    static struct library library =
        LIBRARY("libz", "zlib1g", absent_symbols, "libnone.so.5", "libz.so.1");
    struct error error = {0};
    assert_false(library_ready(&library, &error));
    assert_non_null(strstr(error.message, "no_such_function"));
    assert_null(answer);
}

static void *load_pq(void *context)
{
    (void)context;
    return libpq_ready(NULL) ? &answer : NULL;
}

static void any_thread_may_be_the_first(void **state)
{
    (void)state;
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_pq, NULL), 0);
    for (size_t i = 0; i < 8; i++) {
        void *got = NULL;
        assert_int_equal(pthread_join(threads[i], &got), 0);
        assert_ptr_equal(got, &answer);
    }
    assert_true(is_mapped("libpq.so"));
}

/* Functions that give, take a list, give nothing. */
static void calls_to_libpq_arrive(void **state)
{
    (void)state;
    char *complaint = NULL;
    PQconninfoOption *options = PQconninfoParse("host=pier dbname=surf", &complaint);
    assert_non_null(options);
    const char *host = NULL;
    for (PQconninfoOption *at = options; at->keyword; at++)
        if (strcmp(at->keyword, "host") == 0)
            host = at->val;
    assert_string_equal(host, "pier");
    PQconninfoFree(options);
    assert_null(PQconninfoParse("host", &complaint));
    assert_non_null(complaint);
    PQfreemem(complaint);
    assert_int_equal(PQstatus(NULL), CONNECTION_BAD);
    PQclear(NULL);
}

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* Options of each type of argument: libcurl refuses what arrives maimed. */
static void calls_to_libcurl_arrive(void **state)
{
    (void)state;
    assert_true(libcurl_ready(NULL));
    CURL *curl = curl_easy_init();
    assert_non_null(curl);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_URL, "http://127.0.0.1:1/"), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 500L), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_PORT, 70000L), CURLE_BAD_FUNCTION_ARGUMENT);
    curl_off_t large = INT64_C(1) << 40;
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, large), CURLE_OK);
    assert_int_equal(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop), CURLE_OK);
    assert_int_not_equal(curl_easy_perform(curl), CURLE_OK);
    char *url = NULL;
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url), CURLE_OK);
    assert_string_equal(url, "http://127.0.0.1:1/");
    long status = -1;
    assert_int_equal(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), CURLE_OK);
    assert_int_equal(status, 0);
    assert_non_null(curl_easy_strerror(CURLE_COULDNT_CONNECT));
    curl_easy_cleanup(curl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_loaded_before_its_use),
        cmocka_unit_test(a_missing_library_says_what_to_install),
        cmocka_unit_test(a_library_without_our_functions_is_too_old),
        cmocka_unit_test(any_thread_may_be_the_first),
        cmocka_unit_test(calls_to_libpq_arrive),
        cmocka_unit_test(calls_to_libcurl_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
