#include "plugins/postgres/cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/net/pg.h"
#include "core/net/libraries.h"

enum { CLUSTER_START_MS = 30000, CLUSTER_STOP_MS = 30000, CLUSTER_POLL_MS = 20 };

/* Settings beyond initdb's; %d is the port. */
static const char cluster_settings[] = "\n# Written by surfboard for its private cluster.\n"
                                       "listen_addresses = '127.0.0.1'\n"
                                       "port = %d\n"
                                       "unix_socket_directories = ''\n"
                                       "wal_level = logical\n"
                                       "max_wal_senders = 16\n"
                                       "max_replication_slots = 16\n"
                                       "max_slot_wal_keep_size = '2GB'\n"
                                       "max_wal_size = '512MB'\n"
                                       "shared_buffers = '64MB'\n"
                                       "bytea_output = hex\n"
                                       "log_min_messages = warning\n"
                                       "log_line_prefix = '%%m [%%p] %%d '\n"
                                       "logging_collector = off\n";

static void cluster_path(const struct cluster *cluster, const char *name,
                         char out[CLUSTER_TEXT_SIZE + 32])
{
    snprintf(out, CLUSTER_TEXT_SIZE + 32, "%s/%s", cluster->folder, name);
}

/* A port nobody listens on now; `wished` if that is one, 0 for any. */
static bool cluster_free_port(int wished, int *port, struct error *error)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_system(error, errno, "socket");
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)wished),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool ok = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (!ok && wished != 0) {
        address.sin_port = 0;
        ok = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    }
    socklen_t length = sizeof address;
    ok = ok && getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    if (!ok)
        error_set_system(error, errno, "finding a free port on 127.0.0.1");
    *port = ntohs(address.sin_port);
    close(fd);
    return ok;
}

static bool cluster_write_record(const struct cluster *cluster, struct error *error)
{
    char path[CLUSTER_TEXT_SIZE + 32];
    cluster_path(cluster, "cluster.json", path);
    json_t *record =
        json_pack("{s:i, s:s, s:i, s:s, s:s}", "format", 1, "data", cluster->data, "port",
                  cluster->port, "user", CLUSTER_USER, "programs", cluster->programs);
    char *text = record ? json_text(record, JSON_INDENT(1), error) : NULL;
    bool ok =
        text ? file_write_atomic(path, slice_of(text), 0644, error) : error_set_memory(error, 256);
    free(text);
    json_decref(record);
    return ok;
}

/* False without an error when there is no cluster yet. */
static bool cluster_read_record(struct cluster *cluster, bool *found, struct error *error)
{
    char path[CLUSTER_TEXT_SIZE + 32];
    cluster_path(cluster, "cluster.json", path);
    *found = false;
    if (!file_exists(path))
        return true;
    json_error_t why;
    json_t *record = json_load_file(path, 0, &why);
    int format = 0;
    const char *data = NULL;
    if (record == NULL || json_unpack(record, "{s:i, s:s, s:i}", "format", &format, "data", &data,
                                      "port", &cluster->port) != 0) {
        json_decref(record);
        return error_set(error, ERROR_CONFIG, "remove the folder and start again",
                         "%s is not a record of a cluster", path);
    }
    if (format != 1) {
        json_decref(record);
        return error_set(error, ERROR_CONFIG, "use the newer surfboard that wrote it",
                         "%s has format %d, this program reads 1", path, format);
    }
    snprintf(cluster->data, sizeof cluster->data, "%s", data);
    json_decref(record);
    *found = true;
    return true;
}

/* A password of 128 random bits: once for initdb (--pwfile), once for libpq (passfile). */
static bool cluster_write_password(const struct cluster *cluster, const char *pwfile,
                                   struct error *error)
{
    uint8_t secret[16];
    char hex[33];
    char line[128];
    char path[CLUSTER_TEXT_SIZE + 32];
    TRY(random_bytes(secret, sizeof secret, error));
    for (size_t i = 0; i < sizeof secret; i++)
        snprintf(hex + 2 * i, 3, "%02x", secret[i]);
    snprintf(line, sizeof line, "127.0.0.1:*:*:" CLUSTER_USER ":%s\n", hex);
    cluster_path(cluster, "pgpass", path);
    TRY(file_write_atomic(path, slice_of(line), 0600, error));
    TRY(file_write_atomic(pwfile, slice_of(hex), 0600, error));
    if (cluster->user.change && chown(pwfile, cluster->user.uid, cluster->user.gid) != 0)
        return error_set_system(error, errno, "chown %s", pwfile);
    return true;
}

static bool cluster_append_settings(const struct cluster *cluster, struct error *error)
{
    char path[CLUSTER_TEXT_SIZE + 32];
    char text[sizeof cluster_settings + 32];
    snprintf(path, sizeof path, "%s/postgresql.conf", cluster->data);
    int length = snprintf(text, sizeof text, cluster_settings, cluster->port);
    FILE *file = fopen(path, "ae");
    bool ok = file && fwrite(text, 1, (size_t)length, file) == (size_t)length;
    ok = file && fclose(file) == 0 && ok;
    return ok || error_set_system(error, errno, "writing %s", path);
}

/* initdb in a fresh data folder. */
static bool cluster_make(struct cluster *cluster, struct error *error)
{
    char initdb[PROGRAMS_PATH_SIZE + 16];
    char log[CLUSTER_TEXT_SIZE + 32];
    char pwfile[CLUSTER_TEXT_SIZE + 32];
    char pwoption[CLUSTER_TEXT_SIZE + 64];
    TRY(file_remove_tree(cluster->data, error));
    TRY(file_make_folders(cluster->data, 0755, error));
    if (chmod(cluster->data, 0700) != 0 ||
        (cluster->user.change && chown(cluster->data, cluster->user.uid, cluster->user.gid) != 0))
        return error_set_system(error, errno, "preparing %s", cluster->data);
    snprintf(pwfile, sizeof pwfile, "%s.pw", cluster->data);
    snprintf(pwoption, sizeof pwoption, "--pwfile=%s", pwfile);
    snprintf(initdb, sizeof initdb, "%s/initdb", cluster->programs);
    cluster_path(cluster, "server.log", log);
    TRY(cluster_write_password(cluster, pwfile, error));
    char *arguments[] = {
        initdb, "-D",         cluster->data,          "-U",     CLUSTER_USER,        "-E",
        "UTF8", "--locale=C", "--auth=scram-sha-256", pwoption, "--no-instructions", NULL};
    bool ok = program_run(&cluster->user, arguments, "/", log, error);
    unlink(pwfile);
    TRY(ok);
    TRY(cluster_free_port(0, &cluster->port, error));
    TRY(cluster_append_settings(cluster, error));
    return cluster_write_record(cluster, error); /* last: without it the cluster is half-made */
}

/* Where the data folder goes: inside, or aside when the server's user can't come in. */
static void cluster_choose_data(struct cluster *cluster)
{
    snprintf(cluster->data, sizeof cluster->data, "%.*s/data", CLUSTER_TEXT_SIZE - 8,
             cluster->folder);
    if (!program_user_reaches(&cluster->user, cluster->data))
        snprintf(cluster->data, sizeof cluster->data, "/var/lib/surfboard/postgres/%016llx",
                 (unsigned long long)hash_bytes(cluster->folder, strlen(cluster->folder), 0));
}

bool cluster_open(const char *folder, struct cluster *out, struct error *error)
{
    *out = (struct cluster){0};
    TRY(programs_find(out->programs, error));
    TRY(program_user_find(&out->user, error));
    TRY(file_make_folders(folder, 0755, error));
    char *absolute = realpath(folder, NULL);
    if (absolute == NULL)
        return error_set_system(error, errno, "%s", folder);
    bool fits = strlen(absolute) < CLUSTER_TEXT_SIZE - 64;
    if (fits)
        snprintf(out->folder, sizeof out->folder, "%s", absolute);
    free(absolute);
    if (!fits)
        return error_set_system(error, ENAMETOOLONG, "%s", folder);
    bool found;
    TRY(cluster_read_record(out, &found, error));
    if (found && file_exists(out->data)) {
        cluster_running(out);
        return true;
    }
    cluster_choose_data(out);
    return cluster_make(out, error);
}

/* Whether `pid` is alive and works in our data folder (a server's working folder is its data). A
 * child of ours that has ended is reaped here. */
static bool cluster_is_server(const struct cluster *cluster, pid_t pid)
{
    waitpid(pid, NULL, WNOHANG);
    if (kill(pid, 0) != 0 && errno != EPERM)
        return false;
    char link[64];
    char folder[PATH_MAX];
    char data[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%ld/cwd", (long)pid);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length < 0)
        return false;
    folder[length] = '\0';
    return realpath(cluster->data, data) != NULL && strcmp(folder, data) == 0;
}

bool cluster_running(struct cluster *cluster)
{
    char path[CLUSTER_TEXT_SIZE + 32];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/postmaster.pid", cluster->data);
    cluster->pid = 0;
    if (file_read(path, &text, NULL) && buffer_text(&text, NULL)) {
        pid_t pid = (pid_t)strtol(text.data, NULL, 10);
        if (pid > 1 && cluster_is_server(cluster, pid))
            cluster->pid = pid;
    }
    buffer_destroy(&text);
    return cluster->pid != 0;
}

static bool cluster_answers(const struct cluster *cluster)
{
    char *dsn = cluster_dsn(cluster, "postgres", NULL);
    bool answers = dsn && PQping(dsn) == PQPING_OK;
    free(dsn);
    return answers;
}

/* Waits until the server answers, or ends. */
static bool cluster_await_start(struct cluster *cluster, pid_t pid, struct error *error)
{
    TRY(libpq_ready(error));
    int64_t deadline = clock_monotonic_ns() + (int64_t)CLUSTER_START_MS * 1000000;
    char log[CLUSTER_TEXT_SIZE + 32];
    cluster_path(cluster, "server.log", log);
    for (;;) {
        if (cluster_running(cluster) && cluster_answers(cluster))
            return true;
        int status;
        bool ended = pid > 0 ? waitpid(pid, &status, WNOHANG) == pid : !cluster_running(cluster);
        if (ended || clock_monotonic_ns() > deadline) {
            char line[256];
            program_last_line(log, line, sizeof line);
            error_set(error, ERROR_UNREACHABLE, NULL, "the private Postgres in %s %s: %s",
                      cluster->folder, ended ? "ended at start" : "does not answer after 30 s",
                      line);
            return error_remedy(error, "read %s", log);
        }
        clock_sleep_ms(CLUSTER_POLL_MS);
    }
}

bool cluster_start(struct cluster *cluster, struct error *error)
{
    /* One that is there may be on its way up, or on its way down: then ours follows it. */
    struct error why = {0};
    if (cluster_running(cluster)) {
        if (cluster_await_start(cluster, 0, &why))
            return true;
        if (cluster_running(cluster)) {
            if (error)
                *error = why;
            return false;
        }
    }
    int port;
    TRY(cluster_free_port(cluster->port, &port, error));
    if (port != cluster->port) {
        cluster->port = port;
        TRY(cluster_write_record(cluster, error));
    }
    char program[PROGRAMS_PATH_SIZE + 16];
    char number[16];
    char log[CLUSTER_TEXT_SIZE + 32];
    snprintf(program, sizeof program, "%s/postgres", cluster->programs);
    snprintf(number, sizeof number, "%d", cluster->port);
    cluster_path(cluster, "server.log", log);
    char *arguments[] = {program, "-D", cluster->data, "-p", number, NULL};
    pid_t pid = program_start(&cluster->user, arguments, "/", log, error);
    return pid > 0 && cluster_await_start(cluster, pid, error);
}

static bool cluster_await_end(struct cluster *cluster, int64_t wait_ms)
{
    int64_t deadline = clock_monotonic_ns() + wait_ms * 1000000;
    while (cluster_is_server(cluster, cluster->pid)) {
        if (clock_monotonic_ns() > deadline)
            return false;
        clock_sleep_ms(CLUSTER_POLL_MS);
    }
    cluster->pid = 0;
    return true;
}

bool cluster_stop(struct cluster *cluster, struct error *error)
{
    if (!cluster_running(cluster))
        return true;
    pid_t pid = cluster->pid;
    if (kill(pid, SIGINT) != 0 && errno != ESRCH)
        return error_set_system(error, errno, "stopping the Postgres of %s (pid %ld)",
                                cluster->folder, (long)pid);
    if (cluster_await_end(cluster, CLUSTER_STOP_MS))
        return true;
    kill(pid, SIGQUIT);
    if (cluster_await_end(cluster, CLUSTER_STOP_MS))
        return true;
    error_set(error, ERROR_IO, NULL, "the Postgres of %s (pid %ld) does not stop", cluster->folder,
              (long)pid);
    return error_remedy(error, "look at %s/server.log; end pid %ld by hand", cluster->folder,
                        (long)pid);
}

bool cluster_remove(struct cluster *cluster, struct error *error)
{
    static const char *const files[] = {"cluster.json", "pgpass", "server.log"};
    TRY(cluster_stop(cluster, error));
    TRY(file_remove_tree(cluster->data, error));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[CLUSTER_TEXT_SIZE + 32];
        cluster_path(cluster, files[i], path);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_set_system(error, errno, "removing %s", path);
    }
    return true;
}

/* A value of a connection string: quote and backslash are escaped. */
static bool cluster_quote(const char *text, char *out, size_t size)
{
    size_t used = 0;
    for (; *text && used + 2 < size; text++) {
        if (*text == '\'' || *text == '\\')
            out[used++] = '\\';
        out[used++] = *text;
    }
    out[used] = '\0';
    return *text == '\0';
}

char *cluster_dsn(const struct cluster *cluster, const char *database, struct error *error)
{
    char name[256];
    char folder[2 * CLUSTER_TEXT_SIZE];
    if (!cluster_quote(database, name, sizeof name) ||
        !cluster_quote(cluster->folder, folder, sizeof folder)) {
        error_set(error, ERROR_USAGE, "choose a shorter name", "database name %s is too long",
                  database);
        return NULL;
    }
    return memory_format(
        error, "host=127.0.0.1 port=%d dbname='%s' user=" CLUSTER_USER " passfile='%s/pgpass'",
        cluster->port, name, folder);
}

bool cluster_create_database(const struct cluster *cluster, const char *database,
                             struct error *error)
{
    char *dsn = cluster_dsn(cluster, "postgres", error);
    if (dsn == NULL)
        return false;
    struct pg *pg = pg_open(&(struct pg_options){.dsn = dsn}, error);
    free(dsn);
    struct pg_rows rows = {0};
    struct buffer sql = {0};
    bool ok = pg && pg_query(pg, "SELECT 1 FROM pg_database WHERE datname = $1", &database, 1,
                             &rows, error);
    if (ok && pg_rows_count(&rows) == 0)
        ok = buffer_append_text(&sql, "CREATE DATABASE ", error) &&
             pg_quote_name(&sql, database, error) &&
             buffer_append_text(&sql, " TEMPLATE template0", error) && buffer_text(&sql, error) &&
             pg_exec(pg, sql.data, error);
    buffer_destroy(&sql);
    pg_rows_destroy(&rows);
    pg_close(pg);
    return ok;
}
