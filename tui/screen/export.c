#include "tui/screen/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "tui/screen/app.h"

struct export
{
    struct app *app;
    char *path;
    struct buffer text;
};

static void export_destroy(struct export *export)
{
    buffer_destroy(&export->text);
    free(export->path);
    free(export);
}

static void export_forget(void *context)
{
    export_destroy(context);
}

static bool export_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct export *export = context;
    int fd = open(export->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, ERROR_EXISTS, "choose another name", "%s is there already",
                         export->path);
    if (fd < 0)
        return error_set_system(error, errno, "%s", export->path);
    bool ok = file_write_all(fd, export->text.data, export->text.length, export->path, error);
    if (close(fd) != 0 && ok)
        ok = error_set_system(error, errno, "%s", export->path);
    return ok;
}

static void export_done(void *context, bool ok, const struct error *error)
{
    struct export *export = context;
    if (ok)
        app_say(export->app, STYLE_OK, "written: %s (%zu bytes)", export->path,
                export->text.length);
    else
        app_fail(export->app, error);
    export_destroy(export);
}

static const struct job_kind export_kind = {"export", 0, export_run, export_done};

static void export_named(struct app *app, void *context, struct slice name)
{
    struct export *export = context;
    free(export->path);
    export->path = memory_copy_slice(name, NULL);
    if (export->path && name.length)
        app_job(app, &export_kind, export);
    else
        export_destroy(export);
}

void app_export(struct app *app, const char *name, struct slice text)
{
    struct error error = {0};
    struct export *export = memory_zero(1, sizeof *export, &error);
    if (export == NULL || !buffer_append_slice(&export->text, text, &error)) {
        free(export);
        app_fail(app, &error);
        return;
    }
    export->app = app;
    app_prompt(app, &(struct prompt){.title = "Write what is listed",
                                     .label = "File (made anew, readable by you only)",
                                     .initial = name,
                                     .done = export_named,
                                     .forget = export_forget,
                                     .context = export});
}

bool export_field(struct buffer *out, const char *field, char end)
{
    bool ok = true;
    for (const char *at = field; ok && *at; at++)
        ok = buffer_append_byte(out, (unsigned char)*at < ' ' || *at == 0x7F ? ' ' : (uint8_t)*at,
                                NULL);
    return ok && buffer_append_byte(out, (uint8_t)end, NULL);
}
