/* The functions of libcurl that we call, passed on to the library once it is loaded. Hidden:
 * libcurl's own calls must find libcurl's own functions. */
#pragma GCC visibility push(hidden)
#include <curl/curl.h>
#pragma GCC visibility pop

#include "core/base/library.h"
#include "core/net/libraries.h"

/* curl.h has these two also as macros that check their arguments' types: for callers. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* clang-format off */
/* X(type, name, parameters, arguments, what it gives without the library) */
#define LIBCURL_FUNCTIONS(X) \
    X(CURL *, curl_easy_init, (void), (), NULL) \
    X(CURLcode, curl_easy_perform, (CURL *c), (c), CURLE_FAILED_INIT) \
    X(const char *, curl_easy_strerror, (CURLcode code), (code), "libcurl is not there") \
    X(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT) \
    X(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text), \
      (list, text), NULL)

/* X(name, parameters, arguments): those that give nothing */
#define LIBCURL_PROCEDURES(X) \
    X(curl_easy_cleanup, (CURL *c), (c)) \
    X(curl_easy_reset, (CURL *c), (c)) \
    X(curl_slist_free_all, (struct curl_slist * list), (list))
/* clang-format on */

static struct {
    LIBCURL_FUNCTIONS(LIBRARY_POINTER)
    LIBCURL_PROCEDURES(LIBRARY_VOID_POINTER)
    __typeof__(&curl_easy_setopt) curl_easy_setopt;
    __typeof__(&curl_easy_getinfo) curl_easy_getinfo;
} calls;

/* clang-format off */
static const struct library_symbol symbols[] = {
    LIBCURL_FUNCTIONS(LIBRARY_SYMBOL)
    LIBCURL_PROCEDURES(LIBRARY_VOID_SYMBOL)
    {"curl_easy_setopt", &calls.curl_easy_setopt},
    {"curl_easy_getinfo", &calls.curl_easy_getinfo},
};
/* clang-format on */

/* The build against GnuTLS has the same interface and is what some systems have instead. */
static struct library library =
    LIBRARY("libcurl", "libcurl4", symbols, "libcurl.so.4", "libcurl-gnutls.so.4");

/* From one thread, before any other call: older libraries want it so. */
static void start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool libcurl_ready(struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    TRY(library_ready(&library, error));
    pthread_once(&once, start);
    return true;
}

LIBCURL_FUNCTIONS(LIBRARY_PASS)
LIBCURL_PROCEDURES(LIBRARY_VOID_PASS)

/* The one argument behind an option: its number says of which type it is (CURLOPTTYPE_). */
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    if (!library_is_ready(&library))
        return CURLE_FAILED_INIT;
    va_list list;
    va_start(list, option);
    CURLcode code;
    if (option < CURLOPTTYPE_OBJECTPOINT)
        code = calls.curl_easy_setopt(curl, option, va_arg(list, long));
    else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
        code = calls.curl_easy_setopt(curl, option, va_arg(list, curl_off_t));
    else
        code = calls.curl_easy_setopt(curl, option, va_arg(list, void *));
    va_end(list);
    return code;
}

/* What is asked for goes where the argument points, whatever its type. */
CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
    if (!library_is_ready(&library))
        return CURLE_FAILED_INIT;
    va_list list;
    va_start(list, info);
    CURLcode code = calls.curl_easy_getinfo(curl, info, va_arg(list, void *));
    va_end(list);
    return code;
}
