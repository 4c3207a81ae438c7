/* http.h: an HTTP client for services: one request at a time on each thread, connections kept and
 * used again, deadlines, a stop flag, and repeats that know what may be repeated.
 *
 * A client may be used by several threads at once; each call takes a connection of its own. Any
 * HTTP status is an answer: http_send() is false only when there was none. Redirects are not
 * followed. Nothing of a request is logged and no message names more than method, host and path.
 * SIGPIPE never escapes from here.
 */
#ifndef SURFBOARD_NET_HTTP_H
#define SURFBOARD_NET_HTTP_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/base/buffer.h"

enum {
    HTTP_CONNECT_MS = 10000,
    HTTP_STALL_MS = 30000,
    HTTP_TRIES = 5,
    HTTP_WAIT_MS = 100,          /* before the second try; doubles */
    HTTP_LONGEST_WAIT_MS = 5000, /* also what a Retry-After may ask for */
    HTTP_TROUBLE_BODY_MOST = 256 << 10
};

enum http_repeat {
    /* Doing it twice is doing it once: after any lost answer, and 408, 429, 500, 502, 503, 504. */
    HTTP_REPEAT_ANY,
    /* Only what cannot have reached the server: no connection. Else the caller finds out. */
    HTTP_REPEAT_UNSENT,
    HTTP_REPEAT_NEVER
};

struct http_options {
    int64_t connect_ms;      /* 0: HTTP_CONNECT_MS */
    int64_t stall_ms;        /* so long without a byte either way; 0: HTTP_STALL_MS */
    int tries;               /* 0: HTTP_TRIES */
    int64_t wait_ms;         /* 0: HTTP_WAIT_MS */
    const char *authorities; /* PEM file of authorities for TLS; NULL: the system's */
};

struct http_client;

struct http_client *http_client_create(const struct http_options *options, struct error *error);
/* Closes all connections; no call may be running. NULL is fine. */
void http_client_destroy(struct http_client *client);

struct http_request {
    const char *method; /* HEAD's answer has no body */
    const char *url;    /* without a query in messages */
    struct slice body;  /* sent with PUT and POST; borrowed */
    enum http_repeat repeat;
    int64_t total_ms;        /* all tries together; 0: no limit but stalls */
    size_t body_most;        /* a longer answer is ERROR_INPUT; 0: 1 GiB */
    const atomic_bool *stop; /* NULL, or ends the call with ERROR_INTERRUPTED within a second */
    /* Called before each try: clears `headers` and appends "Name: value\n" lines, so that dates and
     * signatures are fresh; may be NULL. */
    bool (*prepare)(void *context, struct buffer *headers, struct error *error);
    /* Takes the body of an answer below 300, instead of answer->body; may be NULL. After a broken
     * answer all begins anew: prepare() is the sign. */
    bool (*take)(void *context, const void *data, size_t length, struct error *error);
    void *context;
};

struct http_answer {
    long status;
    struct buffer headers; /* "name: value\n" lines, names in lower case */
    struct buffer body;    /* NUL behind it, not counted */
    int tries;             /* made */
    /* A try before the last one, or the last one when there was no answer, may have been carried
     * out by the server without our knowing. */
    bool perhaps_done;
};

/* False: ERROR_UNREACHABLE (nobody, silence, a broken connection), ERROR_CONFIG (the URL, TLS),
 * ERROR_INPUT (the answer is too long), ERROR_INTERRUPTED, or what take() and prepare() said.
 * The answer is to be destroyed either way; it may be used again for another call. */
bool http_send(struct http_client *client, const struct http_request *request,
               struct http_answer *answer, struct error *error);
void http_answer_destroy(struct http_answer *answer);
/* The value of a header (name in lower case); an empty slice when absent. */
struct slice http_header(const struct http_answer *answer, const char *name);
/* How many connections the client has opened so far: for tests and figures. */
long http_client_connections(struct http_client *client);
/* Waits before try number `tries` + 1: doubling, with chance in it. False when `stop` was set. */
bool http_wait(int tries, int64_t wait_ms, int64_t asked_ms, const atomic_bool *stop);

#endif
