#include "core/net/probe.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/net/libraries.h"

enum { PROBE_BODY_MOST = 64 << 10 };

const struct probe_service probe_services[] = {
    {"connect", "/", 200, "kafka_cluster_id", 8083},
    {"minio", "/minio/health/live", 200, "", 9200},
    {"trino", "/v1/info", 200, "nodeVersion", 12080},
    {"airflow", "/health", 200, "metadatabase", 8080},
    {"airflow", "/api/v2/monitor/health", 200, "metadatabase", 8080},
    {"spark", "/json/", 200, "aliveworkers", 11080},
    {"gitlab", "/users/sign_in", 200, "GitLab", 80},
    {"portainer", "/api/system/status", 200, "InstanceID", 9000},
    {0},
};

static size_t probe_take(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    size_t length = size * count;
    size_t room = PROBE_BODY_MOST - body->length;
    if (!buffer_append(body, data, length < room ? length : room, NULL))
        return 0;
    return length;
}

static void probe_set_options(CURL *curl, const char *url, struct buffer *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, probe_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)PROBE_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)PROBE_TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "surfboard");
}

bool probe_http(const char *url, const char *path, struct probe_answer *out, struct error *error)
{
    *out = (struct probe_answer){0};
    TRY(libcurl_ready(error));
    struct buffer full = {0};
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    CURL *curl = curl_easy_init();
    bool ok = curl != NULL || error_set_memory(error, 0);
    ok = ok && buffer_append(&full, url, length, error) && buffer_append_text(&full, path, error) &&
         buffer_text(&full, error);
    if (ok) {
        int64_t start = clock_monotonic_ns();
        probe_set_options(curl, full.data, &out->body);
        CURLcode code = curl_easy_perform(curl);
        out->latency_ms = (clock_monotonic_ns() - start) / 1000000;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
        if (code != CURLE_OK)
            ok = error_set(error, ERROR_UNREACHABLE,
                           "is the service running, and are host and port right?", "GET %s: %s",
                           full.data, curl_easy_strerror(code));
        else
            ok = buffer_text(&out->body, error) != NULL;
    }
    if (curl)
        curl_easy_cleanup(curl);
    buffer_destroy(&full);
    if (!ok)
        probe_answer_destroy(out);
    return ok;
}

void probe_answer_destroy(struct probe_answer *answer)
{
    buffer_destroy(&answer->body);
    *answer = (struct probe_answer){0};
}

/* Connects without blocking; true when the connection stands before the deadline. */
static bool probe_connect(const struct addrinfo *address, int64_t timeout_ms, int *reason)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *reason = errno;
        return false;
    }
    int status = connect(fd, address->ai_addr, address->ai_addrlen);
    *reason = status == 0 ? 0 : errno;
    if (status != 0 && errno == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof *reason;
        if (poll(&wait, 1, (int)timeout_ms) <= 0)
            *reason = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, reason, &size) != 0)
            *reason = errno;
    }
    close(fd);
    return *reason == 0;
}

bool probe_tcp(const char *host, int port, int64_t timeout_ms, struct error *error)
{
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0)
        return error_set(error, ERROR_UNREACHABLE, "check the name, or give an address", "%s: %s",
                         host, gai_strerror(code));
    int reason = ECONNREFUSED;
    bool ok = false;
    for (struct addrinfo *at = list; at && !ok; at = at->ai_next)
        ok = probe_connect(at, timeout_ms, &reason);
    freeaddrinfo(list);
    return ok || error_set_system(error, reason, "%s:%d", host, port);
}

bool probe_is_service(const char *url, const struct probe_service *service, bool *found,
                      struct probe_answer *answer, struct error *error)
{
    *found = false;
    TRY(probe_http(url, service->path, answer, error));
    *found = answer->status == service->status &&
             (service->word[0] == '\0' || strstr(answer->body.data, service->word) != NULL);
    return true;
}
