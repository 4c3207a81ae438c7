/* probe: the terminal layer by itself, in the smallest program that obeys all of its rules. The pty
 * tier drives it like the real screen, plus what the real one has no keys for.
 *
 *   probe [--mouse] [--no-color] [--ascii]
 *
 * A list of 10,000 rows. Arrows, PgUp, PgDn, Home, End move; q ends; Ctrl-Z stops; y copies the
 * row, Y more than a clipboard takes; t sets a title; E gives the terminal to a child for a moment,
 * as $EDITOR would; S A F O W crash: bad address, abort, division, stack overflow, bad address on a
 * worker thread with its stack used up. The last line tells the keys heard so far and the last one.
 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tui/screen/input.h"
#include "tui/screen/painter.h"
#include "tui/screen/signal.h"
#include "tui/screen/terminal.h"

enum {
    LIST_ROWS = 10000,
    ESCAPE_MS = 50,
    /* While somebody drags the window's corner: once it rests for so long, and meanwhile so often.
     */
    RESIZE_REST_MS = 30,
    RESIZE_MOST_MS = 250,
    EXIT_LINE_GONE = 8
};

struct probe {
    struct terminal terminal;
    struct signals signals;
    struct input input;
    struct theme theme;
    struct canvas canvas;
    struct painter painter;
    struct buffer frame;
    int selected, top;
    unsigned keys;
    char last[KEY_NAME_SIZE + 64];
    bool changed, ended;
    int64_t resized_ms, drawn_ms; /* 0: not resized since */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- drawing */

/* The last line is the foot; what is above it the list, in a box if there is room for one. */
static struct rect list_place(struct probe *probe, bool draw_box)
{
    struct rect place = {0, 0, probe->canvas.rows, probe->canvas.columns};
    if (place.rows > 1)
        place.rows--;
    if (place.rows < 4 || place.columns < 4)
        return place;
    if (draw_box)
        return canvas_box(&probe->canvas, place, "Probe", "10,000 rows", true);
    return (struct rect){1, 1, place.rows - 2, place.columns - 2};
}

static int list_rows(struct probe *probe)
{
    return list_place(probe, false).rows;
}

static void scroll_into_view(struct probe *probe)
{
    int rows = list_rows(probe);
    if (probe->selected < probe->top)
        probe->top = probe->selected;
    if (probe->selected >= probe->top + rows)
        probe->top = probe->selected - rows + 1;
    if (probe->top > LIST_ROWS - rows)
        probe->top = LIST_ROWS - rows;
    probe->top = probe->top > 0 ? probe->top : 0;
}

static void draw_list(struct probe *probe)
{
    struct canvas *canvas = &probe->canvas;
    struct rect place = list_place(probe, true);
    for (int i = 0; i < place.rows && probe->top + i < LIST_ROWS; i++) {
        int row = probe->top + i;
        bool here = row == probe->selected;
        enum style style = here ? STYLE_STRONG : row % 7 == 3 ? STYLE_WARN : STYLE_TEXT;
        canvas_print(canvas, place.row + i, place.column, 1, STYLE_STRONG,
                     here ? canvas_glyph(canvas, GLYPH_CURSOR) : " ");
        canvas_format(canvas, place.row + i, place.column + 2, place.columns - 2, style, "row %05d",
                      row);
        if (here)
            canvas_cursor(canvas, place.row + i, place.column);
    }
}

static void draw_foot(struct probe *probe)
{
    if (probe->canvas.rows > 1)
        canvas_format(&probe->canvas, probe->canvas.rows - 1, 0, probe->canvas.columns, STYLE_DIM,
                      "keys %u last %s", probe->keys, probe->last);
}

/* The canvas follows the terminal's size; without memory for it the screen stays as it is. */
static bool draw(struct probe *probe)
{
    struct canvas *canvas = &probe->canvas;
    struct terminal *terminal = &probe->terminal;
    probe->changed = false;
    probe->resized_ms = 0;
    probe->drawn_ms = now_ms();
    if (canvas->rows != terminal->rows || canvas->columns != terminal->columns) {
        canvas_destroy(canvas);
        if (!canvas_init(canvas, terminal->rows, terminal->columns, NULL))
            return true;
        canvas->ascii = !terminal->utf8;
    }
    canvas_clear(canvas);
    scroll_into_view(probe);
    draw_list(probe);
    draw_foot(probe);
    buffer_clear(&probe->frame);
    if (!painter_frame(&probe->painter, canvas, &probe->frame, NULL))
        return true;
    return terminal_send(terminal, buffer_slice(&probe->frame));
}

static void repaint(struct probe *probe)
{
    painter_forget(&probe->painter);
    probe->changed = true;
}

/* -- crashes on demand: the compiler must not see them coming */

static int *volatile nowhere = (int *)64; /* not NULL: UBSan would see that before us */
static volatile int zero;

static int overflow(volatile char *below, int depth)
{
    volatile char room[4096];
    room[0] = (char)depth;
    return depth < 1 << 30 ? overflow(room, depth + 1) + room[0] : below[0];
}

static void *crash_on_worker(void *context)
{
    (void)context;
    terminal_guard_thread();
    volatile char first = 0;
    overflow(&first, 0);
    return NULL;
}

static void crash(key_code key)
{
    pthread_t thread;
    volatile char first = 0;
    terminal_doing("probe: a crash on demand");
    switch (key) {
    case 'S':
        *nowhere = 1;
        break;
    case 'A':
        abort();
    case 'F':
        raise(SIGFPE); /* a division is one for the processor only on some machines */
        break;
    case 'O':
        overflow(&first, zero);
        break;
    case 'W':
        if (pthread_create(&thread, NULL, crash_on_worker, NULL) == 0)
            pthread_join(thread, NULL);
        break;
    default:
        break;
    }
}

/* -- keys */

static void move(struct probe *probe, int to)
{
    probe->selected = to < 0 ? 0 : to >= LIST_ROWS ? LIST_ROWS - 1 : to;
}

static bool move_key(struct probe *probe, key_code key)
{
    int page = list_rows(probe), at = probe->selected;
    switch (key) {
    case KEY_UP:
        return move(probe, at - 1), true;
    case KEY_DOWN:
        return move(probe, at + 1), true;
    case KEY_PAGE_UP:
        return move(probe, at - page), true;
    case KEY_PAGE_DOWN:
        return move(probe, at + page), true;
    case KEY_HOME:
        return move(probe, 0), true;
    case KEY_END:
        return move(probe, LIST_ROWS - 1), true;
    default:
        return false;
    }
}

static void copy(struct probe *probe, bool much)
{
    static char many[TERMINAL_COPY_MOST + 1];
    struct error error = {0};
    char text[16];
    snprintf(text, sizeof text, "row %05d", probe->selected);
    memset(many, 'x', sizeof many);
    struct slice what = much ? slice_make(many, sizeof many) : slice_of(text);
    bool ok = terminal_copy(&probe->terminal, what, &error);
    snprintf(probe->last, sizeof probe->last, "%.70s", ok ? "copied" : error.message);
}

static void take_again(struct probe *probe)
{
    while (!terminal_resume(&probe->terminal)) /* in the background: stop until it is our turn */
        if (!signals_raise(&probe->signals, SIGTTIN))
            return;
    repaint(probe);
}

static void stop(struct probe *probe)
{
    terminal_suspend(&probe->terminal);
    signals_raise(&probe->signals, SIGTSTP);
    take_again(probe);
}

static void edit(struct probe *probe)
{
    terminal_suspend(&probe->terminal);
    pid_t child = fork();
    if (child == 0) {
        signals_child(&probe->signals);
        execlp("sh", "sh", "-c", "stty -a | grep -o -- '-*isig'; kill -TERM $$", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    take_again(probe);
    snprintf(probe->last, sizeof probe->last, "child ended by %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void hear(void *context, key_code key)
{
    struct probe *probe = context;
    probe->keys++;
    probe->changed = true;
    key_name(key, probe->last);
    if (key == KEY_PASTE)
        snprintf(probe->last, sizeof probe->last, "Paste %zu", input_paste(&probe->input).length);
    if (key == KEY_MOUSE)
        snprintf(probe->last, sizeof probe->last, "Mouse %d,%d", probe->input.mouse.row,
                 probe->input.mouse.column);
    if (move_key(probe, key))
        return;
    if (key == 'q')
        probe->ended = true;
    else if (key == (KEY_CTRL | 'z'))
        stop(probe);
    else if (key == (KEY_CTRL | 'l'))
        repaint(probe);
    else if (key == 'y' || key == 'Y')
        copy(probe, key == 'Y');
    else if (key == 't')
        terminal_title(&probe->terminal, "probe\x1b\x07 \xc3\xa9\xc2\x9b title");
    else if (key == 'E')
        edit(probe);
    else
        crash(key);
}

/* -- the loop */

static void obey(struct probe *probe, int number)
{
    switch (number) {
    case SIGWINCH:
        if (terminal_measure(&probe->terminal)) {
            probe->changed = true;
            probe->resized_ms = now_ms();
        }
        break;
    case SIGTSTP:
        stop(probe);
        break;
    case SIGCONT:
        take_again(probe);
        break;
    default:
        terminal_close(&probe->terminal);
        signals_raise(&probe->signals, number);
        break;
    }
}

/* Milliseconds until the next frame may be drawn; 0: now, -1: nothing to draw. */
static int frame_due(const struct probe *probe)
{
    if (!probe->changed || terminal_busy(&probe->terminal))
        return -1;
    if (probe->resized_ms == 0)
        return 0;
    int64_t rest = probe->resized_ms + RESIZE_REST_MS, most = probe->drawn_ms + RESIZE_MOST_MS;
    int64_t left = (rest < most ? rest : most) - now_ms();
    return left > 0 ? (int)left : 0;
}

/* False when the line is gone. */
static bool turn(struct probe *probe)
{
    struct terminal *terminal = &probe->terminal;
    char bytes[4096];
    int due = frame_due(probe);
    if (due == 0 && !draw(probe))
        return false;
    struct pollfd waits[] = {
        {.fd = terminal->fd,
         .events = (short)(terminal_busy(terminal) ? POLLIN | POLLOUT : POLLIN)},
        {.fd = probe->signals.fd, .events = POLLIN},
    };
    bool held = input_waits(&probe->input);
    int ready = poll(waits, 2, due > 0 ? due : held ? ESCAPE_MS : -1);
    if (ready == 0 && held)
        input_flush(&probe->input, hear, probe);
    for (int number; (number = signals_next(&probe->signals)) != 0;)
        obey(probe, number);
    if (waits[0].revents & POLLOUT && !terminal_flush(terminal))
        return false;
    if (!(waits[0].revents & (POLLIN | POLLHUP | POLLERR)))
        return true;
    /* All that was typed until now, then one frame. */
    ssize_t count;
    while ((count = terminal_read(terminal, bytes, sizeof bytes)) > 0)
        input_feed(&probe->input, bytes, (size_t)count, hear, probe);
    return count == 0;
}

static bool open_all(struct probe *probe, int argc, char **argv, struct error *error)
{
    struct terminal_options options = {.title = "surfboard probe"};
    for (int i = 1; i < argc; i++) {
        options.mouse = options.mouse || strcmp(argv[i], "--mouse") == 0;
        options.no_color = options.no_color || strcmp(argv[i], "--no-color") == 0;
        options.ascii = options.ascii || strcmp(argv[i], "--ascii") == 0;
    }
    setlocale(LC_CTYPE, "");
    TRY(signals_open(&probe->signals, error));
    TRY(terminal_open(&probe->terminal, &options, error));
    terminal_guard_crashes();
    input_init(&probe->input, true);
    theme_load("dark", NULL, &probe->theme, NULL); /* or the built-in one */
    return painter_init(&probe->painter, &probe->terminal.abilities, &probe->theme, error);
}

int main(int argc, char **argv)
{
    static struct probe probe = {.changed = true};
    struct error error = {0};
    if (!open_all(&probe, argc, argv, &error)) {
        fprintf(stderr, "probe: %s\n  %s\n", error.message, error.remedy);
        return error_exit_code(error.kind);
    }
    bool alive = true;
    while (alive && !probe.ended)
        alive = turn(&probe);
    if (alive)
        terminal_close(&probe.terminal);
    else
        terminal_abandon(&probe.terminal);
    input_destroy(&probe.input);
    painter_destroy(&probe.painter);
    canvas_destroy(&probe.canvas);
    buffer_destroy(&probe.frame);
    signals_close(&probe.signals);
    return alive ? 0 : EXIT_LINE_GONE;
}
