/* s3.h: where s3:// is. One end point and one pair of keys for the whole program, as for every
 * client of S3: given by s3_use() from a profile, else by the environment:
 *
 *   AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL   https://s3.<region>.amazonaws.com when absent
 *   AWS_REGION, AWS_DEFAULT_REGION          us-east-1 when absent
 *   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   AWS_CA_BUNDLE                           PEM file of authorities for TLS
 *
 * With an end point given the bucket stands in the path, else in front of the host's name.
 *
 * Errors of S3, beside those of store.h:
 *   no bucket, another region, no keys, not S3 at all, TLS that does not trust   ERROR_CONFIG
 *   wrong key or secret, a denied action, a clock that is off                    ERROR_REFUSED
 *   nobody answers, asked too often, trouble inside                              ERROR_UNREACHABLE
 *   a server that ignores If-None-Match: put-if-absent would not be one          ERROR_UNSUPPORTED
 * Messages name method, place and S3's own code; they never hold a secret.
 */
#ifndef SURFBOARD_STORE_S3_H
#define SURFBOARD_STORE_S3_H

#include "core/net/http.h"

struct s3_settings {
    const char *endpoint; /* "http://127.0.0.1:9000"; NULL: AWS */
    const char *region;   /* NULL: us-east-1 */
    bool path_style;
    const char *access_key, *secret, *session_token; /* the last may be NULL */
    const char *authorities;                         /* PEM file; NULL: the system's */
    struct http_options http;                        /* zeros: the usual deadlines */
};

/* From now on s3:// is there, for stores that are opened; copied. NULL: by the environment again.
 * Stores that are open go on as they are. */
bool s3_use(const struct s3_settings *settings, struct error *error);
/* The same for settings that could not be read (a credential that is missing): the error is what
 * opening a store says. */
void s3_use_error(const struct error *problem);

/* "s3://", "s3a://", "s3n://" */
bool s3_is_uri(const char *uri);

#endif
