/* The stream under the cursor: its chain, what happens if nobody does anything, the remedy, and
 * when all that was checked. */
#include <string.h>

#include "core/base/quantity.h"
#include "tui/screen/view_streams.h"

enum { CHAIN_POSITIONS_COLUMNS = 110, DETAIL_ROWS = 7, DETAIL_TALL_ROWS = 36, LABEL_WIDTH = 9 };

static enum glyph chain_glyph(enum lag_state state, enum style *style)
{
    static const char *const names[] = {[LAG_OK] = "ok",
                                        [LAG_WARN] = "late",
                                        [LAG_FAIL] = "FAILED",
                                        [LAG_UNKNOWN] = "unknown",
                                        [LAG_NONE] = "not built"};
    return watch_glyph(names[state], style);
}

/* ---- texts ---- */

/* "-212 MB", "12 min", "41": the figure that tells most at this stage. */
static void stage_figure(const struct lag *lag, int index, char *out, size_t size)
{
    const struct lag_stage *stage = &lag->chain[index];
    char bytes[QUANTITY_TEXT_SIZE];
    if (stage->state == LAG_UNKNOWN || stage->state == LAG_NONE) {
        snprintf(out, size, "%s", stage->state == LAG_NONE ? stage->position : "?");
    } else if (index == 1 && lag->captured_bytes) {
        quantity_format_bytes(lag->captured_bytes, bytes);
        snprintf(out, size, "-%s", bytes);
    } else if (index == 0) {
        snprintf(out, size, "%s", stage->position);
    } else if (index == 3) {
        snprintf(out, size, "%lld", (long long)lag->batch);
    } else {
        /* Visible is as old as what was not captured or not merged yet. */
        watch_age(index == LAG_STAGES - 1 ? lag->freshness_s : stage->lag_s, out, size);
    }
}

/* Time until `room` is used up at `rate`. */
static void room_left(double room, double rate, char *out, size_t size)
{
    char text[32];
    *out = '\0';
    if (rate <= 0 || room / rate > 86400.0 * 365)
        return;
    watch_age(room / rate, text, sizeof text);
    snprintf(out, size, " in about %s", text);
}

static void held_grows(const struct watch_stream *stream, char *out, size_t size)
{
    char bytes[QUANTITY_TEXT_SIZE];
    *out = '\0';
    if (stream->wal.per_s <= 0)
        return;
    quantity_format_bytes((uint64_t)(stream->wal.per_s * 60), bytes);
    snprintf(out, size, ", %s/min", bytes);
}

void streams_if_left(const struct watch_stream *stream, char *out, size_t size)
{
    const struct lag *lag = &stream->lag;
    char held[QUANTITY_TEXT_SIZE], room[QUANTITY_TEXT_SIZE], when[48], grows[48];
    *out = '\0';
    if (!stream->known || strcmp(lag->state, "not built") == 0)
        return;
    if (lag->chain[0].state == LAG_UNKNOWN || lag->chain[1].state == LAG_UNKNOWN) {
        snprintf(out, size, "not known: the source does not answer");
        return;
    }
    held_grows(stream, grows, sizeof grows);
    quantity_format_bytes(lag->held_bytes, held);
    /* A slot that is read gives its WAL free; one that nobody reads keeps it. */
    bool reads = lag->chain[1].state == LAG_OK;
    if (lag->chain[1].state == LAG_FAIL || lag->chain[1].state == LAG_NONE) {
        snprintf(out, size, "the lake stays as old as it is; only a new snapshot helps");
    } else if (lag->room_bytes >= 0 && !reads) {
        quantity_format_bytes((uint64_t)lag->room_bytes, room);
        room_left((double)lag->room_bytes, stream->wal.per_s, when, sizeof when);
        snprintf(out, size, "slot is lost%s: %s of WAL room%s%s", *when ? when : " one day", room,
                 grows, *when ? "" : " (rate not known yet)");
    } else if (!reads) {
        snprintf(out, size, "no WAL limit: %s held%s, until the disk is full", held, grows);
    } else if (strcmp(lag->state, "late") == 0 || strcmp(lag->state, "stopped") == 0) {
        snprintf(out, size,
                 "delta files wait; nothing is lost, the lake gets older (%s of WAL "
                 "held)",
                 held);
    } else {
        snprintf(out, size, "nothing gets worse: the slot keeps %s of WAL", held);
    }
}

/* Puts the stream's name where a remedy says STREAM. */
static void fill_name(const char *text, const char *name, char *out, size_t size)
{
    const char *found = strstr(text, "STREAM");
    if (found)
        snprintf(out, size, "%.*s%s%s", (int)(found - text), text, name, found + 6);
    else
        snprintf(out, size, "%s", text);
}

void streams_remedy(const struct app *app, const struct watch_stream *stream, char *out,
                    size_t size)
{
    const char *state = watch_state(app, stream);
    char own[LAG_REASON_SIZE];
    *out = '\0';
    if (!stream->known)
        return;
    if (watch_is_stale(app, stream)) {
        snprintf(out, size, "r looks again; the header says which service does not answer");
        return;
    }
    fill_name(stream->lag.remedy, stream->lag.stream->name, own, sizeof own);
    bool merges = stream->lag.stuck_at && strcmp(stream->lag.stuck_at, "merged") == 0;
    const char *key = stream->lag.stream->no_capture           ? ""
                      : strcmp(state, "not built") == 0        ? "b shows its steps"
                      : strcmp(state, "paused") == 0           ? "P lets it go on"
                      : strcmp(state, "stopped") == 0          ? "P runs it and keeps it running"
                      : merges && stream->merging[0]           ? "7 shows the run"
                      : merges && strcmp(state, "FAILED") == 0 ? "7 shows the run, m tries again"
                      : merges                                 ? "m merges what waits"
                      : strcmp(state, "FAILED") == 0           ? "7 shows what ran"
                                                               : "";
    snprintf(out, size, "%s%s%s", own, *own && *key ? "; " : "", key);
}

void streams_checked(const struct app *app, const struct watch_stream *stream, char *out,
                     size_t size)
{
    (void)app;
    char at[32];
    if (!stream->known) {
        snprintf(out, size, "not yet");
        return;
    }
    watch_time(stream->checked_us, true, at, sizeof at);
    int used = snprintf(out, size, "%s", at);
    for (int i = 0; i < LAG_STAGES && used > 0 && (size_t)used < size; i++) {
        if (stream->answered_us[i] == stream->checked_us)
            continue;
        watch_time(stream->answered_us[i], true, at, sizeof at);
        used += snprintf(out + used, size - (size_t)used, "; %s %s%s", stream->lag.chain[i].stage,
                         stream->answered_us[i] ? "last answered " : "never answered",
                         stream->answered_us[i] ? at : "");
    }
}

static void readers_text(const struct watch_stream *stream, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < stream->reader_count && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", stream->readers[i]);
    if (stream->reader_count == 0)
        snprintf(out, size, "no workspace of the model");
}

/* ---- drawing ---- */

static void draw_chain(const struct lag *lag, struct canvas *canvas, struct rect rect, bool stale,
                       bool positions)
{
    int each = rect.columns / LAG_STAGES;
    for (int i = 0; i < LAG_STAGES; i++) {
        const struct lag_stage *stage = &lag->chain[i];
        int column = rect.column + i * each;
        char figure[LAG_TEXT_SIZE];
        enum style style;
        enum glyph glyph = chain_glyph(stage->state, &style);
        canvas_print(canvas, rect.row, column, each - 3, STYLE_LABEL, stage->stage);
        if (i < LAG_STAGES - 1)
            canvas_print(canvas, rect.row, column + each - 2, 1, STYLE_DIM,
                         canvas_glyph(canvas, GLYPH_CLOSED));
        stage_figure(lag, i, figure, sizeof figure);
        style = stale ? STYLE_DIM : style;
        canvas_print(canvas, rect.row + 1, column, 1, style, canvas_glyph(canvas, glyph));
        canvas_print(canvas, rect.row + 1, column + 2, each - 3, stale ? STYLE_DIM : STYLE_TEXT,
                     figure);
        if (positions && stage->state != LAG_NONE)
            canvas_print(canvas, rect.row + 2, column + 2, each - 3, STYLE_DIM, stage->position);
    }
}

static bool shows_positions(int columns, int rows)
{
    return columns >= CHAIN_POSITIONS_COLUMNS && rows >= DETAIL_TALL_ROWS;
}

int streams_detail_rows(const struct streams_view *view, int rows, int columns)
{
    (void)view;
    if (rows < DETAIL_TALL_ROWS)
        return DETAIL_ROWS;
    return DETAIL_ROWS + 3 + shows_positions(columns, rows);
}

static void draw_line(struct canvas *canvas, struct rect inside, int *row, const char *label,
                      enum style style, const char *text)
{
    if (*row >= inside.row + inside.rows || *text == '\0')
        return;
    canvas_print(canvas, *row, inside.column + 1, LABEL_WIDTH, STYLE_LABEL, label);
    canvas_print(canvas, *row, inside.column + 1 + LABEL_WIDTH, inside.columns - LABEL_WIDTH - 2,
                 style, text);
    (*row)++;
}

static void detail_title(const struct streams_view *view, const struct watch_stream *stream,
                         char *out, size_t size)
{
    const char *dash = streams_dash(view->view.app);
    const struct stream *of = stream->lag.stream;
    const struct capture *capture = of->capture;
    size_t others = capture && capture->stream_count ? capture->stream_count - 1 : 0;
    char rest[96] = "not captured from here";
    if (capture && others)
        snprintf(rest, sizeof rest, "capture \"%.40s\", with %zu other stream%s", capture->prefix,
                 others, others == 1 ? "" : "s");
    else if (capture)
        snprintf(rest, sizeof rest, "capture \"%.40s\", no other stream", capture->prefix);
    snprintf(out, size, "%s %s %zu table%s of %s %s %s", of->name, dash, of->table_count,
             of->table_count == 1 ? "" : "s", capture ? capture->source->name : of->store, dash,
             rest);
}

static void draw_orphan(const struct watch_orphan *orphan, struct canvas *canvas, struct rect rect)
{
    char title[160], text[256], held[QUANTITY_TEXT_SIZE];
    snprintf(title, sizeof title, "slot %s of %s", orphan->slot, orphan->source);
    struct rect inside = canvas_box(canvas, rect, title, NULL, false);
    int row = inside.row;
    quantity_format_bytes(orphan->held_bytes, held);
    draw_line(canvas, inside, &row, "State", STYLE_WARN,
              "no stream of this profile reads it, and nobody is connected to it");
    snprintf(text, sizeof text, "the server keeps all WAL since its position: %s now", held);
    draw_line(canvas, inside, &row, "If left", STYLE_TEXT, text);
    snprintf(text, sizeof text, "find out whose it is; then SELECT pg_drop_replication_slot('%s')",
             orphan->slot);
    draw_line(canvas, inside, &row, "Remedy", STYLE_TEXT, text);
}

/* Before the first look: the same page, with nothing claimed. */
static const struct lag not_looked = {
    .state = "looking",
    .chain = {{.stage = "source", .lag_s = -1, .state = LAG_UNKNOWN},
              {.stage = "captured", .lag_s = -1, .state = LAG_UNKNOWN},
              {.stage = "files", .lag_s = -1, .state = LAG_UNKNOWN},
              {.stage = "merged", .lag_s = -1, .state = LAG_UNKNOWN},
              {.stage = "visible", .lag_s = -1, .state = LAG_UNKNOWN}}};

void streams_draw_detail(struct streams_view *view, struct canvas *canvas, struct rect rect)
{
    const struct app *app = view->view.app;
    const struct streams_row *row = streams_row(view);
    const struct watch_stream *stream = streams_selected(view);
    char text[LAG_REASON_SIZE + 256];
    if (row == NULL) {
        canvas_box(canvas, rect, NULL, NULL, false);
        return;
    }
    if (stream == NULL) {
        draw_orphan(&app->watch.orphans[row->index], canvas, rect);
        return;
    }
    bool stale = !stream->known || watch_is_stale(app, stream);
    bool positions = rect.rows > DETAIL_ROWS + 3;
    detail_title(view, stream, text, sizeof text);
    struct rect inside = canvas_box(canvas, rect, text, NULL, false);
    struct rect chain = {inside.row, inside.column + 1, 2, inside.columns - 1};
    draw_chain(stream->known ? &stream->lag : &not_looked, canvas, chain, stale, positions);
    int at = inside.row + 2 + positions;
    if (rect.rows > DETAIL_ROWS) {
        streams_reason(app, stream, text, sizeof text);
        draw_line(canvas, inside, &at, "State", STYLE_TEXT, *text ? text : "ok");
    }
    if (stream->known)
        streams_if_left(stream, text, sizeof text);
    else
        snprintf(text, sizeof text, "not known yet");
    draw_line(canvas, inside, &at, "If left", STYLE_TEXT, text);
    streams_remedy(app, stream, text, sizeof text);
    draw_line(canvas, inside, &at, "Remedy", STYLE_TEXT, text);
    streams_checked(app, stream, text, sizeof text);
    draw_line(canvas, inside, &at, "Checked", STYLE_DIM, text);
    /* Who reads it comes with the first look. */
    readers_text(stream, text, sizeof text);
    draw_line(canvas, inside, &at, "Read by", STYLE_TEXT, stream->known ? text : "looking");
    const char *from = stream->lag.stream->freshness_from_model ? "of the model" : "of the profile";
    char goal[32];
    watch_age((double)stream->lag.stream->freshness_ms / 1e3, goal, sizeof goal);
    snprintf(text, sizeof text, "%s, %s", goal, from);
    draw_line(canvas, inside, &at, "Goal", STYLE_TEXT, text);
}
