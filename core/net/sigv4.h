/* sigv4.h: AWS Signature Version 4, the header form, as S3 and its look-alikes want it.
 *
 * The path and the query are signed exactly as they go over the wire, so one function makes both:
 * uri_append_path(), uri_append_query(). All headers that are given are signed. The secret is used
 * here and kept nowhere: what comes out is the value of the Authorization header.
 */
#ifndef SURFBOARD_NET_SIGV4_H
#define SURFBOARD_NET_SIGV4_H

#include <stdint.h>

#include "core/base/buffer.h"

struct sigv4_pair {
    const char *name, *value;
};

struct sigv4_request {
    const char *method;
    const char *path;  /* as on the wire, "/" at least */
    const char *query; /* as on the wire and sorted (uri_append_query()), without "?"; "" none */
    /* host and x-amz-date among them; any case and order; values may have blanks around them. */
    const struct sigv4_pair *headers;
    size_t header_count;
    const char *payload_hash; /* hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
};

struct sigv4_key {
    const char *access_key, *secret, *region, *service;
};

enum { SIGV4_TIME_SIZE = 17 };

/* "20150830T123600Z" of a time in microseconds: the value of x-amz-date. */
void sigv4_time(int64_t time_us, char out[SIGV4_TIME_SIZE]);
/* Appends the value of the Authorization header. `time` as sigv4_time() makes it. */
bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, const char *time,
                struct buffer *out, struct error *error);

/* Appends text with everything but A-Z a-z 0-9 - . _ ~ as %XX. */
bool uri_append_encoded(struct buffer *out, struct slice text, struct error *error);
/* The same, with '/' left as it is. */
bool uri_append_path(struct buffer *out, struct slice path, struct error *error);
/* Appends "a=1&b=" of the parameters, encoded and sorted as signing wants them. NULL values count
 * as empty ones. At most 16. */
bool uri_append_query(struct buffer *out, const struct sigv4_pair *parameters, size_t count,
                      struct error *error);

#endif
