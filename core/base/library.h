/* library.h: shared libraries that are loaded when they are first used, not when the program
 * starts: libpq and libcurl alone bring some thirty others with them, which a screen that shows a
 * model, or a merge of local files, never calls.
 *
 * A library has one file NAME_load.c. It defines the library's functions that we call, under their
 * own names and checked by the compiler against the library's own header; each passes its arguments
 * on to what dlsym() found. So callers include that header and never notice; only the module's
 * opening function asks NAME_ready() first, because that one can say what is missing. Without the
 * library the functions give their usual value of failure.
 */
#ifndef SURFBOARD_BASE_LIBRARY_H
#define SURFBOARD_BASE_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/error.h"

enum { LIBRARY_FILES = 3, LIBRARY_WHY_SIZE = 256 };

struct library_symbol {
    const char *name;
    void *pointer; /* to the function pointer that takes its address */
};

struct library {
    const char *name;                 /* "libpq", in messages */
    const char *package;              /* Debian's package, for the remedy */
    const char *files[LIBRARY_FILES]; /* the file names to try in turn; NULL: no more */
    const struct library_symbol *symbols;
    size_t symbol_count;
    /* Ours. */
    atomic_int state;
    pthread_mutex_t lock;
    char why[LIBRARY_WHY_SIZE];
};

/* What the table of a library needs to know of it: the rest starts as zero. */
#define LIBRARY(its_name, its_package, its_symbols, ...)                                           \
    {                                                                                              \
        .name = (its_name), .package = (its_package), .files = {__VA_ARGS__},                      \
        .symbols = (its_symbols), .symbol_count = sizeof(its_symbols) / sizeof *(its_symbols),     \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

/* What a row X(type, name, parameters, arguments, otherwise) of a library's table becomes, and a
 * row X(name, parameters, arguments) of a function that gives nothing: a pointer, in `static struct
 * calls`; its symbol; the function that passes on, when `static struct library library` is ready.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): these are names */
#define LIBRARY_POINTER(type, name, parameters, arguments, otherwise) __typeof__(&name) name;
#define LIBRARY_SYMBOL(type, name, parameters, arguments, otherwise) {#name, &calls.name},
#define LIBRARY_PASS(type, name, parameters, arguments, otherwise)                                 \
    type name parameters                                                                           \
    {                                                                                              \
        return library_is_ready(&library) ? calls.name arguments : (otherwise);                    \
    }
#define LIBRARY_VOID_POINTER(name, parameters, arguments) __typeof__(&name) name;
#define LIBRARY_VOID_SYMBOL(name, parameters, arguments) {#name, &calls.name},
#define LIBRARY_VOID_PASS(name, parameters, arguments)                                             \
    void name parameters                                                                           \
    {                                                                                              \
        if (library_is_ready(&library))                                                            \
            calls.name arguments;                                                                  \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

/* Loads it on the first call, from whichever thread; it stays until the program ends. False with
 * ERROR_IO, now and ever after, when it is not there or lacks a function. */
bool library_ready(struct library *library, struct error *error);

/* Lets go of the pages of all that was loaded so which can be read again from their files: after
 * work that comes once, as logging in to a server. Nothing breaks that is using them. */
void library_rest(void);
/* The same without words, for the functions that pass on. */
bool library_is_ready(struct library *library);

#endif
