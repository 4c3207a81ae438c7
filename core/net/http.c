#include "core/net/http.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/net/http_private.h"
#include "core/net/libraries.h"

enum { HEADERS_MOST = 64 << 10, WAIT_STEP_MS = 100 };

struct http_client {
    struct http_options options;
    char *authorities;
    pthread_mutex_t lock;
    CURL **idle; /* each keeps its connection */
    size_t idle_count, idle_capacity;
    long connections;
};

/* One try. */
struct attempt {
    const struct http_client *client;
    const struct http_request *request;
    struct http_answer *answer;
    struct error problem; /* of ours, behind a CURLE_WRITE_ERROR */
    int64_t deadline_ns, moved_ns;
    curl_off_t moved;
    bool stalled, late, stopped;
};

struct http_client *http_client_create(const struct http_options *options, struct error *error)
{
    if (!libcurl_ready(error))
        return NULL;
    struct http_client *client = memory_zero(1, sizeof *client, error);
    if (client == NULL)
        return NULL;
    if (options)
        client->options = *options;
    struct http_options *own = &client->options;
    own->connect_ms = own->connect_ms ? own->connect_ms : HTTP_CONNECT_MS;
    own->stall_ms = own->stall_ms ? own->stall_ms : HTTP_STALL_MS;
    own->tries = own->tries ? own->tries : HTTP_TRIES;
    own->wait_ms = own->wait_ms ? own->wait_ms : HTTP_WAIT_MS;
    if (own->authorities) {
        client->authorities = memory_copy_text(own->authorities, error);
        own->authorities = client->authorities;
        if (client->authorities == NULL) {
            free(client);
            return NULL;
        }
    }
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL)
        return;
    for (size_t i = 0; i < client->idle_count; i++)
        curl_easy_cleanup(client->idle[i]);
    free(client->idle);
    free(client->authorities);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

long http_client_connections(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    long count = client->connections;
    pthread_mutex_unlock(&client->lock);
    return count;
}

/* ---- handles ---- */

static CURL *client_take(struct http_client *client, struct error *error)
{
    CURL *curl = NULL;
    pthread_mutex_lock(&client->lock);
    if (client->idle_count)
        curl = client->idle[--client->idle_count];
    pthread_mutex_unlock(&client->lock);
    if (curl == NULL)
        curl = curl_easy_init();
    if (curl == NULL)
        error_set_memory(error, 0);
    return curl;
}

static void client_give_back(struct http_client *client, CURL *curl)
{
    long made = 0;
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &made);
    pthread_mutex_lock(&client->lock);
    client->connections += made;
    bool kept = memory_grow(&client->idle, &client->idle_capacity, client->idle_count + 1,
                            sizeof *client->idle, NULL);
    if (kept)
        client->idle[client->idle_count++] = curl;
    pthread_mutex_unlock(&client->lock);
    if (!kept)
        curl_easy_cleanup(curl);
}

/* ---- what comes in ---- */

static size_t attempt_header(char *data, size_t size, size_t count, void *context)
{
    struct attempt *attempt = context;
    struct buffer *headers = &attempt->answer->headers;
    size_t length = size * count, end = length;
    while (end && (data[end - 1] == '\r' || data[end - 1] == '\n' || data[end - 1] == ' '))
        end--;
    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* after a 100 Continue: begin anew */
        buffer_clear(headers);
        return length;
    }
    const char *colon = memchr(data, ':', end);
    if (colon == NULL)
        return length;
    size_t from = headers->length;
    if (from + end > HEADERS_MOST) {
        error_set(&attempt->problem, ERROR_INPUT, NULL, "%s: the answer has too many headers",
                  attempt->request->method);
        return 0;
    }
    if (!buffer_append(headers, data, end, &attempt->problem) ||
        !buffer_append_byte(headers, '\n', &attempt->problem))
        return 0;
    for (size_t i = from; i < from + (size_t)(colon - data); i++)
        if (headers->data[i] >= 'A' && headers->data[i] <= 'Z')
            headers->data[i] = (char)(headers->data[i] + ('a' - 'A'));
    return length;
}

static size_t attempt_body(char *data, size_t size, size_t count, void *context)
{
    struct attempt *attempt = context;
    struct http_answer *answer = attempt->answer;
    const struct http_request *request = attempt->request;
    size_t length = size * count;
    bool trouble = answer->status >= 300;
    if (!trouble && request->take)
        return request->take(request->context, data, length, &attempt->problem) ? length : 0;
    size_t most = trouble              ? (size_t)HTTP_TROUBLE_BODY_MOST
                  : request->body_most ? request->body_most
                                       : (size_t)1 << 30;
    size_t room = most - answer->body.length;
    if (length > room && trouble) /* a page of somebody else: its beginning is enough */
        return buffer_append(&answer->body, data, room, &attempt->problem) ? length : 0;
    if (length > room) {
        error_set(&attempt->problem, ERROR_INPUT, "is this the service that was meant?",
                  "%s %.*s: the answer is longer than %zu bytes", request->method,
                  (int)strcspn(request->url, "?"), request->url, most);
        return 0;
    }
    return buffer_append(&answer->body, data, length, &attempt->problem) ? length : 0;
}

/* libcurl tells the status only when asked, and the body's reader must know. */
struct body_context {
    struct attempt *attempt;
    CURL *curl;
};

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct body_context *body = context;
    curl_easy_getinfo(body->curl, CURLINFO_RESPONSE_CODE, &body->attempt->answer->status);
    return attempt_body(data, size, count, body->attempt);
}

/* About once a second, and whenever something moves. */
static int attempt_watch(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up)
{
    struct attempt *attempt = context;
    (void)down_total;
    (void)up_total;
    int64_t now = clock_monotonic_ns();
    if (down + up != attempt->moved) {
        attempt->moved = down + up;
        attempt->moved_ns = now;
    }
    attempt->stopped = attempt->request->stop && atomic_load(attempt->request->stop);
    attempt->late = attempt->deadline_ns && now > attempt->deadline_ns;
    attempt->stalled = now - attempt->moved_ns > attempt->client->options.stall_ms * 1000000;
    return attempt->stopped || attempt->late || attempt->stalled;
}

/* ---- one try ---- */

static bool append_line(struct curl_slist **list, const char *line, struct error *error)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return error_set_memory(error, 0);
    *list = longer;
    return true;
}

/* Lines into libcurl's list. "Expect:" and "Content-Type:" without values keep it from adding its
 * own. */
static bool attempt_headers(const struct buffer *lines, struct curl_slist **list,
                            struct error *error)
{
    TRY(append_line(list, "Expect:", error) && append_line(list, "Content-Type:", error) &&
        append_line(list, "Accept:", error));
    for (size_t from = 0; from < lines->length;) {
        const char *end = memchr(lines->data + from, '\n', lines->length - from);
        size_t length = end ? (size_t)(end - lines->data) - from : lines->length - from;
        char *line = memory_copy_slice(slice_make(lines->data + from, length), error);
        bool ok = line && append_line(list, line, error);
        if (line)
            explicit_bzero(line, length);
        free(line);
        TRY(ok);
        from += length + 1;
    }
    return true;
}

static void attempt_options(CURL *curl, struct attempt *attempt, struct body_context *body,
                            struct curl_slist *headers, char *words)
{
    const struct http_request *request = attempt->request;
    const struct http_options *options = &attempt->client->options;
    bool sends = strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* it was signed as it is */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "surfboard");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
    if (attempt->deadline_ns) {
        int64_t left = (attempt->deadline_ns - clock_monotonic_ns()) / 1000000;
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
    }
    if (options->authorities)
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->authorities);
    if (sends) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.length ? request->body.data : "");
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, attempt_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, attempt_watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, attempt);
}

/* A TLS library writes with write(2): a connection cut by the other side would end the program. */
static CURLcode perform_without_sigpipe(CURL *curl)
{
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    CURLcode code = curl_easy_perform(curl);
    if (!was_pending) {
        const struct timespec now = {0};
        while (sigtimedwait(&pipe_only, NULL, &now) == SIGPIPE)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static bool attempt_failed(struct attempt *attempt, CURLcode code, const char *words,
                           struct error *error)
{
    const struct http_request *request = attempt->request;
    int length = (int)strcspn(request->url, "?");
    if (attempt->problem.kind) {
        if (error)
            *error = attempt->problem;
        return false;
    }
    if (attempt->stopped)
        return error_set(error, ERROR_INTERRUPTED, NULL, "%s %.*s: interrupted", request->method,
                         length, request->url);
    if (attempt->stalled)
        return error_set(error, ERROR_UNREACHABLE, "the service hangs: look at it, then try again",
                         "%s %.*s: nothing came for %lld s", request->method, length, request->url,
                         (long long)attempt->client->options.stall_ms / 1000);
    return http_set_error(request, attempt->late ? CURLE_OPERATION_TIMEDOUT : code, words, error);
}

/* *again: trying again may help. *sent: the server may have seen the request. */
static bool attempt_run(struct http_client *client, struct attempt *attempt,
                        const struct buffer *lines, bool *again, bool *sent, struct error *error)
{
    struct curl_slist *headers = NULL;
    char words[CURL_ERROR_SIZE] = "";
    *again = *sent = false;
    CURL *curl = client_take(client, error);
    TRY(curl != NULL);
    bool ok = attempt_headers(lines, &headers, error);
    if (ok) {
        struct body_context body = {attempt, curl};
        attempt->moved_ns = clock_monotonic_ns();
        attempt_options(curl, attempt, &body, headers, words);
        CURLcode code = perform_without_sigpipe(curl);
        long bytes = 0;
        curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &bytes);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &attempt->answer->status);
        *sent = bytes > 0;
        ok = code == CURLE_OK || attempt_failed(attempt, code, words, error);
        *again = !ok && !attempt->problem.kind && !attempt->stopped && !attempt->late &&
                 (attempt->stalled || http_code_is_passing(code));
    }
    client_give_back(client, curl);
    curl_slist_free_all(headers);
    return ok;
}

/* ---- tries ---- */

bool http_wait(int tries, int64_t wait_ms, int64_t asked_ms, const atomic_bool *stop)
{
    uint8_t chance = 128;
    for (int i = 1; i < tries && wait_ms < HTTP_LONGEST_WAIT_MS; i++)
        wait_ms *= 2;
    random_bytes(&chance, 1, NULL);
    wait_ms = wait_ms / 2 + wait_ms * chance / 255;
    wait_ms = asked_ms > wait_ms ? asked_ms : wait_ms;
    wait_ms = wait_ms < HTTP_LONGEST_WAIT_MS ? wait_ms : HTTP_LONGEST_WAIT_MS;
    while (wait_ms > 0) {
        if (stop && atomic_load(stop))
            return false;
        int64_t step = wait_ms < WAIT_STEP_MS ? wait_ms : WAIT_STEP_MS;
        clock_sleep_ms(step);
        wait_ms -= step;
    }
    return true;
}

static bool status_is_passing(long status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

static int64_t asked_wait(const struct http_answer *answer)
{
    struct slice value = http_header(answer, "retry-after");
    int64_t seconds = 0;
    for (size_t i = 0; i < value.length && i < 6; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return 0; /* a date */
        seconds = seconds * 10 + (value.data[i] - '0');
    }
    return seconds * 1000;
}

static bool may_repeat(const struct http_request *request, bool sent)
{
    return request->repeat == HTTP_REPEAT_ANY || (request->repeat == HTTP_REPEAT_UNSENT && !sent);
}

bool http_send(struct http_client *client, const struct http_request *request,
               struct http_answer *answer, struct error *error)
{
    struct buffer lines = {0};
    int64_t deadline = request->total_ms ? clock_monotonic_ns() + request->total_ms * 1000000 : 0;
    bool ok = false;
    answer->perhaps_done = false;
    for (answer->tries = 1;; answer->tries++) {
        struct attempt attempt = {
            .client = client, .request = request, .answer = answer, .deadline_ns = deadline};
        struct error problem = {0};
        bool again = false, sent = false;
        answer->status = 0;
        buffer_clear(&answer->headers);
        buffer_clear(&answer->body);
        buffer_clear(&lines);
        ok = (request->prepare == NULL || request->prepare(request->context, &lines, error)) &&
             buffer_text(&answer->body, error);
        if (!ok)
            break;
        ok = attempt_run(client, &attempt, &lines, &again, &sent, &problem);
        again = ok ? status_is_passing(answer->status) : again;
        bool last = !again || !may_repeat(request, sent) || answer->tries >= client->options.tries;
        if (!ok || (again && !last))
            answer->perhaps_done |= sent;
        if (!last &&
            http_wait(answer->tries, client->options.wait_ms, ok ? asked_wait(answer) : 0,
                      request->stop) &&
            (deadline == 0 || clock_monotonic_ns() < deadline))
            continue;
        if (!ok && error)
            *error = problem;
        if (!ok && answer->tries > 1 && problem.kind == ERROR_UNREACHABLE && error)
            error_prefix(error, "tried %d times", answer->tries);
        break;
    }
    if (lines.data)
        explicit_bzero(lines.data, lines.capacity);
    buffer_destroy(&lines);
    return ok && buffer_text(&answer->body, error);
}

void http_answer_destroy(struct http_answer *answer)
{
    buffer_destroy(&answer->headers);
    buffer_destroy(&answer->body);
    *answer = (struct http_answer){0};
}

struct slice http_header(const struct http_answer *answer, const char *name)
{
    size_t length = strlen(name);
    const char *at = answer->headers.data;
    const char *end = at ? at + answer->headers.length : at;
    while (at < end) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        if (line == NULL)
            break;
        if ((size_t)(line - at) > length && memcmp(at, name, length) == 0 && at[length] == ':') {
            at += length + 1;
            while (at < line && *at == ' ')
                at++;
            return slice_make(at, (size_t)(line - at));
        }
        at = line + 1;
    }
    return (struct slice){0};
}
