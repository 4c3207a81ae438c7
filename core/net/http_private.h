/* http_private.h: what the files of the HTTP client share. Not for others. */
#ifndef SURFBOARD_NET_HTTP_PRIVATE_H
#define SURFBOARD_NET_HTTP_PRIVATE_H

#pragma GCC visibility push(hidden)
#include <curl/curl.h>
#pragma GCC visibility pop

#include "core/net/http.h"

/* Fills *error from what libcurl says; false. `detail`: its own words, or "". */
bool http_set_error(const struct http_request *request, CURLcode code, const char *detail,
                    struct error *error);
/* Whether trying again may help. */
bool http_code_is_passing(CURLcode code);

#endif
