#include "core/pipeline/boot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/memory.h"

enum { BOOT_FILE_MOST = 256 << 10 };

/* ---- units ---- */

static bool boot_read(const char *path, struct buffer *out)
{
    buffer_clear(out);
    return file_read(path, out, NULL) && out->length < BOOT_FILE_MOST && buffer_text(out, NULL);
}

/* Its ExecStart line names the profile and resume. Percent signs are doubled in units. */
static bool boot_is_ours(const char *text, const struct profile *profile)
{
    char *path = memory_copy_text(profile->path, NULL);
    bool found = false;
    for (const char *line = text; path && line && *line && !found; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t length = strcspn(line, "\n");
        if (length < 9 || strncmp(line, "ExecStart", 9) != 0)
            continue;
        const char *profile_at = memmem(line, length, path, strlen(path));
        found = profile_at && memmem(line, length, " resume", 7);
    }
    free(path);
    return found;
}

/* A link of the unit's name in one of the folder's *.wants. */
static bool boot_is_enabled(const char *folder, const char *name)
{
    bool enabled = false;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && !enabled && (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 6, ".wants") != 0)
            continue;
        char *path = memory_format(NULL, "%s/%s/%s", folder, entry->d_name, name);
        enabled = path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        free(path);
    }
    if (directory)
        closedir(directory);
    return enabled;
}

static void boot_look_in(const char *folder, bool of_user, const struct profile *profile,
                         struct boot_facts *out)
{
    struct buffer text = {0};
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && out->unit[0] == '\0' && (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length < 8 || strcmp(entry->d_name + length - 8, ".service") != 0)
            continue;
        char *path = memory_format(NULL, "%s/%s", folder, entry->d_name);
        if (path && boot_read(path, &text) && boot_is_ours(text.data, profile)) {
            snprintf(out->unit, sizeof out->unit, "%s", path);
            out->unit_of_user = of_user;
            out->unit_enabled = boot_is_enabled(folder, entry->d_name);
        }
        free(path);
    }
    if (directory)
        closedir(directory);
    buffer_destroy(&text);
}

/* ---- logind ---- */

struct logind {
    bool kills;
    char where[BOOT_PATH_SIZE];
    bool excluded, only_others;
};

static bool logind_names(const char *list, const char *user)
{
    size_t length = strlen(user);
    for (const char *at = list; *at; at += strspn(at, " \t")) {
        size_t word = strcspn(at, " \t");
        if (word == length && strncmp(at, user, length) == 0)
            return true;
        at += word;
    }
    return false;
}

static bool logind_is_yes(const char *value)
{
    static const char *const words[] = {"yes", "true", "on", "1", "y", "t"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}

static void logind_line(const char *path, int number, char *line, const char *user,
                        struct logind *out)
{
    line += strspn(line, " \t");
    char *value = strchr(line, '=');
    if (*line == '#' || *line == ';' || value == NULL)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end && strchr(" \t\r", value[end - 1]); end--)
        value[end - 1] = '\0';
    for (size_t end = strlen(line); end && strchr(" \t", line[end - 1]); end--)
        line[end - 1] = '\0';
    if (strcmp(line, "KillUserProcesses") == 0) {
        out->kills = logind_is_yes(value);
        snprintf(out->where, sizeof out->where, "%s:%d: KillUserProcesses=%s", path, number, value);
    } else if (strcmp(line, "KillExcludeUsers") == 0) {
        out->excluded = logind_names(value, user);
    } else if (strcmp(line, "KillOnlyUsers") == 0) {
        out->only_others = *value && !logind_names(value, user);
    }
}

static void logind_file(const char *path, const char *user, struct logind *out)
{
    struct buffer text = {0};
    int number = 0;
    if (boot_read(path, &text))
        for (char *line = text.data, *next; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next)
                *next++ = '\0';
            logind_line(path, ++number, line, user, out);
        }
    buffer_destroy(&text);
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The later files of a folder win over the earlier ones. */
static void logind_folder(const char *folder, const char *user, struct logind *out)
{
    char *names[64];
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && count < 64 && (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0 &&
            (names[count] = memory_format(NULL, "%s/%s", folder, entry->d_name)))
            count++;
    }
    if (directory)
        closedir(directory);
    qsort(names, count, sizeof *names, name_compare);
    for (size_t i = 0; i < count; i++) {
        logind_file(names[i], user, out);
        free(names[i]);
    }
}

static bool boot_logind(const char *root, const char *user, struct boot_facts *out,
                        struct error *error)
{
    /* Without the setting Debian's systemd kills nobody; root is excluded unless it says so. */
    struct logind logind = {.excluded = strcmp(user, "root") == 0};
    static const char *const places[] = {"/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf",
                                         "/usr/lib/systemd/logind.conf.d",
                                         "/run/systemd/logind.conf.d",
                                         "/etc/systemd/logind.conf.d"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path = memory_format(error, "%s%s", root, places[i]);
        TRY(path != NULL);
        if (i < 2)
            logind_file(path, user, &logind);
        else
            logind_folder(path, user, &logind);
        free(path);
    }
    out->kills = logind.kills && !logind.excluded && !logind.only_others;
    snprintf(out->kills_where, sizeof out->kills_where, "%s", logind.where);
    return true;
}

/* ---- all of it ---- */

char *boot_user_units(struct error *error)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config)
        return memory_format(error, "%s/systemd/user", config);
    return memory_format(error, "%s/.config/systemd/user", home ? home : "");
}

bool boot_look(const char *root, const char *user, const char *user_units,
               const struct profile *profile, struct boot_facts *out, struct error *error)
{
    *out = (struct boot_facts){0};
    static const char *const folders[] = {"/etc/systemd/system", "/usr/local/lib/systemd/system",
                                          "/usr/lib/systemd/system", "/etc/systemd/user"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = memory_format(error, "%s%s", root, folders[i]);
        TRY(folder != NULL);
        boot_look_in(folder, i == 3, profile, out);
        free(folder);
    }
    if (out->unit[0] == '\0')
        boot_look_in(user_units, true, profile, out);
    char *linger = memory_format(error, "%s/var/lib/systemd/linger/%s", root, user);
    char *systemd = memory_format(error, "%s/run/systemd/system", root);
    bool ok = linger && systemd;
    out->lingers = ok && file_exists(linger);
    out->systemd = ok && file_exists(systemd);
    free(linger);
    free(systemd);
    return ok && boot_logind(root, user, out, error);
}
