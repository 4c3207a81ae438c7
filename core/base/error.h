/* error.h: how every function of core says what went wrong.
 *
 * A function that can fail returns bool (or a handle, NULL on failure) and takes a `struct error *`
 * as its last parameter; the caller owns the struct. On failure the error holds what happened, to
 * what, and what to do about it; on success it is left alone. Messages are plain UTF-8 without a
 * final full stop; they never hold secrets. There is no global state. A NULL error is allowed
 * everywhere: the text is then dropped, the return value still tells.
 */
#ifndef SURFBOARD_BASE_ERROR_H
#define SURFBOARD_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What kind of trouble: decides the exit code (cli.md) and what a caller may do about it. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_CHECK,       /* checked, and it is not well: differences, a failed check        exit 1 */
    ERROR_USAGE,       /* command line                                                    exit 2 */
    ERROR_CONFIG,      /* profile, model or schema file                                   exit 3 */
    ERROR_UNREACHABLE, /* a service does not answer; trying again later may help          exit 4 */
    ERROR_REFUSED,     /* read-only, missing confirmation, missing right                  exit 5 */
    ERROR_CONFLICT,    /* somebody else holds or changed it; safe to try again            exit 6 */
    ERROR_EXISTS,      /* put-if-absent lost; a conflict when it reaches the user         exit 6 */
    ERROR_INPUT,       /* bad input data; nothing was committed past it                   exit 7 */
    ERROR_NOT_FOUND,   /* no such object, table, file: as seen by the user                exit 3 */
    ERROR_UNSUPPORTED, /* legal, but not ours to read or write                            exit 7 */
    ERROR_IO,          /* the machine: disk full, EIO, permission                         exit 8 */
    ERROR_MEMORY,      /* allocation failed                                               exit 8 */
    ERROR_UNKNOWN,     /* the outcome of a commit is not known; never delete its files    exit 8 */
    ERROR_INTERNAL,    /* our fault                                                       exit 8 */
    ERROR_INTERRUPTED, /* cancelled or signalled                                        exit 130 */
    ERROR_KINDS
};

enum { ERROR_MESSAGE_SIZE = 1536, ERROR_REMEDY_SIZE = 768 };

struct error {
    enum error_kind kind;
    int system;                       /* errno, when the system said no; else 0 */
    char message[ERROR_MESSAGE_SIZE]; /* cut at a character border and ended by "..." if longer */
    char remedy[ERROR_REMEDY_SIZE];   /* "" when there is none */
};

/* Evaluates to nothing on success, returns false from the calling function on failure. The one
 * macro of the project that hides control flow. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        if (!(expression))                                                                         \
            return false;                                                                          \
    } while (0)

/* Fills *error and returns false, so that `return error_set(...)` reads well. `remedy` is plain
 * text, NULL for none; use error_remedy() for a formatted one. */
bool error_set(struct error *error, enum error_kind kind, const char *remedy, const char *format,
               ...) __attribute__((format(printf, 4, 5)));
bool error_set_va(struct error *error, enum error_kind kind, const char *remedy, const char *format,
                  va_list arguments) __attribute__((format(printf, 4, 0)));

/* From errno: chooses the kind (ENOENT not found, EEXIST exists, else I/O), appends strerror and a
 * remedy for the well-known ones (disk full, permission, too many open files). Returns false. */
bool error_set_system(struct error *error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "out of memory: N bytes"; returns false. */
bool error_set_memory(struct error *error, size_t bytes);

/* Sets or replaces the remedy of an error that is already set; returns false. */
bool error_remedy(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message: how a caller adds its context. Returns false. */
bool error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void error_clear(struct error *error);

#ifdef __clang_analyzer__
/* The static analyser reads one file at a time: that these answer false it must be told. */
static inline bool error_says(bool answer)
{
    if (answer)
        __builtin_unreachable();
    return answer;
}
#define error_set(...) error_says(error_set(__VA_ARGS__))
#define error_set_va(...) error_says(error_set_va(__VA_ARGS__))
#define error_set_system(...) error_says(error_set_system(__VA_ARGS__))
#define error_set_memory(...) error_says(error_set_memory(__VA_ARGS__))
#define error_remedy(...) error_says(error_remedy(__VA_ARGS__))
#define error_prefix(...) error_says(error_prefix(__VA_ARGS__))
#endif

/* The process exit code of a kind (cli.md), and its name for --json ("input", "conflict", ...). */
int error_exit_code(enum error_kind kind);
const char *error_kind_name(enum error_kind kind);

#endif
