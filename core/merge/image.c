#include "core/merge/image.h"

#include <stdlib.h>

#include "core/base/memory.h"

enum { IMAGE_CHUNK = 1 << 20, IMAGE_ALIGN = 16 };

struct image_chunk {
    struct image_chunk *next;
    size_t size;
    size_t used;
    char bytes[];
};

static struct image_chunk *chunk_take(struct image_pool *pool, size_t least, struct error *error)
{
    if (pool->spare && pool->spare->size >= least) {
        struct image_chunk *chunk = pool->spare;
        pool->spare = chunk->next;
        return chunk;
    }
    size_t size = least > IMAGE_CHUNK ? least : IMAGE_CHUNK;
    struct image_chunk *chunk = memory_realloc(NULL, sizeof *chunk + size);
    if (chunk == NULL)
        error_set_memory(error, sizeof *chunk + size);
    else
        chunk->size = size;
    return chunk;
}

static char *pool_allocate(struct image_pool *pool, size_t bytes, struct error *error)
{
    struct image_chunk *chunk = pool->chunks;
    if (chunk == NULL || chunk->size - chunk->used < bytes) {
        chunk = chunk_take(pool, bytes, error);
        if (chunk == NULL)
            return NULL;
        chunk->used = 0;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
    }
    char *out = chunk->bytes + chunk->used;
    chunk->used += bytes;
    pool->used += bytes;
    return out;
}

bool image_store(struct image_pool *pool, struct image *image, struct slice bytes,
                 struct error *error)
{
    if (bytes.length >= UINT32_MAX - IMAGE_ALIGN)
        return error_set(error, ERROR_INPUT, "a row image may have up to 4 GiB",
                         "a row image of %zu bytes", bytes.length);
    if (image->data == NULL || image->room < bytes.length) {
        size_t room = (bytes.length + IMAGE_ALIGN) & ~(size_t)(IMAGE_ALIGN - 1);
        image->data = pool_allocate(pool, room, error);
        TRY(image->data != NULL);
        image->room = (uint32_t)room;
    }
    if (bytes.length)
        memcpy(image->data, bytes.data, bytes.length);
    image->length = (uint32_t)bytes.length;
    return true;
}

/* Chunks of the usual size are kept; larger ones served one large image and go. */
void image_pool_reset(struct image_pool *pool)
{
    while (pool->chunks) {
        struct image_chunk *chunk = pool->chunks;
        pool->chunks = chunk->next;
        if (chunk->size > IMAGE_CHUNK) {
            free(chunk);
            continue;
        }
        chunk->next = pool->spare;
        pool->spare = chunk;
    }
    pool->used = 0;
}

void image_pool_destroy(struct image_pool *pool)
{
    image_pool_reset(pool);
    while (pool->spare) {
        struct image_chunk *chunk = pool->spare;
        pool->spare = chunk->next;
        free(chunk);
    }
}
