/* Which S3 is meant: by s3_use() or by the environment; and the connection that all stores share.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/store/s3_store.h"

/* What s3_use() said; `now` is the connection of the last store, kept for the next one. */
static struct {
    pthread_mutex_t lock;
    struct s3_connection *given;
    struct error problem;
    struct s3_connection *now;
} place = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void s3_connection_release(struct s3_connection *connection)
{
    if (connection == NULL || atomic_fetch_sub(&connection->holders, 1) > 1)
        return;
    http_client_destroy(connection->client);
    free(connection->scheme);
    free(connection->host);
    free(connection->base);
    free(connection->region);
    free(connection->authorities);
    wipe(connection->access_key);
    wipe(connection->secret);
    wipe(connection->session_token);
    free(connection);
}

static bool bad_endpoint(struct error *error)
{
    return error_set(error, ERROR_CONFIG,
                     "give http://host:port or https://host (lake.s3.endpoint in the profile, "
                     "AWS_ENDPOINT_URL without one)",
                     "the end point of S3 is no URL of http or https");
}

/* "https://h:443/base/" into its parts; the default port goes, since nobody sends it. */
static bool connection_endpoint(struct s3_connection *connection, const char *url,
                                struct error *error)
{
    bool tls = strncasecmp(url, "https://", 8) == 0;
    if (!tls && strncasecmp(url, "http://", 7) != 0)
        return bad_endpoint(error);
    const char *host = url + (tls ? 8 : 7);
    struct slice name = slice_make(host, strcspn(host, "/"));
    struct slice base = slice_of(host + name.length);
    while (base.length && base.data[base.length - 1] == '/')
        base.length--;
    const struct slice standard = tls ? SLICE_LITERAL(":443") : SLICE_LITERAL(":80");
    if (slice_ends_with(name, standard))
        name.length -= standard.length;
    /* A user in the URL would be a secret in messages. */
    if (name.length == 0 || name.data[0] == ':' || strcspn(host, "@?# \t\r\n") < strlen(host))
        return bad_endpoint(error);
    connection->scheme = memory_copy_text(tls ? "https" : "http", error);
    connection->host = memory_copy_slice(name, error);
    connection->base = memory_copy_slice(base, error);
    return connection->scheme && connection->host && connection->base;
}

static bool copy_optional(char **out, const char *text, struct error *error)
{
    return text == NULL || *text == '\0' || (*out = memory_copy_text(text, error)) != NULL;
}

/* A header's value: one line of visible characters. */
static bool is_plain(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool connection_keys(struct s3_connection *connection, const struct s3_settings *settings,
                            struct error *error)
{
    static const char where[] = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
                                "environment, or lake.s3.credential in a profile";
    if (settings->access_key == NULL || *settings->access_key == '\0')
        return error_set(error, ERROR_CONFIG, where, "S3: there is no access key");
    if (settings->secret == NULL || *settings->secret == '\0')
        return error_set(error, ERROR_CONFIG, where, "S3: there is no secret to the access key");
    if (!is_plain(settings->access_key) || !is_plain(settings->secret) ||
        !is_plain(settings->session_token) || !is_plain(settings->region))
        return error_set(error, ERROR_CONFIG, where,
                         "S3: a key, a secret or the region has a blank or a line end in it");
    const char *region = settings->region && *settings->region ? settings->region : "us-east-1";
    return (connection->access_key = memory_copy_text(settings->access_key, error)) != NULL &&
           (connection->secret = memory_copy_text(settings->secret, error)) != NULL &&
           (connection->region = memory_copy_text(region, error)) != NULL &&
           copy_optional(&connection->session_token, settings->session_token, error) &&
           copy_optional(&connection->authorities, settings->authorities, error);
}

static struct s3_connection *connection_make(const struct s3_settings *settings,
                                             struct error *error)
{
    struct s3_connection *connection = memory_zero(1, sizeof *connection, error);
    if (connection == NULL)
        return NULL;
    atomic_init(&connection->holders, 1);
    connection->path_style = settings->path_style;
    connection->options = settings->http;
    bool ok = connection_keys(connection, settings, error);
    char *standard =
        ok ? memory_format(error, "https://s3.%s.amazonaws.com", connection->region) : NULL;
    const char *endpoint =
        settings->endpoint && *settings->endpoint ? settings->endpoint : standard;
    if (!standard || !connection_endpoint(connection, endpoint, error)) {
        s3_connection_release(connection);
        connection = NULL;
    }
    free(standard);
    return connection;
}

static bool connection_start(struct s3_connection *connection, struct error *error)
{
    struct http_options *options = &connection->options;
    options->authorities = connection->authorities;
    options->tries = options->tries ? options->tries : HTTP_TRIES;
    options->wait_ms = options->wait_ms ? options->wait_ms : HTTP_WAIT_MS;
    connection->client = http_client_create(options, error);
    return connection->client != NULL;
}

static const char *environment(const char *first, const char *second)
{
    const char *value = getenv(first);
    return value && *value ? value : second ? environment(second, NULL) : NULL;
}

static struct s3_connection *connection_of_environment(struct error *error)
{
    const char *endpoint = environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
    const struct s3_settings settings = {
        .endpoint = endpoint,
        .region = environment("AWS_REGION", "AWS_DEFAULT_REGION"),
        .path_style = endpoint != NULL,
        .access_key = environment("AWS_ACCESS_KEY_ID", NULL),
        .secret = environment("AWS_SECRET_ACCESS_KEY", NULL),
        .session_token = environment("AWS_SESSION_TOKEN", NULL),
        .authorities = environment("AWS_CA_BUNDLE", NULL),
    };
    return connection_make(&settings, error);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_place(const struct s3_connection *a, const struct s3_connection *b)
{
    return same_text(a->scheme, b->scheme) && same_text(a->host, b->host) &&
           same_text(a->base, b->base) && same_text(a->region, b->region) &&
           same_text(a->access_key, b->access_key) && same_text(a->secret, b->secret) &&
           same_text(a->session_token, b->session_token) &&
           same_text(a->authorities, b->authorities) && a->path_style == b->path_style;
}

/* Under the lock. */
static struct s3_connection *connection_now(struct error *error)
{
    struct s3_connection *found = NULL;
    if (place.problem.kind) {
        if (error)
            *error = place.problem;
        return NULL;
    }
    if (place.given) {
        found = place.given;
        atomic_fetch_add(&found->holders, 1);
    } else if ((found = connection_of_environment(error)) == NULL) {
        return NULL;
    }
    if (place.now && place.now != found && same_place(place.now, found)) {
        s3_connection_release(found);
        found = place.now;
        atomic_fetch_add(&found->holders, 1);
    } else if (place.now != found) {
        if (found->client == NULL && !connection_start(found, error)) {
            s3_connection_release(found);
            return NULL;
        }
        s3_connection_release(place.now);
        place.now = found;
        atomic_fetch_add(&found->holders, 1);
    }
    return found;
}

struct s3_connection *s3_connection_take(struct error *error)
{
    pthread_mutex_lock(&place.lock);
    struct s3_connection *found = connection_now(error);
    pthread_mutex_unlock(&place.lock);
    return found;
}

bool s3_use(const struct s3_settings *settings, struct error *error)
{
    struct s3_connection *made = settings ? connection_make(settings, error) : NULL;
    if (settings && made == NULL)
        return false;
    pthread_mutex_lock(&place.lock);
    s3_connection_release(place.given);
    s3_connection_release(place.now);
    place.given = made;
    place.now = NULL;
    place.problem = (struct error){0};
    pthread_mutex_unlock(&place.lock);
    return true;
}

void s3_use_error(const struct error *problem)
{
    s3_use(NULL, NULL);
    pthread_mutex_lock(&place.lock);
    place.problem = *problem;
    pthread_mutex_unlock(&place.lock);
}
