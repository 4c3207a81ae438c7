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
    X(const char *, curl_easy_strerror, (CURLcode code), (code), "libcurl is not there")

/* X(name, parameters, arguments): those that give nothing */
#define LIBCURL_PROCEDURES(X) \
    X(curl_easy_cleanup, (CURL *c), (c))
/* clang-format on */

#define POINTER_F(type, name, parameters, arguments, otherwise) __typeof__(name) *name;
#define POINTER_P(name, parameters, arguments) __typeof__(name) *name;
static struct {
    LIBCURL_FUNCTIONS(POINTER_F)
    LIBCURL_PROCEDURES(POINTER_P)
    __typeof__(curl_easy_setopt) *curl_easy_setopt;
    __typeof__(curl_easy_getinfo) *curl_easy_getinfo;
} libcurl;

#define SYMBOL_F(type, name, parameters, arguments, otherwise) {#name, &libcurl.name},
#define SYMBOL_P(name, parameters, arguments) {#name, &libcurl.name},
static const struct library_symbol libcurl_symbols[] = {
    LIBCURL_FUNCTIONS(SYMBOL_F)
        LIBCURL_PROCEDURES(SYMBOL_P){"curl_easy_setopt", &libcurl.curl_easy_setopt},
    {"curl_easy_getinfo", &libcurl.curl_easy_getinfo}};

/* The build against GnuTLS has the same interface and is what some systems have instead. */
static struct library library =
    LIBRARY("libcurl", "libcurl4", libcurl_symbols, "libcurl.so.4", "libcurl-gnutls.so.4");

bool libcurl_ready(struct error *error)
{
    return library_ready(&library, error);
}

#define PASS_F(type, name, parameters, arguments, otherwise)                                       \
    type name parameters                                                                           \
    {                                                                                              \
        return library_is_ready(&library) ? libcurl.name arguments : (otherwise);                  \
    }
LIBCURL_FUNCTIONS(PASS_F)

#define PASS_P(name, parameters, arguments)                                                        \
    void name parameters                                                                           \
    {                                                                                              \
        if (library_is_ready(&library))                                                            \
            libcurl.name arguments;                                                                \
    }
LIBCURL_PROCEDURES(PASS_P)

/* The one argument behind an option: its number says of which type it is (CURLOPTTYPE_). */
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    if (!library_is_ready(&library))
        return CURLE_FAILED_INIT;
    va_list list;
    va_start(list, option);
    CURLcode code;
    if (option < CURLOPTTYPE_OBJECTPOINT)
        code = libcurl.curl_easy_setopt(curl, option, va_arg(list, long));
    else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
        code = libcurl.curl_easy_setopt(curl, option, va_arg(list, curl_off_t));
    else
        code = libcurl.curl_easy_setopt(curl, option, va_arg(list, void *));
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
    CURLcode code = libcurl.curl_easy_getinfo(curl, info, va_arg(list, void *));
    va_end(list);
    return code;
}
