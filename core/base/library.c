#include "core/base/library.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* ---- linking reads tables of symbols that nobody reads again: libpq's kin have megabytes ---- */

struct library_kin {
    size_t count, known;
};

static int library_count(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)info;
    (void)size;
    ((struct library_kin *)context)->count++;
    return 0;
}

/* Code that was changed in place for its address: must not be read anew. */
static bool library_is_patched(const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        /* The address as ELF has it. */
        const ElfW(Dyn) *entry =
            (const ElfW(Dyn) *)(uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
                return true;
    }
    return false;
}

/* Pages that can't be written are as in the file; whoever needs one gets it from there again. */
static int library_drop(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct library_kin *kin = context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (kin->count++ < kin->known || library_is_patched(info))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t begin = (uintptr_t)(info->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = (uintptr_t)(info->dlpi_addr + part->p_vaddr + part->p_memsz);
        if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
            madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

/* Objects that came with the program: they are left alone. */
static atomic_size_t library_own;

void library_rest(void)
{
    struct library_kin kin = {.known = atomic_load(&library_own)};
    if (kin.known)
        dl_iterate_phdr(library_drop, &kin);
}

static int library_load(struct library *library)
{
    struct library_kin kin = {0};
    size_t none = 0;
    dl_iterate_phdr(library_count, &kin);
    atomic_compare_exchange_strong(&library_own, &none, kin.count);
    void *handle = library_open(library);
    kin = (struct library_kin){.known = kin.count};
    dl_iterate_phdr(library_drop, &kin);
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
