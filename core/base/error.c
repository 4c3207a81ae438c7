#include "core/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#undef error_set
#undef error_set_va
#undef error_set_system
#undef error_set_memory
#undef error_remedy
#undef error_prefix

/* Cuts text that filled its buffer at a character border and marks the cut. */
static void error_mark_cut(char *text, size_t size)
{
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

bool error_set_va(struct error *error, enum error_kind kind, const char *remedy, const char *format,
                  va_list arguments)
{
    if (error == NULL)
        return false;
    /* The arguments may point into the message itself (re-wording an error): format aside first. */
    char text[ERROR_MESSAGE_SIZE];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length >= (int)sizeof text)
        error_mark_cut(text, sizeof text);
    error->kind = kind;
    error->system = 0;
    memcpy(error->message, text, sizeof text);
    if (remedy == NULL)
        remedy = "";
    if (remedy != error->remedy)
        snprintf(error->remedy, sizeof error->remedy, "%s", remedy);
    return false;
}

bool error_set(struct error *error, enum error_kind kind, const char *remedy, const char *format,
               ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set_va(error, kind, remedy, format, arguments);
    va_end(arguments);
    return false;
}

static const struct {
    int number;
    enum error_kind kind;
    const char *remedy;
} system_errors[] = {
    {ENOENT, ERROR_NOT_FOUND, "check the path"},
    {ENOTDIR, ERROR_NOT_FOUND, "a part of the path is a file, not a folder"},
    {EEXIST, ERROR_EXISTS, ""},
    {ENOSPC, ERROR_IO, "the disk is full: free space there and run the same command again"},
    {EDQUOT, ERROR_IO, "the disk quota is used up: free space and run the same command again"},
    {EACCES, ERROR_IO, "give this user the permission, or run as the user who owns it"},
    {EPERM, ERROR_IO, "give this user the permission, or run as the user who owns it"},
    {EROFS, ERROR_IO, "the file system is read-only: choose another folder"},
    {EMFILE, ERROR_IO, "raise the limit of open files (ulimit -n) and try again"},
    {ENFILE, ERROR_IO, "the machine has too many files open: raise fs.file-max"},
    {ENAMETOOLONG, ERROR_IO, "choose a shorter path"},
    {EIO, ERROR_IO, "the device reported an error: look at the kernel log (dmesg)"},
    {ENOMEM, ERROR_MEMORY, "free memory or lower --memory"},
    {EINTR, ERROR_INTERRUPTED, ""},
    {ECONNREFUSED, ERROR_UNREACHABLE, "is the service running, and is the port right?"},
    {ETIMEDOUT, ERROR_UNREACHABLE, "is the service running, and is the network there?"},
    {EHOSTUNREACH, ERROR_UNREACHABLE, "is the host up, and is the network there?"},
};

bool error_set_system(struct error *error, int number, const char *format, ...)
{
    if (error == NULL)
        return false;
    enum error_kind kind = ERROR_IO;
    const char *remedy = "";
    for (size_t i = 0; i < sizeof system_errors / sizeof *system_errors; i++) {
        if (system_errors[i].number == number) {
            kind = system_errors[i].kind;
            remedy = system_errors[i].remedy;
        }
    }
    va_list arguments;
    va_start(arguments, format);
    error_set_va(error, kind, remedy, format, arguments);
    va_end(arguments);
    char reason[160];
    size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, ": %s",
             strerror_r(number, reason, sizeof reason));
    error->system = number;
    return false;
}

bool error_set_memory(struct error *error, size_t bytes)
{
    return error_set(error, ERROR_MEMORY, "free memory or lower --memory",
                     "out of memory: %zu bytes asked for", bytes);
}

bool error_remedy(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return false;
    char text[ERROR_REMEDY_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof text)
        error_mark_cut(text, sizeof text);
    memcpy(error->remedy, text, sizeof text);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return false;
    char prefix[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof prefix)
        error_mark_cut(prefix, sizeof prefix);
    char text[ERROR_MESSAGE_SIZE + sizeof prefix];
    length = snprintf(text, sizeof text, "%s: %s", prefix, error->message);
    memcpy(error->message, text, sizeof error->message);
    error->message[sizeof error->message - 1] = '\0';
    if (length >= (int)sizeof error->message)
        error_mark_cut(error->message, sizeof error->message);
    return false;
}

void error_clear(struct error *error)
{
    if (error == NULL)
        return;
    error->kind = ERROR_NONE;
    error->system = 0;
    error->message[0] = '\0';
    error->remedy[0] = '\0';
}

static const struct {
    const char *name;
    int exit_code;
} error_kinds[ERROR_KINDS] = {
    [ERROR_NONE] = {"none", 0},
    [ERROR_CHECK] = {"check", 1},
    [ERROR_USAGE] = {"usage", 2},
    [ERROR_CONFIG] = {"config", 3},
    [ERROR_UNREACHABLE] = {"unreachable", 4},
    [ERROR_REFUSED] = {"refused", 5},
    [ERROR_CONFLICT] = {"conflict", 6},
    [ERROR_EXISTS] = {"exists", 6},
    [ERROR_INPUT] = {"input", 7},
    [ERROR_NOT_FOUND] = {"not-found", 3},
    [ERROR_UNSUPPORTED] = {"unsupported", 7},
    [ERROR_IO] = {"io", 8},
    [ERROR_MEMORY] = {"memory", 8},
    [ERROR_UNKNOWN] = {"unknown-outcome", 8},
    [ERROR_INTERNAL] = {"internal", 8},
    [ERROR_INTERRUPTED] = {"interrupted", 130},
};

int error_exit_code(enum error_kind kind)
{
    return kind < ERROR_KINDS ? error_kinds[kind].exit_code : 8;
}

const char *error_kind_name(enum error_kind kind)
{
    return kind < ERROR_KINDS ? error_kinds[kind].name : "internal";
}
