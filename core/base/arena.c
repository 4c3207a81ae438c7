#include "core/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

enum { ARENA_FIRST_BLOCK = 4096, ARENA_LARGEST_BLOCK = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void arena_free_from(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_destroy(struct arena *arena)
{
    arena_free_from(arena->blocks);
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
    if (arena->blocks == NULL)
        return;
    arena_free_from(arena->blocks->next);
    arena->blocks->next = NULL;
    arena->blocks->used = 0;
}

void *arena_allocate(struct arena *arena, size_t bytes, struct error *error)
{
    size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX / 2) {
        error_set_memory(error, bytes);
        return NULL;
    }
    size_t rounded = (bytes + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < rounded) {
        size_t size = block ? block->size * 2 : ARENA_FIRST_BLOCK;
        if (size > ARENA_LARGEST_BLOCK)
            size = ARENA_LARGEST_BLOCK;
        if (size < rounded)
            size = rounded;
        block = memory_realloc(NULL, sizeof *block + size);
        if (block == NULL) {
            error_set_memory(error, size);
            return NULL;
        }
        block->next = arena->blocks;
        block->size = size;
        block->used = 0;
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

void *arena_zero(struct arena *arena, size_t count, size_t size, struct error *error)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        error_set_memory(error, count);
        return NULL;
    }
    void *memory = arena_allocate(arena, bytes, error);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

char *arena_copy_slice(struct arena *arena, struct slice text, struct error *error)
{
    char *copy = arena_allocate(arena, text.length + 1, error);
    if (copy == NULL)
        return NULL;
    if (text.length)
        memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text, struct error *error)
{
    return arena_copy_slice(arena, slice_of(text), error);
}

char *arena_format(struct arena *arena, struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : arena_allocate(arena, (size_t)length + 1, error);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
