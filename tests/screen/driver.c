/* Runs the scripts of this folder: see README.md for the words. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/quantity.h"
#include "tests/screen/driver.h"

enum { IDLE_LIMIT_MS = 60000, WAIT_LIMIT_MS = 20000, TURN_MS = 5, DEAF_MS = 250 };

bool script_fail(struct script *script, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: ", script->path, script->line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (script->started)
        screen_print(&script->app, stderr);
    return false;
}

static void clock_go_on(struct script *script, int64_t us)
{
    script->now_us += us;
    clock_fake(script->now_us);
}

/* ---- starting ---- */

/* Lines of the profile whose key is set anew. */
static void profile_drop(struct buffer *text, const char *lines)
{
    for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
        size_t key = strcspn(at, ":") + 1;
        char *line = text->data;
        while (*line && strncmp(line, at, key) != 0)
            line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != '\0');
        size_t length = strcspn(line, "\n");
        length += line[length] != '\0';
        memmove(line, line + length, text->length - (size_t)(line + length - text->data) + 1);
        text->length -= length;
    }
}

static bool script_profile(struct script *script)
{
    struct error error = {0};
    struct buffer text = {0};
    if (strcmp(script->world, "none") == 0)
        return true;
    const char *folder = getenv("WORLD");
    if (folder == NULL)
        return script_fail(script, "WORLD is not set: start scripts by tests/screen/run.py");
    snprintf(script->profile, sizeof script->profile, "%s/surfboard.yaml", folder);
    if (script->extra.length == 0)
        return true;
    bool ok = file_read(script->profile, &text, &error) && buffer_text(&text, &error) &&
              buffer_text(&script->extra, &error);
    if (ok)
        profile_drop(&text, script->extra.data);
    ok = ok && buffer_append_slice(&text, buffer_slice(&script->extra), &error);
    snprintf(script->profile, sizeof script->profile, "%s/%d.yaml", folder, (int)getpid());
    script->own_profile = true;
    ok = ok && file_write_atomic(script->profile, buffer_slice(&text), 0600, &error);
    buffer_destroy(&text);
    return ok || script_fail(script, "%s", error.message);
}

bool script_start(struct script *script)
{
    struct error error = {0};
    if (script->started)
        return true;
    if (!script_profile(script))
        return false;
    script->options.profile_path = script->profile[0] ? script->profile : NULL;
    /* An hour ahead: what the world holds is an hour old, whenever it was made. */
    clock_fake(-1);
    script->now_us = clock_now_us() + (script->clock_now ? 0 : INT64_C(3600000000));
    clock_fake(script->now_us);
    if (!app_open(&script->app, &script->options, &error)) {
        if (script->expects_refusal && strstr(error.message, script->expects_refusal))
            return true;
        return script_fail(script, "it does not open: %s; %s", error.message, error.remedy);
    }
    /* Runs are of the program itself, not of this driver. */
    const char *program = getenv("SURFBOARD");
    if (program && !run_binary_of(program, &script->app.runner.binary, &error))
        return script_fail(script, "%s", error.message);
    script->started = true;
    app_paint(&script->app);
    return true;
}

/* ---- waiting ---- */

static bool script_idle(struct script *script)
{
    struct app *app = &script->app;
    struct error error = {0};
    for (int64_t waited = 0; waited < IDLE_LIMIT_MS; waited += TURN_MS) {
        bool quiet = loop_is_idle(&app->loop);
        if (!loop_turn(&app->loop, quiet ? 0 : TURN_MS, &error))
            return script_fail(script, "%s", error.message);
        app_paint(app);
        if (quiet && loop_is_idle(&app->loop))
            return true;
        clock_go_on(script, TURN_MS * 1000);
    }
    return script_fail(script, "still busy (%d) after %d s", app->loop.busy, IDLE_LIMIT_MS / 1000);
}

static bool script_wait(struct script *script, const char *text)
{
    struct error error = {0};
    for (int64_t waited = 0; waited < WAIT_LIMIT_MS; waited += TURN_MS) {
        app_paint(&script->app);
        if (screen_find(&script->app, text, NULL, NULL))
            return true;
        loop_turn(&script->app.loop, TURN_MS, &error);
        clock_go_on(script, TURN_MS * 1000);
    }
    return script_fail(script, "never seen: %s", text);
}

static bool script_advance(struct script *script, const char *text)
{
    struct error error = {0};
    int64_t ms;
    if (!quantity_parse_duration(text, &ms))
        return script_fail(script, "no duration: %s", text);
    for (int64_t passed = 0; passed < ms; passed += 100) {
        clock_go_on(script, (ms - passed < 100 ? ms - passed : 100) * 1000);
        loop_turn(&script->app.loop, 0, &error);
    }
    return script_idle(script);
}

/* ---- keys ---- */

void script_press(struct script *script, key_code key)
{
    if (clock_monotonic_ns() < script->app.deaf_until_ns)
        clock_go_on(script, DEAF_MS * 1000);
    if (!script->app.ended)
        app_key(&script->app, key);
    app_paint(&script->app);
}

/* As a terminal hands over what was typed ahead: no time passes between the keys. */
static bool script_burst(struct script *script, char *words)
{
    char *place;
    for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place))
        app_key(&script->app, key_parse(word));
    return app_paint(&script->app);
}

static bool script_keys(struct script *script, char *words)
{
    char *place;
    for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
        char *star = strlen(word) > 1 ? strrchr(word, '*') : NULL;
        int times = 1;
        if (star && star[1]) {
            times = atoi(star + 1);
            *star = '\0';
        }
        key_code key = key_parse(word);
        if (key == KEY_NONE)
            return script_fail(script, "no such key: %s", word);
        while (times-- > 0)
            script_press(script, key);
    }
    return true;
}

static bool script_type(struct script *script, const char *text)
{
    for (size_t length = strlen(text), at = 0; at < length;) {
        size_t width = utf8_character_length(text + at, length - at);
        script_press(script, utf8_decode(text + at, width));
        at += width;
    }
    return true;
}

/* ---- the words ---- */

static bool parse_size(const char *text, int *rows, int *columns)
{
    return sscanf(text, "%dx%d", columns, rows) == 2 && *rows > 0 && *columns > 0;
}

/* The file in the sources: the driver does not lie where the program does. */
static const char *script_theme(struct script *script, const char *name)
{
    const char *root = getenv("ROOT");
    char path[1024];
    snprintf(path, sizeof path, "%s/themes/%s.yaml", root ? root : ".", name);
    return script_keep(script, path);
}

/* Words that count before the start; -1: it is another. */
static int script_option(struct script *script, const char *word, char *rest)
{
    struct app_options *options = &script->options;
    static const char *const depths[] = {"none", "16", "256", "true"};
    if (strcmp(word, "world") == 0)
        snprintf(script->world, sizeof script->world, "%s", rest);
    else if (strcmp(word, "size") == 0)
        return parse_size(rest, &options->rows, &options->columns);
    else if (strcmp(word, "theme") == 0)
        options->theme = script_theme(script, rest);
    else if (strcmp(word, "ascii") == 0)
        options->ascii = true;
    else if (strcmp(word, "read-only") == 0)
        options->read_only = true;
    else if (strcmp(word, "mask") == 0)
        return script_mask(script, script_text(rest));
    else if (strcmp(word, "view") == 0)
        return (options->first = action_find(rest)) != ACTION_NONE;
    else if (strcmp(word, "refused") == 0)
        script->expects_refusal = script_keep(script, script_text(rest));
    else if (strcmp(word, "clock") == 0)
        script->clock_now = strcmp(rest, "now") == 0;
    else if (strcmp(word, "set") == 0) {
        char *value = rest + strcspn(rest, " ");
        *value++ = '\0';
        value = script_text(value);
        /* @/ is the root of the sources. */
        const char *root = value[0] == '@' && getenv("ROOT") ? getenv("ROOT") : "";
        return buffer_append_format(&script->extra, NULL, "%s: %s%s\n", rest, root,
                                    value + (*root != '\0'));
    } else if (strcmp(word, "colors") == 0) {
        for (int i = 0; i < 4; i++)
            if (strcmp(depths[i], rest) == 0)
                options->depth = (enum color_depth)i;
    } else {
        return -1;
    }
    return true;
}

static bool script_shell(struct script *script, const char *text)
{
    char profile[1024];
    snprintf(profile, sizeof profile, "%s/surfboard.yaml", getenv("WORLD") ? getenv("WORLD") : ".");
    setenv("PROFILE", script->profile[0] ? script->profile : profile, 1);
    fflush(NULL);
    int status = system(text);
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           script_fail(script, "exit %d: %s", WEXITSTATUS(status), text);
}

static bool script_word(struct script *script, const char *word, char *rest)
{
    if (strcmp(word, "shell") == 0)
        return script_shell(script, rest);
    int option = script_option(script, word, rest);
    if (option >= 0 && script->started && strcmp(word, "mask") != 0)
        return script_fail(script, "%s comes before the start", word);
    if (option >= 0)
        return option || script_fail(script, "%s: what is '%s'?", word, rest);
    if (!script_start(script))
        return false;
    if (!script->started)
        return true; /* refused, as it shall be */
    if (strcmp(word, "start") == 0)
        return true;
    if (strcmp(word, "key") == 0)
        return script_keys(script, rest);
    if (strcmp(word, "burst") == 0)
        return script_burst(script, rest);
    if (strcmp(word, "type") == 0)
        return script_type(script, script_text(rest));
    if (strcmp(word, "idle") == 0)
        return script_idle(script);
    if (strcmp(word, "wait") == 0)
        return script_wait(script, script_text(rest));
    if (strcmp(word, "advance") == 0)
        return script_advance(script, rest);
    if (strcmp(word, "keys-honest") == 0)
        return script_keys_honest(script);
    if (strcmp(word, "resize") == 0) {
        int rows, columns;
        if (!parse_size(rest, &rows, &columns))
            return script_fail(script, "no size: %s", rest);
        app_resize(&script->app, rows, columns);
        return app_paint(&script->app);
    }
    return script_expect(script, word, rest);
}

static bool script_run(struct script *script, char *text)
{
    char *next = text;
    for (char *line = text; line; line = next) {
        script->line++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line += strspn(line, " ");
        if (*line == '\0' || *line == '#')
            continue;
        char *rest = line + strcspn(line, " ");
        if (*rest)
            *rest++ = '\0';
        if (!script_word(script, line, rest + strspn(rest, " ")))
            return false;
    }
    return true;
}

static bool run_file(const char *path)
{
    struct error error = {0};
    struct buffer text = {0};
    struct script *script = calloc(1, sizeof *script);
    if (script == NULL)
        return false;
    script->path = path;
    script->options.rows = 24;
    script->options.columns = 80;
    script->options.depth = COLORS_256;
    script->options.who = "surf@dell1";
    snprintf(script->world, sizeof script->world, "none");
    bool ok = file_read(path, &text, &error) && buffer_text(&text, &error);
    if (!ok)
        fprintf(stderr, "%s\n", error.message);
    ok = ok && (strncmp(text.data, "# Promise: ", 11) == 0 ||
                script_fail(script, "the first line must be `# Promise: ...`"));
    ok = ok && script_run(script, text.data);
    if (script->started)
        app_close(&script->app);
    if (script->own_profile)
        unlink(script->profile);
    clock_fake(-1);
    script_destroy(script);
    buffer_destroy(&text);
    return ok;
}

int main(int count, char **arguments)
{
    int failed = 0;
    setlocale(LC_ALL, "C.UTF-8");
    for (int i = 1; i < count; i++) {
        bool ok = run_file(arguments[i]);
        failed += !ok;
        printf("%s %s\n", ok ? "ok  " : "FAIL", arguments[i]);
        fflush(stdout);
    }
    return failed ? 1 : 0;
}
