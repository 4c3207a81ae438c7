#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "tui/screen/terminal_inside.h"
#include "tui/screen/terminfo.h"

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool capability_is(const char *name, const char *prefix)
{
    const char *value = terminfo_string(name);
    return value && starts_with(value, prefix);
}

static bool has(const char *name)
{
    return terminfo_string(name) != NULL;
}

static void append_text(char *bytes, size_t *length, const char *text)
{
    size_t more = strlen(text);
    if (*length + more > TERMINAL_MODE_BYTES)
        return;
    memcpy(bytes + *length, text, more);
    *length += more;
}

static void append_capability(char *bytes, size_t *length, const char *name)
{
    terminfo_append(name, 0, 0, bytes, TERMINAL_MODE_BYTES, length);
}

/* Consoles and real terminals print what they don't know; xterm and its kin ignore it. The latter
 * are told by their alternate screen, which is a private mode of xterm's. */
static bool is_modern(const char *type)
{
    static const char *const plain[] = {"linux", "ansi", "cons", "dumb"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (starts_with(type, plain[i]))
            return false;
    if (starts_with(type, "vt") && type[2] >= '0' && type[2] <= '9')
        return false;
    const char *alternate = terminfo_string("smcup");
    return alternate && strstr(alternate, "\x1b[?") != NULL;
}

/* COLORTERM comes through ssh and sudo with the user; under GNU screen, which knows 256 colours at
 * most, it still tells of the terminal outside. tmux understands it. */
static bool says_true_color(const char *type)
{
    const char *value = getenv("COLORTERM");
    bool screen = starts_with(type, "screen") && getenv("TMUX") == NULL;
    return value && !screen && (strcmp(value, "truecolor") == 0 || strcmp(value, "24bit") == 0);
}

static enum color_depth find_depth(const struct terminal *terminal, const char *type)
{
    int colors = terminfo_number("colors");
    if (!terminal->known_type || colors < 8)
        return COLORS_NONE;
    bool direct = terminfo_flag("RGB") || terminfo_number("RGB") > 0 || has("RGB") ||
                  terminfo_flag("Tc") || colors >= 1 << 24;
    if (direct || (terminal->modern && says_true_color(type)))
        return COLORS_TRUE;
    return colors >= 256 ? COLORS_256 : COLORS_16;
}

static void find_abilities(struct terminal *terminal, const char *type)
{
    struct painter_abilities *can = &terminal->abilities;
    can->ansi = capability_is("cup", "\x1b[%i%p1%d;%p2%dH") && capability_is("el", "\x1b[K") &&
                capability_is("hpa", "\x1b[%i%p1%dG") && capability_is("sgr0", "\x1b[");
    can->ansi = can->ansi || (terminal->modern && capability_is("cup", "\x1b[%i%p1%d;%p2%dH"));
    can->blanks = capability_is("ech", "\x1b[%p1%dX");
    can->erases = terminfo_flag("bce");
    can->scrolls = can->ansi && capability_is("csr", "\x1b[%i%p1%d;%p2%dr") &&
                   capability_is("indn", "\x1b[%p1%dS") && capability_is("rin", "\x1b[%p1%dT");
    can->depth = find_depth(terminal, type);
}

static bool find_type(struct terminal *terminal, const char **type, struct error *error)
{
    const char *name = getenv("TERM");
    bool named = name && *name;
    terminal->known_type = named && terminfo_open(name, terminal->fd) && !terminfo_flag("gn");
    *type = terminal->known_type ? name : "vt100";
    if (!terminal->known_type && !terminfo_open("vt100", terminal->fd))
        return error_set(error, ERROR_REFUSED,
                         "install the package ncurses-base, or set TERM to a type that `toe` "
                         "lists; all of it also works on the command line: surfboard --help",
                         "no description of the terminal type \"%s\", nor of a vt100",
                         named ? name : "");
    if (!has("cup"))
        return error_set(error, ERROR_REFUSED,
                         "use the command line, which does all that the screen does (surfboard "
                         "--help; surfboard status), or set TERM to what your terminal is, say "
                         "TERM=xterm-256color",
                         "a terminal of the type \"%s\" can't place its cursor, so there is no "
                         "screen to draw",
                         *type);
    return true;
}

static void fill_on(struct terminal *terminal, bool mouse)
{
    char *on = terminal->on;
    size_t *length = &terminal->on_length;
    *length = 0;
    append_capability(on, length, "smcup");
    if (terminal->modern) {
        const char *alternate = terminfo_string("smcup");
        if (alternate && strstr(alternate, "\x1b[22;") == NULL)
            append_text(on, length, "\x1b[22;2t"); /* keeps the title for later */
        append_text(on, length, "\x1b[?2004h");
        if (mouse)
            append_text(on, length, "\x1b[?1000h\x1b[?1006h");
    }
    append_capability(on, length, "smkx");
}

void terminal_modes_leave(struct terminal *terminal)
{
    char *off = terminal->off;
    size_t *length = &terminal->off_length;
    *length = 0;
    if (terminal->modern)
        append_text(off, length, "\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l");
    append_capability(off, length, "sgr0");
    append_capability(off, length, "rmacs");
    if (terminal->abilities.scrolls)
        append_text(off, length, "\x1b[r");
    append_capability(off, length, "cnorm");
    append_capability(off, length, "rmkx");
    if (terminal->modern) {
        const char *alternate = terminfo_string("rmcup");
        if (alternate && strstr(alternate, "\x1b[23;") == NULL)
            append_text(off, length, "\x1b[23;2t");
    }
    if (has("rmcup")) {
        append_capability(off, length, "rmcup");
    } else {
        terminfo_append("cup", terminal->rows - 1, 0, off, TERMINAL_MODE_BYTES, length);
        append_text(off, length, "\r\n");
    }
}

void terminal_modes_title(struct terminal *terminal, const char *title)
{
    char *out = terminal->title;
    size_t length = 0, left = title ? strlen(title) : 0;
    terminal->title_length = 0;
    if (!terminal->modern || left == 0)
        return;
    append_text(out, &length, "\x1b]2;");
    while (left > 0 && length + 8 < TERMINAL_MODE_BYTES) {
        size_t width = utf8_character_length(title, left);
        uint32_t point = width ? utf8_decode(title, width) : 0;
        if (point >= ' ' && point != 0x7f && !(point >= 0x80 && point < 0xa0)) {
            memcpy(out + length, title, width);
            length += width;
        }
        width = width ? width : 1;
        title += width;
        left -= width;
    }
    append_text(out, &length, "\x1b\\");
    terminal->title_length = length;
}

bool terminal_modes_find(struct terminal *terminal, const struct terminal_options *options,
                         struct error *error)
{
    const char *type, *no_color = getenv("NO_COLOR");
    TRY(find_type(terminal, &type, error));
    terminal->modern = is_modern(type);
    terminal->synchronised = terminal->modern;
    terminal->utf8 = !options->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    find_abilities(terminal, type);
    if (options->no_color || (no_color && *no_color))
        terminal->abilities.depth = COLORS_NONE;
    fill_on(terminal, options->mouse);
    terminal_modes_leave(terminal);
    terminal_modes_title(terminal, options->title);
    return true;
}
