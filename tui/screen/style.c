#include "tui/screen/style.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "core/base/file.h"
#include "core/base/nearest.h"

static const char *const style_names[STYLE_COUNT] = {
    [STYLE_TEXT] = "text",       [STYLE_DIM] = "dim",           [STYLE_STRONG] = "strong",
    [STYLE_LABEL] = "label",     [STYLE_HEADER] = "header",     [STYLE_CONTEXT] = "context",
    [STYLE_TAB] = "tab",         [STYLE_TAB_ON] = "tab-on",     [STYLE_BORDER] = "border",
    [STYLE_TITLE] = "title",     [STYLE_TITLE_ON] = "title-on", [STYLE_OK] = "ok",
    [STYLE_WARN] = "warn",       [STYLE_FAIL] = "fail",         [STYLE_UNKNOWN] = "unknown",
    [STYLE_ABSENT] = "absent",   [STYLE_KEY] = "key",           [STYLE_NULL] = "null",
    [STYLE_MATCH] = "match",     [STYLE_MARKED] = "marked",     [STYLE_SPARK] = "spark",
    [STYLE_FIELD] = "field",     [STYLE_BUTTON] = "button",     [STYLE_BUTTON_ON] = "button-on",
    [STYLE_MESSAGE] = "message", [STYLE_ADDED] = "added",       [STYLE_REMOVED] = "removed",
};

const char *style_name(enum style style)
{
    return style_names[style];
}

#define PLAIN COLOR_DEFAULT, COLOR_DEFAULT
#define FRONT(index) COLOR_INDEX | (index), COLOR_DEFAULT

/* Of the 16 only, and few of them: the user's own palette decides how they look. The same as
 * themes/dark.yaml, which a test compares. */
static const struct theme theme_dark = {
    .name = "dark",
    .looks =
        {
            [STYLE_TEXT] = {PLAIN, 0},
            [STYLE_DIM] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_STRONG] = {PLAIN, ATTRIBUTE_BOLD},
            [STYLE_LABEL] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_HEADER] = {PLAIN, 0},
            [STYLE_CONTEXT] = {FRONT(6), ATTRIBUTE_BOLD},
            [STYLE_TAB] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_TAB_ON] = {PLAIN, ATTRIBUTE_BOLD | ATTRIBUTE_UNDERLINE},
            [STYLE_BORDER] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_TITLE] = {PLAIN, 0},
            [STYLE_TITLE_ON] = {PLAIN, ATTRIBUTE_REVERSE},
            [STYLE_OK] = {FRONT(2), 0},
            [STYLE_WARN] = {FRONT(3), ATTRIBUTE_BOLD},
            [STYLE_FAIL] = {FRONT(1), ATTRIBUTE_BOLD},
            [STYLE_UNKNOWN] = {FRONT(5), 0},
            [STYLE_ABSENT] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_KEY] = {PLAIN, ATTRIBUTE_BOLD},
            [STYLE_NULL] = {PLAIN, ATTRIBUTE_DIM},
            [STYLE_MATCH] = {PLAIN, ATTRIBUTE_REVERSE},
            [STYLE_MARKED] = {FRONT(6), ATTRIBUTE_BOLD},
            [STYLE_SPARK] = {FRONT(6), 0},
            [STYLE_FIELD] = {PLAIN, ATTRIBUTE_UNDERLINE},
            [STYLE_BUTTON] = {PLAIN, 0},
            [STYLE_BUTTON_ON] = {PLAIN, ATTRIBUTE_REVERSE},
            [STYLE_MESSAGE] = {PLAIN, ATTRIBUTE_BOLD},
            [STYLE_ADDED] = {FRONT(2), 0},
            [STYLE_REMOVED] = {FRONT(1), 0},
        },
};

static void theme_set_mono(struct theme *out)
{
    *out = theme_dark;
    snprintf(out->name, sizeof out->name, "mono");
    for (size_t i = 0; i < STYLE_COUNT; i++)
        out->looks[i].front = out->looks[i].back = COLOR_DEFAULT;
}

static bool theme_set_built_in(const char *name, struct theme *out)
{
    if (strcmp(name, "mono") == 0)
        theme_set_mono(out);
    else if (strcmp(name, "dark") == 0)
        *out = theme_dark;
    else
        return false;
    return true;
}

struct theme_reader {
    const char *path;
    yaml_document_t *document;
};

static bool theme_fail(const struct theme_reader *reader, const yaml_node_t *node,
                       const char *remedy, struct error *error, const char *what)
{
    return error_set(error, ERROR_CONFIG, remedy, "%s:%zu: %s", reader->path,
                     node->start_mark.line + 1, what);
}

static bool look_word(const char *word, struct look *look, bool back, struct error *error)
{
    static const char *const attributes[] = {"bold", "dim", "underline", "reverse"};
    for (size_t i = 0; i < 4; i++)
        if (!back && strcmp(word, attributes[i]) == 0) {
            look->attributes |= (uint8_t)(1u << i);
            return true;
        }
    if (!back && strcmp(word, "plain") == 0)
        return true;
    if (color_parse(word, back ? &look->back : &look->front, error))
        return true;
    const char *near = back ? NULL : nearest_word(word, attributes, 4);
    if (near && error && strncmp(error->remedy, "use ", 4) == 0)
        error_remedy(error, "did you mean '%s'?", near);
    return false;
}

/* "bold red on #202020". */
static bool look_parse(const char *text, struct look *out, struct error *error)
{
    char words[128], *rest = words;
    if ((size_t)snprintf(words, sizeof words, "%s", text) >= sizeof words)
        return error_set(error, ERROR_CONFIG, "write it as `bold red on black`",
                         "more words than a look has");
    *out = (struct look){COLOR_DEFAULT, COLOR_DEFAULT, 0};
    bool back = false, any = false;
    for (char *word; (word = strtok_r(rest, " \t\r\n", &rest)); any = true) {
        if (strcmp(word, "on") == 0 && !back) {
            back = true;
            continue;
        }
        TRY(look_word(word, out, back, error));
    }
    if (any && !(back && out->back == COLOR_DEFAULT && strstr(text, " default") == NULL))
        return true;
    return error_set(error, ERROR_CONFIG,
                     "write `plain` for the terminal's own look; a text with # needs quotes",
                     any ? "no colour behind `on`" : "no word says how it looks");
}

static bool theme_unknown_role(const struct theme_reader *reader, const yaml_node_t *key,
                               struct error *error)
{
    char what[160];
    const char *name = (const char *)key->data.scalar.value;
    snprintf(what, sizeof what, "unknown role %.80s", name);
    theme_fail(reader, key, NULL, error, what);
    const char *near = nearest_word(name, style_names, STYLE_COUNT);
    if (near)
        return error_remedy(error, "did you mean '%s'?", near);
    return error_remedy(error, "themes/README.md lists the roles");
}

static bool theme_read_role(const struct theme_reader *reader, const yaml_node_t *key,
                            const yaml_node_t *value, struct theme *out, uint64_t *seen,
                            struct error *error)
{
    if (key->type != YAML_SCALAR_NODE)
        return theme_fail(reader, key, "write `role: words` lines", error,
                          "a role is a plain word");
    const char *name = (const char *)key->data.scalar.value;
    size_t index = 0;
    while (index < STYLE_COUNT && strcmp(style_names[index], name) != 0)
        index++;
    if (index == STYLE_COUNT)
        return theme_unknown_role(reader, key, error);
    char what[64];
    if (*seen & UINT64_C(1) << index) {
        snprintf(what, sizeof what, "%s is there twice", name);
        return theme_fail(reader, key, "keep one of the two", error, what);
    }
    *seen |= UINT64_C(1) << index;
    if (value->type != YAML_SCALAR_NODE) {
        snprintf(what, sizeof what, "%s wants words on one line", name);
        return theme_fail(reader, value, "write it as `bold red on black`", error, what);
    }
    return look_parse((const char *)value->data.scalar.value, &out->looks[index], error) ||
           error_prefix(error, "%s:%zu: %s", reader->path, value->start_mark.line + 1, name);
}

static bool theme_read_document(const struct theme_reader *reader, struct theme *out,
                                struct error *error)
{
    yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (root == NULL)
        return true; /* an empty theme is dark */
    if (root->type != YAML_MAPPING_NODE)
        return theme_fail(reader, root, "write it as `role: words` lines", error,
                          "a theme wants a mapping");
    uint64_t seen = 0;
    _Static_assert(STYLE_COUNT <= 64, "one bit a role");
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++)
        TRY(theme_read_role(reader, yaml_document_get_node(reader->document, pair->key),
                            yaml_document_get_node(reader->document, pair->value), out, &seen,
                            error));
    return true;
}

static void theme_name_from(const char *path, struct theme *out)
{
    const char *slash = strrchr(path, '/');
    snprintf(out->name, sizeof out->name, "%.31s", slash ? slash + 1 : path);
    char *dot = strrchr(out->name, '.');
    if (dot && strcmp(dot, ".yaml") == 0)
        *dot = '\0';
}

bool theme_parse(struct slice text, const char *path, struct theme *out, struct error *error)
{
    struct theme theme = theme_dark;
    theme_name_from(path, &theme);
    yaml_parser_t parser;
    yaml_document_t document;
    *out = theme_dark;
    if (!yaml_parser_initialize(&parser))
        return error_set_memory(error, sizeof parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.length);
    bool ok = yaml_parser_load(&parser, &document);
    if (!ok)
        error_set(error, parser.error == YAML_MEMORY_ERROR ? ERROR_MEMORY : ERROR_CONFIG,
                  "a colour such as #202020 needs quotes around the whole text",
                  "%s:%zu: not YAML: %s", path,
                  (parser.problem_mark.line ? parser.problem_mark.line : parser.mark.line) + 1,
                  parser.problem ? parser.problem : "cannot be read");
    else {
        ok = theme_read_document(&(struct theme_reader){path, &document}, &theme, error);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    if (ok)
        *out = theme;
    return ok;
}

static bool theme_read_file(const char *path, struct theme *out, struct error *error)
{
    struct buffer text = {0};
    bool ok = file_read(path, &text, error) && theme_parse(buffer_slice(&text), path, out, error);
    buffer_destroy(&text);
    return ok;
}

/* Writes the path of NAME.yaml in the place with this number; false: there is no such place. */
static bool theme_place(int place, const char *name, char *path, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (place == 0) {
        if (config && *config == '/')
            snprintf(path, size, "%s/surfboard/themes/%s.yaml", config, name);
        else
            snprintf(path, size, "%s/.config/surfboard/themes/%s.yaml", home ? home : "", name);
        return true;
    }
    /* bin/ has share/ beside it; a checkout's program lies in .build/FLAVOUR, two below themes/. */
    static const char *const beside[] = {"../share/surfboard/themes", "../../themes", "themes"};
    char program[512];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (place > 3 || length <= 0)
        return false;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, size, "%s/%s/%s.yaml", program, beside[place - 1], name);
    return true;
}

static bool theme_find(const char *name, struct theme *out, struct error *error)
{
    if (strchr(name, '/'))
        return theme_read_file(name, out, error);
    char path[1024];
    for (int place = 0; theme_place(place, name, path, sizeof path); place++)
        if (file_exists(path))
            return theme_read_file(path, out, error);
    if (theme_set_built_in(name, out))
        return true;
    static const char *const known[] = {"dark", "light", "mono"};
    const char *near = nearest_word(name, known, 3);
    error_set(error, ERROR_CONFIG, NULL, "no theme %.40s", name);
    if (near && strcmp(near, name) == 0)
        return error_remedy(error,
                            "its file is not beside the program: make install puts it "
                            "there; or name the file: screen.theme: /path/%s.yaml",
                            name);
    return error_remedy(error, near ? "did you mean '%s'?" : "themes that come along: %s",
                        near ? near : "dark, light, mono");
}

bool theme_load(const char *name, const char *accent, struct theme *out, struct error *error)
{
    *out = theme_dark;
    if (!theme_find(name, out, error)) {
        *out = theme_dark;
        return false;
    }
    color front;
    if (accent == NULL)
        return true;
    if (!color_parse(accent, &front, error)) {
        *out = theme_dark;
        return error_prefix(error, "accent");
    }
    out->looks[STYLE_CONTEXT].front = front;
    return true;
}
