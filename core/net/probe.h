/* probe.h: one HTTP GET with a deadline, to see whether a service is there and which one it is. Not
 * a client: answers are cut at 64 KiB, redirects are not followed, nothing secret is sent. */
#ifndef SURFBOARD_NET_PROBE_H
#define SURFBOARD_NET_PROBE_H

#include <stdint.h>

#include "core/base/buffer.h"

struct probe_answer {
    long status; /* HTTP status; 0: nobody answered */
    int64_t latency_ms;
    struct buffer body; /* NUL-terminated */
};

enum { PROBE_CONNECT_MS = 2000, PROBE_TOTAL_MS = 5000 };

/* Appends `path` ("/v1/info") to `url`. False with ERROR_UNREACHABLE when nobody answers in time;
 * any HTTP status is an answer. */
bool probe_http(const char *url, const char *path, struct probe_answer *out, struct error *error);
void probe_answer_destroy(struct probe_answer *answer);
/* Whether something accepts connections there. */
bool probe_tcp(const char *host, int port, int64_t timeout_ms, struct error *error);

/* What the services of a pipeline are known by: a path to ask, and a word in the answer that no
 * other service gives. */
struct probe_service {
    const char *name; /* "trino" */
    const char *path;
    long status;      /* the answer's status */
    const char *word; /* in its body */
    int port;         /* where it usually listens */
};
extern const struct probe_service probe_services[]; /* ended by a NULL name */

/* Whether the service of that name answers at this URL. *found is false when somebody else does. */
bool probe_is_service(const char *url, const struct probe_service *service, bool *found,
                      struct probe_answer *answer, struct error *error);

#endif
