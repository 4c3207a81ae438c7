#include "core/config/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"

enum { CREDENTIAL_MOST = 65536 };

static void credential_wipe(char *text)
{
    if (text == NULL)
        return;
    explicit_bzero(text, strlen(text));
    free(text);
}

void credential_destroy(struct credential *credential)
{
    credential_wipe(credential->user);
    credential_wipe(credential->password);
    credential_wipe(credential->token);
    *credential = (struct credential){0};
}

/* One secret from an open file: its text without the newline at the end. */
static bool credential_read(int fd, const char *path, char **out, struct error *error)
{
    char *text = memory_zero(CREDENTIAL_MOST + 1, 1, error);
    if (text == NULL)
        return false;
    size_t length = 0;
    ssize_t got = 0;
    while (length < CREDENTIAL_MOST &&
           (got = read(fd, text + length, CREDENTIAL_MOST - length)) > 0)
        length += (size_t)got;
    while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    bool ok = got >= 0 || error_set_system(error, errno, "%s", path);
    if (ok)
        ok = (*out = memory_copy_slice(slice_make(text, length), error)) != NULL;
    explicit_bzero(text, CREDENTIAL_MOST);
    free(text);
    return ok;
}

static bool credential_check_mode(const char *path, const struct stat *status, mode_t wanted,
                                  struct error *error)
{
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        error_set(error, ERROR_REFUSED, NULL, "credentials: %s belongs to somebody else (uid %u)",
                  path, (unsigned)status->st_uid);
        return error_remedy(error, "chown %u %s", (unsigned)geteuid(), path);
    }
    if ((status->st_mode & 07777) != wanted) {
        error_set(error, ERROR_REFUSED, NULL, "credentials: %s has mode %04o, wanted is %04o", path,
                  (unsigned)(status->st_mode & 07777), (unsigned)wanted);
        return error_remedy(error, "chmod %04o %s", (unsigned)wanted, path);
    }
    return true;
}

/* <folder>/<name>; absent is fine. */
static bool credential_from_folder(const char *folder, const char *name, char **out,
                                   struct error *error)
{
    struct stat status;
    if (folder == NULL || stat(folder, &status) != 0)
        return true;
    char *path = file_join(folder, name, error);
    if (path == NULL)
        return false;
    bool ok = true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        ok = errno == ENOENT || error_set_system(error, errno, "credentials: %s", path);
    } else {
        struct stat file;
        ok = fstat(fd, &file) == 0 || error_set_system(error, errno, "credentials: %s", path);
        ok = ok && credential_check_mode(folder, &status, 0700, error) &&
             credential_check_mode(path, &file, 0600, error) &&
             credential_read(fd, path, out, error);
        close(fd);
    }
    free(path);
    return ok;
}

static bool credential_part(const struct profile *profile, const char *name, const char *part,
                            char **out, struct credential *credential, struct error *error)
{
    char variable[160], file_variable[176];
    snprintf(variable, sizeof variable, "%s_%s", name, part);
    snprintf(file_variable, sizeof file_variable, "%s_FILE", variable);
    const char *value = getenv(variable), *file = getenv(file_variable);
    const char *source = NULL;
    if (value && *value) {
        *out = memory_copy_text(value, error);
        TRY(*out != NULL);
        source = "environment";
    } else if (file && *file) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            error_set_system(error, errno, "credential %s: $%s names %s", name, file_variable,
                             file);
            if (error)
                error->kind = ERROR_CONFIG;
            return false;
        }
        bool ok = credential_read(fd, file, out, error);
        close(fd);
        TRY(ok);
        source = "file";
    } else {
        TRY(credential_from_folder(profile ? profile->credentials : NULL, variable, out, error));
        source = *out ? "credentials folder" : NULL;
    }
    if (source)
        snprintf(credential->source, sizeof credential->source, "%s", source);
    return true;
}

bool credential_load(const struct profile *profile, const char *name, struct credential *out,
                     struct error *error)
{
    *out = (struct credential){0};
    if (*name == '\0' || strlen(name) > 100 || strchr(name, '/'))
        return error_set(error, ERROR_CONFIG, "use letters, digits and _",
                         "credential '%.100s' is not a name", name);
    bool ok = credential_part(profile, name, "USER", &out->user, out, error) &&
              credential_part(profile, name, "PASSWORD", &out->password, out, error) &&
              credential_part(profile, name, "TOKEN", &out->token, out, error);
    if (ok && !out->user && !out->password && !out->token) {
        ok = error_set(error, ERROR_CONFIG, NULL, "credential %s is not to be found", name);
        error_remedy(error,
                     "set %s_USER and %s_PASSWORD (or …_FILE) in the environment, or put files of "
                     "these names, mode 0600, into %s",
                     name, name,
                     profile && profile->credentials ? profile->credentials
                                                     : "the credentials folder");
    }
    if (!ok)
        credential_destroy(out);
    return ok;
}

static bool conninfo_append(struct buffer *out, const char *key, const char *value,
                            struct error *error)
{
    TRY(buffer_append_format(out, error, " %s='", key));
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            TRY(buffer_append_byte(out, '\\', error));
        TRY(buffer_append_byte(out, (uint8_t)*value, error));
    }
    return buffer_append_byte(out, '\'', error);
}

/* user= in a key=value string; in a URI (postgresql://user@host/…) what stands before the @. */
static bool conninfo_names_user(const char *dsn)
{
    if (strncmp(dsn, "postgres", 8) == 0 && strstr(dsn, "://"))
        return strchr(dsn, '@') != NULL || strstr(dsn, "user=") != NULL;
    for (const char *at = dsn; (at = strstr(at, "user")); at += 4)
        if ((at == dsn || at[-1] == ' ') && (at[4] == '=' || at[4] == ' '))
            return true;
    return false;
}

bool credential_conninfo(const struct profile *profile, const char *dsn, const char *name,
                         struct buffer *out, struct error *error)
{
    struct credential credential = {0};
    if (name)
        TRY(credential_load(profile, name, &credential, error));
    bool uri = strncmp(dsn, "postgres", 8) == 0 && strstr(dsn, "://");
    bool ok;
    if (uri && (credential.user || credential.password))
        ok = error_set(
            error, ERROR_CONFIG,
            "write the dsn as \"host=… dbname=… user=…\", to which the secret can be added",
            "a credential (%s) cannot be added to a dsn of the form postgresql://", name);
    else
        ok = buffer_append_text(out, dsn, error);
    if (ok && credential.user && !conninfo_names_user(dsn))
        ok = conninfo_append(out, "user", credential.user, error);
    if (ok && credential.password)
        ok = conninfo_append(out, "password", credential.password, error);
    ok = ok && buffer_text(out, error);
    credential_destroy(&credential);
    return ok;
}
