/* The guide of the first start: what init asks, as a form. It does nothing by itself: `surfboard
 * init` with what was typed shows or writes the profile, so that both can't drift. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/form.h"
#include "tui/screen/guide_init.h"

enum {
    FIELD_NAME,
    FIELD_MODEL,
    FIELD_PLATFORM,
    FIELD_HOSTS,
    FIELD_SOURCE,
    FIELD_STATE,
    FIELD_COUNT
};
enum { BUTTON_SHOW, BUTTON_WRITE, BUTTON_DEMO, BUTTON_COUNT };

static const struct {
    const char *label, *help, *option;
} guide_fields[FIELD_COUNT] = {
    [FIELD_NAME] = {"Name", "of the context, in the header of every screen", "--name"},
    [FIELD_MODEL] = {"Model", "the bundle exported from DataSurface", "--model"},
    [FIELD_PLATFORM] = {"Platform", "whose intention graph; needed when the model has several",
                        "--platform"},
    [FIELD_HOSTS] = {"Hosts", "where to look for services; only hosts that you name are asked",
                     "--host"},
    [FIELD_SOURCE] = {"Source",
                      "the database, as libpq writes it, without a password: "
                      "host=… dbname=… user=…",
                      "--source"},
    [FIELD_STATE] = {"State", "where runs, receipts and locks lie; empty: your own state folder",
                     "--state"},
};

struct guide {
    struct view view;
    struct form form;
    struct guide_job *job; /* init at work; it outlives us if we go first */
    bool written;
};

/* What a job needs, apart from the view. */
struct guide_job {
    struct guide *guide; /* NULL: the view went away */
    struct app *app;
    bool writes;
    char words[FIELD_COUNT * 2 + 4][FIELD_SIZE];
    const char *arguments[FIELD_COUNT * 2 + 5];
    struct buffer out, err;
    int exit_code;
};

static bool guide_job_run(struct job *job, void *context, struct error *error)
{
    struct guide_job *work = context;
    return guide_init_run(work->app->runner.binary.path, work->arguments, &work->out, &work->err,
                          &work->exit_code, job_stop_flag(job), error);
}

static void guide_job_done(void *context, bool ok, const struct error *error)
{
    struct guide_job *work = context;
    struct app *app = work->app;
    if (work->guide)
        work->guide->job = NULL;
    app_dirty(app);
    if (!ok) {
        app_fail(app, error);
    } else if (work->exit_code) {
        struct slice words = buffer_slice(&work->err);
        app_text(app, "That does not work yet", words.length ? words : slice_of("no word why"));
    } else if (!work->writes) {
        app_text(app, "The profile that would be written", buffer_slice(&work->out));
    } else if (work->guide && buffer_text(&work->out, NULL)) {
        work->out.data[strcspn(work->out.data, "\n")] = '\0';
        work->guide->written = true;
        app_say(app, STYLE_OK, "%s is written; surfboard --profile %s opens it", work->out.data,
                work->out.data);
        app_reopen(app, work->out.data);
    }
    buffer_destroy(&work->out);
    buffer_destroy(&work->err);
    free(work);
}

static const struct job_kind guide_job = {"init", 60000, guide_job_run, guide_job_done};

static void guide_start(struct guide *guide, bool writes)
{
    struct error error = {0};
    struct guide_job *work = memory_zero(1, sizeof *work, &error);
    size_t count = 0, words = 0;
    if (work == NULL) {
        app_fail(guide->view.app, &error);
        return;
    }
    work->guide = guide;
    work->app = guide->view.app;
    work->writes = writes;
    work->arguments[count++] = "init";
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &guide->form.fields[i].field;
        if (field->length == 0)
            continue;
        snprintf(work->words[words], FIELD_SIZE, "%s", field->text);
        work->arguments[count++] = guide_fields[i].option;
        work->arguments[count++] = work->words[words++];
    }
    if (!writes) {
        work->arguments[count++] = "--output";
        work->arguments[count++] = "-";
    }
    guide->job = work;
    app_say(guide->view.app, STYLE_DIM, "looking at what you named");
    app_job(guide->view.app, &guide_job, work);
}

/* ---- the view ---- */

static struct view *guide_open(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct guide *guide = memory_zero(1, sizeof *guide, error);
    if (guide == NULL)
        return NULL;
    guide->view = (struct view){&view_guide, app};
    guide->form.field_count = FIELD_COUNT;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        guide->form.fields[i].label = guide_fields[i].label;
        guide->form.fields[i].help = guide_fields[i].help;
    }
    field_set(&guide->form.fields[FIELD_NAME].field, "local");
    if (file_exists("model.json"))
        field_set(&guide->form.fields[FIELD_MODEL].field, "model.json");
    guide->form.buttons[BUTTON_SHOW] = "Show profile";
    guide->form.buttons[BUTTON_WRITE] = "Write profile";
    guide->form.buttons[BUTTON_DEMO] = "Demo instead";
    guide->form.button_count = BUTTON_COUNT;
    return &guide->view;
}

static void guide_close(struct view *view)
{
    struct guide *guide = (struct guide *)view;
    if (guide->job)
        guide->job->guide = NULL;
    free(guide);
}

static void guide_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct guide *guide = (struct guide *)view;
    struct rect inside = canvas_box(canvas, rect, "First start", NULL, true);
    canvas_print(
        canvas, inside.row, inside.column + 1, inside.columns - 2, STYLE_DIM,
        "Nothing is changed but the one file that Write profile makes. It holds no secret.");
    inside.row += 2;
    inside.rows -= 2;
    form_draw(&guide->form, canvas, inside);
}

static enum answer guide_can(struct view *view, enum action_id action, const char **why)
{
    struct guide *guide = (struct guide *)view;
    if (action == ACTION_ACCEPT && guide->job) {
        *why = "it is still looking at what you named";
        return ANSWER_REFUSED;
    }
    if (action == ACTION_ACCEPT && form_button(&guide->form) == BUTTON_WRITE &&
        view->app->read_only) {
        *why = "--read-only was given";
        return ANSWER_REFUSED;
    }
    if (action == ACTION_BACK)
        return form_button(&guide->form) < 0 ? ANSWER_WORKS : ANSWER_ABSENT;
    return form_can(&guide->form, action);
}

static void guide_act(struct view *view, enum action_id action)
{
    struct guide *guide = (struct guide *)view;
    if (action == ACTION_BACK)
        guide->form.focus = guide->form.field_count; /* out of the text: q and ? are keys again */
    if (action == ACTION_BACK || form_act(&guide->form, action))
        return;
    switch (form_button(&guide->form)) {
    case BUTTON_SHOW:
        guide_start(guide, false);
        break;
    case BUTTON_WRITE:
        guide_start(guide, true);
        break;
    case BUTTON_DEMO:
        view->app->wants_demo = true;
        view->app->ended = true;
        break;
    default:
        break;
    }
}

static bool guide_key(struct view *view, key_code key)
{
    struct guide *guide = (struct guide *)view;
    if (form_button(&guide->form) < 0 && key == KEY_PASTE && view->app->input) {
        field_paste(&guide->form.fields[guide->form.focus].field, app_paste(view->app));
        return true;
    }
    return form_key(&guide->form, key);
}

static const enum scope guide_scopes[] = {SCOPE_BOX, SCOPE_MOVE, SCOPE_COUNT};

static bool guide_types(const struct view *view)
{
    return form_button(&((const struct guide *)view)->form) < 0;
}

const struct view_kind view_guide = {
    .types = guide_types,
    .name = "guide",
    .title = "First start",
    .action = ACTION_NONE,
    .scopes = guide_scopes,
    .open = guide_open,
    .close = guide_close,
    .draw = guide_draw,
    .can = guide_can,
    .act = guide_act,
    .key = guide_key,
};
