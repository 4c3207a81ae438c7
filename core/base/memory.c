#include "core/base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef SURFBOARD_FAULTS
static atomic_long allocations_seen;
static atomic_long allocation_to_fail;

void memory_fail_after(long allocations)
{
    atomic_store(&allocations_seen, 0);
    atomic_store(&allocation_to_fail, allocations);
}

long memory_allocations(void)
{
    return atomic_load(&allocations_seen);
}

static bool memory_may_allocate(void)
{
    long seen = atomic_fetch_add(&allocations_seen, 1) + 1;
    return seen != atomic_load(&allocation_to_fail);
}
#else
void memory_fail_after(long allocations)
{
    (void)allocations;
}

long memory_allocations(void)
{
    return 0;
}

static bool memory_may_allocate(void)
{
    return true;
}
#endif

void *memory_realloc(void *pointer, size_t bytes)
{
    return memory_may_allocate() ? realloc(pointer, bytes ? bytes : 1) : NULL;
}

void *memory_zero(size_t count, size_t size, struct error *error)
{
    void *pointer = memory_may_allocate() ? calloc(count ? count : 1, size ? size : 1) : NULL;
    if (pointer == NULL)
        error_set_memory(error, count * size);
    return pointer;
}

bool memory_grow(void *pointer, size_t *capacity, size_t needed, size_t size, struct error *error)
{
    if (needed <= *capacity)
        return true;
    size_t larger = *capacity < 16 ? 16 : *capacity;
    while (larger < needed) {
        if (larger > SIZE_MAX / 2)
            return error_set_memory(error, needed);
        larger *= 2;
    }
    size_t bytes;
    if (__builtin_mul_overflow(larger, size, &bytes))
        return error_set_memory(error, needed);
    void *old;
    memcpy(&old, pointer, sizeof old);
    void *grown = memory_realloc(old, bytes);
    if (grown == NULL)
        return error_set_memory(error, bytes);
    memcpy(pointer, &grown, sizeof grown);
    *capacity = larger;
    return true;
}

char *memory_copy_slice(struct slice text, struct error *error)
{
    char *copy = memory_realloc(NULL, text.length + 1);
    if (copy == NULL) {
        error_set_memory(error, text.length + 1);
        return NULL;
    }
    if (text.length)
        memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

char *memory_copy_text(const char *text, struct error *error)
{
    return memory_copy_slice(slice_of(text), error);
}

char *memory_format(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : memory_realloc(NULL, (size_t)length + 1);
    if (text == NULL)
        error_set_memory(error, length < 0 ? 0 : (size_t)length + 1);
    else
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
