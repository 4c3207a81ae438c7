/* Where each step is, from the last look and from the run that is followed. */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "tui/screen/view_pipeline.h"

enum { ASKS_SHOWN_MS = 1000 };

struct pipe_stream *pipe_stream_now(const struct pipeline_view *view)
{
    return view->current < view->count ? &view->streams[view->current] : NULL;
}

struct pipe_step *pipe_step_now(const struct pipeline_view *view)
{
    struct pipe_stream *stream = pipe_stream_now(view);
    return stream && stream->list.selected < stream->count ? &stream->steps[stream->list.selected]
                                                           : NULL;
}

/* FAIL, UNKNOWN, WARN, OK in that order, over check and proof. */
enum step_verdict pipe_verdict(const struct pipe_answer *answer)
{
    static const int weight[] = {
        [VERDICT_OK] = 0, [VERDICT_WARN] = 1, [VERDICT_UNKNOWN] = 2, [VERDICT_FAIL] = 3};
    enum step_verdict found = step_report_verdict(&answer->found);
    enum step_verdict proof = step_report_verdict(&answer->proof);
    return weight[proof] > weight[found] ? proof : found;
}

/* It is there as wanted; whether it also works is what the verdict says. */
static bool answer_stands(const struct pipe_answer *answer, const struct step *step)
{
    enum step_state state = answer->found.state;
    return answer->failure.kind == ERROR_NONE && (state == STEP_OURS || state == STEP_SHARED ||
                                                  (state == STEP_FITS && step->requirement));
}

bool pipe_stands(const struct pipe_step *step)
{
    return step->answer && answer_stands(step->answer, step->step) &&
           !step->answer->found.needs_person && pipe_verdict(step->answer) <= VERDICT_WARN;
}

bool pipe_to_do(const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    if (answer == NULL || answer->failure.kind || answer->found.needs_person)
        return false;
    return answer->found.state == STEP_ABSENT ||
           (answer->found.state == STEP_DIFFERS && answer->found.repairable);
}

/* ---- mark and word ---- */

static struct pipe_look_of look_of(enum pipe_mark mark, const char *word)
{
    struct pipe_look_of look = {.mark = mark};
    snprintf(look.word, sizeof look.word, "%s", word);
    return look;
}

static struct pipe_look_of look_of_standing(const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    enum step_verdict verdict = pipe_verdict(answer);
    struct pipe_look_of look = {.mark = PIPE_DONE};
    if (answer->found.needs_person)
        return look_of(PIPE_FAILED, "person");
    if (verdict == VERDICT_FAIL)
        return look_of(PIPE_FAILED, "failed");
    if (verdict == VERDICT_UNKNOWN)
        return look_of(PIPE_UNKNOWN, "unproved");
    snprintf(look.word, sizeof look.word, "%s",
             answer->has_receipt && answer->how == RECEIPT_ADOPTED ? "adopted"
             : answer->found.state == STEP_SHARED                  ? "= shared"
             : answer->found.state == STEP_OURS                    ? "ours"
                                                                   : "");
    if (verdict == VERDICT_WARN) {
        look.warns = true;
        snprintf(look.word, sizeof look.word, "warns");
    }
    return look;
}

static struct pipe_look_of look_of_answer(const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    if (answer == NULL)
        return look_of(PIPE_UNKNOWN, "not asked");
    if (answer->failure.kind)
        return look_of(PIPE_UNKNOWN, "no answer");
    if (answer_stands(answer, step->step))
        return look_of_standing(step);
    if (answer->found.needs_person)
        return look_of(PIPE_DIFFERS, "person");
    if (step->stopped_run[0])
        return look_of(PIPE_FAILED, "failed");
    switch (answer->found.state) {
    case STEP_ABSENT:
        return look_of(PIPE_TO_DO, "");
    case STEP_DIFFERS:
        return look_of(pipe_verdict(answer) == VERDICT_FAIL ? PIPE_FAILED : PIPE_DIFFERS,
                       "differs");
    case STEP_FITS:
        return look_of(PIPE_DIFFERS, "not ours");
    default:
        return look_of(PIPE_UNKNOWN, "unknown");
    }
}

static enum pipe_mark mark_of_deed(const char *did)
{
    if (strcmp(did, "applied") == 0 || strcmp(did, "kept") == 0)
        return PIPE_DONE;
    return strcmp(did, "stopped") == 0 ? PIPE_FAILED : PIPE_TO_DO;
}

struct pipe_look_of pipe_step_look(const struct pipeline_view *view,
                                   const struct pipe_stream *stream, size_t index)
{
    const struct pipe_step *step = &stream->steps[index];
    int64_t now = clock_now_us(), since_us = 0;
    char age[32];
    bool here = stream == pipe_stream_now(view);
    if (here && pipe_follow_step(view, &since_us) == (int)index) {
        struct pipe_look_of look = {.mark = PIPE_RUNNING};
        watch_age((double)(now - since_us) / 1e6, look.word, sizeof look.word);
        return look;
    }
    if (step->did[0]) {
        struct pipe_look_of look = {.mark = mark_of_deed(step->did)};
        snprintf(look.word, sizeof look.word, "%s", step->did);
        return look;
    }
    struct pipe_look_of look = look_of_answer(step);
    look.grey = step->answer && (step->stale || step->asked_us ||
                                 now - step->answer->at_us > PIPE_STALE_MS * INT64_C(1000));
    if (step->asked_us && (step->answer == NULL || now - step->asked_us > ASKS_SHOWN_MS * 1000)) {
        watch_age((double)(now - step->asked_us) / 1e6, age, sizeof age);
        look = (struct pipe_look_of){.mark = PIPE_UNKNOWN};
        snprintf(look.word, sizeof look.word, "asks %s", age);
    }
    return look;
}

size_t pipe_done(const struct pipeline_view *view, const struct pipe_stream *stream)
{
    size_t done = 0;
    for (size_t i = 0; i < stream->count; i++)
        done += pipe_step_look(view, stream, i).mark == PIPE_DONE;
    return done;
}

const char *pipe_style(const struct canvas *canvas, enum pipe_mark mark, enum style *style)
{
    static const struct {
        enum glyph glyph;
        enum style style;
    } looks[] = {[PIPE_DONE] = {GLYPH_DONE, STYLE_OK},
                 [PIPE_FAILED] = {GLYPH_FAIL, STYLE_FAIL},
                 [PIPE_DIFFERS] = {GLYPH_WARN, STYLE_WARN},
                 [PIPE_UNKNOWN] = {GLYPH_UNKNOWN, STYLE_UNKNOWN},
                 [PIPE_TO_DO] = {GLYPH_ABSENT, STYLE_ABSENT},
                 [PIPE_RUNNING] = {GLYPH_MARK, STYLE_STRONG}};
    *style = looks[mark].style;
    return canvas_glyph(canvas, looks[mark].glyph);
}

/* ---- what down would do, as bring_up_undo() decides it ---- */

const char *pipe_undo_action(const struct pipe_step *step, bool shared)
{
    const struct pipe_answer *answer = step->answer;
    if (answer == NULL || !answer->has_receipt || (!answer->joined && answer->users > 0))
        return NULL;
    bool others = answer->users > 1;
    bool wide = step->step->scope == STEP_PLATFORM || step->step->scope == STEP_SOURCE;
    if (others || answer->how == RECEIPT_ADOPTED)
        return "released";
    return wide && !shared ? "kept-shared" : "undone";
}

/* ---- words ---- */

const char *pipe_title(const struct step *step)
{
    size_t length = strlen(step->id);
    if (strncmp(step->title, step->id, length) != 0 || step->title[length] != ':')
        return step->title;
    return step->title + length + 1 + strspn(step->title + length + 1, " ");
}
