/* image.h: memory for row images and key bytes of one batch. Chunks never move, so images are plain
 * pointers; reset keeps the chunks for the next batch. */
#ifndef SURFBOARD_MERGE_IMAGE_H
#define SURFBOARD_MERGE_IMAGE_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct image_chunk;

struct image_pool {
    struct image_chunk *chunks; /* in use, newest first */
    struct image_chunk *spare;
    size_t used; /* bytes handed out, for the memory budget */
};

/* Bytes owned by the pool. data NULL: no image. */
struct image {
    char *data;
    uint32_t length;
    uint32_t room;
};

static inline struct slice image_slice(const struct image *image)
{
    return slice_make(image->data, image->length);
}

/* Copies `bytes` over what *image holds when there is room for it, else to new memory. */
bool image_store(struct image_pool *pool, struct image *image, struct slice bytes,
                 struct error *error);
void image_pool_reset(struct image_pool *pool);
void image_pool_destroy(struct image_pool *pool);

#endif
