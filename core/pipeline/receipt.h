/* receipt.h: what we made or adopted, so that undo touches nothing else (design 4).
 * <state>/receipts/<step>.<object>.json, one a step and scope object; format 1. */
#ifndef SURFBOARD_PIPELINE_RECEIPT_H
#define SURFBOARD_PIPELINE_RECEIPT_H

#include <jansson.h>

#include "core/base/error.h"
#include "core/config/profile.h"

enum { RECEIPT_FORMAT = 1 };

enum receipt_how {
    RECEIPT_APPLYING, /* written before apply(): after a crash the object is known to be ours */
    RECEIPT_CREATED,
    RECEIPT_ADOPTED /* released by undo, never dropped */
};

struct receipt {
    char *step, *object; /* "slot", "capture.demo" */
    enum receipt_how how;
    char *at, *by, *run; /* UTC time, user@host, run id */
    json_t *identity;    /* {"system_identifier": …, "name": …, …} */
    json_t *restore;     /* values found before; NULL */
    json_t *users;       /* array of the streams that need it */
};

/* NULL and no error when there is none: check error->kind. */
struct receipt *receipt_load(const struct profile *profile, const char *step, const char *object,
                             struct error *error);
bool receipt_save(const struct profile *profile, const struct receipt *receipt,
                  struct error *error);
bool receipt_remove(const struct profile *profile, const char *step, const char *object,
                    struct error *error);
void receipt_destroy(struct receipt *receipt);
struct receipt *receipt_make(const char *step, const char *object, enum receipt_how how,
                             const char *run, struct error *error);
bool receipt_has_user(const struct receipt *receipt, const char *stream);
bool receipt_add_user(struct receipt *receipt, const char *stream, struct error *error);
void receipt_drop_user(struct receipt *receipt, const char *stream);

#endif
