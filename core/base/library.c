#include "core/base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { LIBRARY_NEW, LIBRARY_READY, LIBRARY_ABSENT };

/* The first file's complaint is the one to show: the others are second choices. */
static void *library_open(struct library *library)
{
    for (size_t i = 0; i < LIBRARY_FILES && library->files[i]; i++) {
        void *handle = dlopen(library->files[i], RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
        const char *why = dlerror();
        if (library->why[0] == '\0')
            snprintf(library->why, sizeof library->why, "%s", why ? why : library->files[i]);
    }
    return NULL;
}

static int library_load(struct library *library)
{
    void *handle = library_open(library);
    if (handle == NULL)
        return LIBRARY_ABSENT;
    for (size_t i = 0; i < library->symbol_count; i++) {
        void *address = dlsym(handle, library->symbols[i].name);
        if (address == NULL) {
            snprintf(library->why, sizeof library->why, "it is too old: it has no %s()",
                     library->symbols[i].name);
            return LIBRARY_ABSENT;
        }
        memcpy(library->symbols[i].pointer, &address, sizeof address);
    }
    return LIBRARY_READY;
}

bool library_is_ready(struct library *library)
{
    int state = atomic_load_explicit(&library->state, memory_order_acquire);
    if (state != LIBRARY_NEW)
        return state == LIBRARY_READY;
    pthread_mutex_lock(&library->lock);
    state = atomic_load_explicit(&library->state, memory_order_relaxed);
    if (state == LIBRARY_NEW) {
        state = library_load(library);
        atomic_store_explicit(&library->state, state, memory_order_release);
    }
    pthread_mutex_unlock(&library->lock);
    return state == LIBRARY_READY;
}

bool library_ready(struct library *library, struct error *error)
{
    if (library_is_ready(library))
        return true;
    error_set(error, ERROR_IO, NULL, "%s can't be loaded: %s", library->name, library->why);
    return error_remedy(error, "install it: apt-get install %s", library->package);
}
