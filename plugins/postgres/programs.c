#include "plugins/postgres/programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/file.h"

static bool programs_in(const char *folder)
{
    char path[PROGRAMS_PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/initdb", folder);
    if (access(path, X_OK) != 0)
        return false;
    snprintf(path, sizeof path, "%s/postgres", folder);
    return access(path, X_OK) == 0;
}

static bool programs_in_path(char folder[PROGRAMS_PATH_SIZE])
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        if (length > 0 && length < PROGRAMS_PATH_SIZE) {
            memcpy(folder, path, length);
            folder[length] = '\0';
            if (programs_in(folder))
                return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

static bool programs_by_pg_config(char folder[PROGRAMS_PATH_SIZE])
{
    FILE *pipe = popen("pg_config --bindir 2>/dev/null", "re");
    if (pipe == NULL)
        return false;
    bool got = fgets(folder, PROGRAMS_PATH_SIZE, pipe) != NULL;
    pclose(pipe);
    if (!got)
        return false;
    folder[strcspn(folder, "\n")] = '\0';
    return programs_in(folder);
}

/* Below `parent` lie folders named by version; takes the newest that has the programs. */
static bool programs_by_version(const char *parent, const char *prefix,
                                char folder[PROGRAMS_PATH_SIZE])
{
    DIR *directory = opendir(parent);
    if (directory == NULL)
        return false;
    double newest = 0;
    size_t skip = strlen(prefix);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, prefix, skip) != 0)
            continue;
        double version = strtod(entry->d_name + skip, NULL);
        char path[PROGRAMS_PATH_SIZE];
        int length = snprintf(path, sizeof path, "%s/%s/bin", parent, entry->d_name);
        if (version > newest && length < (int)sizeof path && programs_in(path)) {
            newest = version;
            memcpy(folder, path, (size_t)length + 1);
        }
    }
    closedir(directory);
    return newest > 0;
}

bool programs_find(char folder[PROGRAMS_PATH_SIZE], struct error *error)
{
    if (programs_in_path(folder) || programs_by_pg_config(folder) ||
        programs_by_version("/usr/lib/postgresql", "", folder) ||
        programs_by_version("/usr", "pgsql-", folder) ||
        programs_by_version("/usr/local", "pgsql", folder) ||
        programs_by_version("/opt/homebrew/opt", "postgresql@", folder))
        return true;
    return error_set(error, ERROR_UNREACHABLE,
                     "install it (Debian: apt-get install -y postgresql-15 "
                     "postgresql-client-15), or put the folder with initdb into PATH",
                     "the Postgres server programs (initdb, postgres) are not on this machine");
}

bool program_user_find(struct program_user *out, struct error *error)
{
    *out = (struct program_user){.uid = geteuid(), .gid = getegid()};
    if (out->uid != 0) {
        struct passwd *self = getpwuid(out->uid);
        snprintf(out->name, sizeof out->name, "%s", self ? self->pw_name : "this user");
        return true;
    }
    struct passwd *entry = getpwnam("postgres");
    if (entry == NULL || entry->pw_uid == 0)
        entry = getpwnam("nobody");
    if (entry == NULL || entry->pw_uid == 0)
        return error_set(error, ERROR_UNREACHABLE,
                         "make one (adduser --system --group postgres), or run as another user "
                         "than root",
                         "root may not run a Postgres server, and there is neither a user "
                         "postgres nor nobody");
    out->change = true;
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    snprintf(out->name, sizeof out->name, "%s", entry->pw_name);
    out->group_count = PROGRAMS_GROUPS;
    if (getgrouplist(out->name, out->gid, out->groups, &out->group_count) < 0) {
        out->groups[0] = out->gid;
        out->group_count = 1;
    }
    return true;
}

static bool program_user_enters(const struct program_user *user, const struct stat *status)
{
    if (status->st_uid == user->uid)
        return status->st_mode & S_IXUSR;
    for (int i = 0; i < user->group_count; i++) {
        if (status->st_gid == user->groups[i])
            return status->st_mode & S_IXGRP;
    }
    return status->st_mode & S_IXOTH;
}

bool program_user_reaches(const struct program_user *user, const char *path)
{
    if (!user->change)
        return true;
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return false;
    struct stat status;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (stat(part, &status) != 0)
            return errno == ENOENT;
        if (!program_user_enters(user, &status))
            return false;
        *slash = '/';
    }
    return stat(part, &status) != 0 ? errno == ENOENT : program_user_enters(user, &status);
}

/* Between fork and exec: only calls that are safe there. Never returns. */
static void program_child(const struct program_user *user, char *const arguments[],
                          const char *folder, int input, int log)
{
    setsid();
    if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    if (user->change && (setgroups((size_t)user->group_count, user->groups) != 0 ||
                         setgid(user->gid) != 0 || setuid(user->uid) != 0))
        _exit(126);
    if (chdir(folder) != 0)
        _exit(126);
    execv(arguments[0], arguments);
    _exit(127);
}

pid_t program_start(const struct program_user *user, char *const arguments[], const char *folder,
                    const char *log_path, struct error *error)
{
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    pid_t pid = -1;
    if (input < 0 || log < 0) {
        error_set_system(error, errno, "opening %s", log < 0 ? log_path : "/dev/null");
    } else {
        pid = fork();
        if (pid == 0)
            program_child(user, arguments, folder, input, log);
        if (pid < 0)
            error_set_system(error, errno, "starting %s", arguments[0]);
    }
    if (input >= 0)
        close(input);
    if (log >= 0)
        close(log);
    return pid;
}

void program_last_line(const char *log_path, char *out, size_t size)
{
    out[0] = '\0';
    struct buffer text = {0};
    if (file_read(log_path, &text, NULL)) {
        size_t end = text.length;
        while (end > 0 && strchr("\n\r ", text.data[end - 1]))
            end--;
        size_t start = end;
        while (start > 0 && text.data[start - 1] != '\n')
            start--;
        if (end > start)
            snprintf(out, size, "%.*s", (int)(end - start), text.data + start);
    }
    buffer_destroy(&text);
}

bool program_run(const struct program_user *user, char *const arguments[], const char *folder,
                 const char *log_path, struct error *error)
{
    pid_t pid = program_start(user, arguments, folder, log_path, error);
    if (pid < 0)
        return false;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return error_set_system(error, errno, "waiting for %s", arguments[0]);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    char line[256];
    program_last_line(log_path, line, sizeof line);
    error_set(error, ERROR_IO, NULL, "%s (as user %s) ended with status %d: %s", arguments[0],
              user->name, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), line);
    return error_remedy(error, "read %s", log_path);
}
