#include "core/pipeline/receipt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/memory.h"

static const char *const receipt_hows[] = {"applying", "created", "adopted"};

/* Names of streams may hold '#', '/' or worse; the file's name keeps letters and digits. */
static char *receipt_path(const struct profile *profile, const char *step, const char *object,
                          struct error *error)
{
    char *folder = profile_state_folder(profile, "receipts", error);
    struct buffer name = {0};
    bool ok = folder && buffer_append_format(&name, error, "%s/%s.", folder, step);
    for (const char *at = object; ok && *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || *at == '-' || *at == '_' || *at == '.';
        ok = plain ? buffer_append_byte(&name, (uint8_t)*at, error)
                   : buffer_append_format(&name, error, "%%%02X", (unsigned char)*at);
    }
    ok = ok && buffer_append_text(&name, ".json", error);
    char *path = ok ? memory_copy_slice(buffer_slice(&name), error) : NULL;
    buffer_destroy(&name);
    free(folder);
    return path;
}

void receipt_destroy(struct receipt *receipt)
{
    if (receipt == NULL)
        return;
    free(receipt->step);
    free(receipt->object);
    free(receipt->at);
    free(receipt->by);
    free(receipt->run);
    json_decref(receipt->identity);
    json_decref(receipt->restore);
    json_decref(receipt->users);
    free(receipt);
}

struct receipt *receipt_make(const char *step, const char *object, enum receipt_how how,
                             const char *run, struct error *error)
{
    char user[64], host[128], at[40];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host_time_text(clock_now_us(), at, sizeof at);
    struct receipt *receipt = memory_zero(1, sizeof *receipt, error);
    if (receipt == NULL)
        return NULL;
    receipt->how = how;
    receipt->step = memory_copy_text(step, error);
    receipt->object = memory_copy_text(object, error);
    receipt->at = memory_copy_text(at, error);
    receipt->by = memory_format(error, "%s@%s", user, host);
    receipt->run = memory_copy_text(run ? run : "", error);
    receipt->users = json_array();
    if (receipt->step && receipt->object && receipt->at && receipt->by && receipt->run &&
        receipt->users)
        return receipt;
    error_set_memory(error, sizeof *receipt);
    receipt_destroy(receipt);
    return NULL;
}

static struct receipt *receipt_from_json(const json_t *root, const char *path, struct error *error)
{
    int format = 0;
    const char *step, *object, *how, *at, *by, *run;
    json_t *identity = NULL, *restore = NULL, *users = NULL;
    if (json_unpack((json_t *)root, "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s?o, s?o, s:o}", "format",
                    &format, "step", &step, "object", &object, "how", &how, "at", &at, "by", &by,
                    "run", &run, "identity", &identity, "restore", &restore, "users",
                    &users) != 0 ||
        !json_is_array(users)) {
        error_set(error, ERROR_CONFIG,
                  "restore the file from a backup; it says what undo may touch",
                  "receipt %s: not a receipt", path);
        return NULL;
    }
    if (format > RECEIPT_FORMAT) {
        error_set(error, ERROR_CONFIG, "use the surfboard that wrote it, or a newer one",
                  "receipt %s: format %d is newer than this surfboard reads (%d)", path, format,
                  RECEIPT_FORMAT);
        return NULL;
    }
    struct receipt *receipt = receipt_make(step, object, RECEIPT_APPLYING, run, error);
    if (receipt == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof receipt_hows / sizeof *receipt_hows; i++)
        if (strcmp(how, receipt_hows[i]) == 0)
            receipt->how = (enum receipt_how)i;
    free(receipt->at);
    free(receipt->by);
    json_decref(receipt->users);
    receipt->at = memory_copy_text(at, error);
    receipt->by = memory_copy_text(by, error);
    receipt->users = json_incref(users);
    receipt->identity = json_is_null(identity) ? NULL : json_incref(identity);
    receipt->restore = json_is_null(restore) ? NULL : json_incref(restore);
    if (receipt->at && receipt->by)
        return receipt;
    receipt_destroy(receipt);
    return NULL;
}

struct receipt *receipt_load(const struct profile *profile, const char *step, const char *object,
                             struct error *error)
{
    char *path = receipt_path(profile, step, object, error);
    if (path == NULL)
        return NULL;
    struct buffer text = {0};
    struct receipt *receipt = NULL;
    if (file_exists(path) && file_read(path, &text, error)) {
        json_error_t where;
        json_t *root = json_loadb(text.data, text.length, 0, &where);
        if (root == NULL)
            error_set(error, ERROR_CONFIG,
                      "restore the file from a backup; it says what undo may touch",
                      "receipt %s: line %d: %s", path, where.line, where.text);
        else
            receipt = receipt_from_json(root, path, error);
        json_decref(root);
    }
    buffer_destroy(&text);
    free(path);
    return receipt;
}

bool receipt_save(const struct profile *profile, const struct receipt *receipt, struct error *error)
{
    TRY(FAULT("pipeline.receipt.before-save", error));
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:O?, s:O}", "format",
                             RECEIPT_FORMAT, "step", receipt->step, "object", receipt->object,
                             "how", receipt_hows[receipt->how], "at", receipt->at, "by",
                             receipt->by, "run", receipt->run, "identity", receipt->identity,
                             "restore", receipt->restore, "users", receipt->users);
    char *text = root ? json_text(root, JSON_INDENT(1), error) : NULL;
    json_decref(root);
    char *path = text ? receipt_path(profile, receipt->step, receipt->object, error) : NULL;
    bool ok =
        path && file_write_atomic(path, slice_of(text), profile_state_file_mode(profile), error);
    if (text == NULL)
        error_set_memory(error, 0);
    free(path);
    free(text);
    return ok;
}

bool receipt_remove(const struct profile *profile, const char *step, const char *object,
                    struct error *error)
{
    TRY(FAULT("pipeline.receipt.before-remove", error));
    char *path = receipt_path(profile, step, object, error);
    if (path == NULL)
        return false;
    bool ok = unlink(path) == 0 || errno == ENOENT || error_set_system(error, errno, "%s", path);
    free(path);
    return ok;
}

static size_t receipt_user_index(const struct receipt *receipt, const char *stream)
{
    size_t count = json_array_size(receipt->users);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(receipt->users, i));
        if (name && strcmp(name, stream) == 0)
            return i;
    }
    return count;
}

bool receipt_has_user(const struct receipt *receipt, const char *stream)
{
    return receipt_user_index(receipt, stream) < json_array_size(receipt->users);
}

bool receipt_add_user(struct receipt *receipt, const char *stream, struct error *error)
{
    return receipt_has_user(receipt, stream) ||
           json_array_append_new(receipt->users, json_string(stream)) == 0 ||
           error_set_memory(error, strlen(stream));
}

void receipt_drop_user(struct receipt *receipt, const char *stream)
{
    json_array_remove(receipt->users, receipt_user_index(receipt, stream));
}
