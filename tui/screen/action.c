#include "tui/screen/action.h"

#include <string.h>

#include "core/base/nearest.h"

const struct action actions[ACTION_COUNT] = {
#define ACTION(id, name, title, keys, scope, danger, cli, help)                                    \
    [ACTION_##id] = {name, title, keys, scope, danger, cli, help},
#include "tui/screen/action_table.h"
#undef ACTION
};

static const char *const scope_names[SCOPE_COUNT] = {
    [SCOPE_GLOBAL] = "everywhere", [SCOPE_MOVE] = "moving",       [SCOPE_LIST] = "lists",
    [SCOPE_TEXT] = "texts",        [SCOPE_OBJECT] = "any object", [SCOPE_MODEL] = "Model",
    [SCOPE_PIPELINE] = "Pipeline", [SCOPE_STREAMS] = "Streams",   [SCOPE_EDITOR] = "Query, editor",
    [SCOPE_GRID] = "Query, grid",  [SCOPE_RUNS] = "Runs",         [SCOPE_BOX] = "boxes",
};

const char *scope_name(enum scope scope)
{
    return scope_names[scope];
}

enum action_id action_find(const char *name)
{
    for (int i = 1; i < ACTION_COUNT; i++)
        if (strcmp(actions[i].name, name) == 0)
            return (enum action_id)i;
    return ACTION_NONE;
}

/* The next word of `keys` as a key; false at the end. KEY_NONE: there is no such key. */
static bool next_key(const char **keys, key_code *key, char word[KEY_NAME_SIZE])
{
    *keys += strspn(*keys, " ");
    size_t length = strcspn(*keys, " ");
    if (length == 0)
        return false;
    size_t kept = length < KEY_NAME_SIZE ? length : KEY_NAME_SIZE - 1;
    memcpy(word, *keys, kept);
    word[kept] = '\0';
    *key = length < KEY_NAME_SIZE ? key_parse(word) : KEY_NONE;
    *keys += length;
    return true;
}

void keymap_init(struct keymap *keymap)
{
    char word[KEY_NAME_SIZE];
    memset(keymap, 0, sizeof *keymap);
    for (int i = 1; i < ACTION_COUNT; i++) {
        const char *keys = actions[i].keys;
        for (size_t n = 0; n < KEYMAP_KEYS_MOST && next_key(&keys, &keymap->keys[i][n], word); n++)
            continue;
    }
}

/* Two actions of one scope may share a key only when they do by default: then they exclude each
 * other (pause and resume). */
static enum action_id keymap_clash(const struct keymap *keymap, enum action_id id, key_code key)
{
    for (int i = 1; i < ACTION_COUNT; i++) {
        if (i == (int)id || actions[i].scope != actions[id].scope ||
            strcmp(actions[i].keys, actions[id].keys) == 0)
            continue;
        for (size_t n = 0; n < KEYMAP_KEYS_MOST && keymap->keys[i][n]; n++)
            if (keymap->keys[i][n] == key)
                return (enum action_id)i;
    }
    return ACTION_NONE;
}

static bool unknown_action(const char *name, struct error *error)
{
    const char *names[ACTION_COUNT];
    size_t count = 0;
    for (int i = 1; i < ACTION_COUNT; i++)
        names[count++] = actions[i].name;
    const char *near = nearest_word(name, names, count);
    error_set(error, ERROR_CONFIG, "man surfboard, section KEYS, names the actions",
              "screen.keys: there is no action '%s'", name);
    return near ? error_remedy(error, "did you mean '%s'?", near) : false;
}

bool keymap_set(struct keymap *keymap, const char *action, const char *keys, struct error *error)
{
    enum action_id id = action_find(action);
    key_code wanted[KEYMAP_KEYS_MOST] = {KEY_NONE};
    char word[KEY_NAME_SIZE];
    size_t count = 0;
    if (id == ACTION_NONE)
        return unknown_action(action, error);
    for (key_code key; next_key(&keys, &key, word);) {
        if (key == KEY_NONE)
            return error_set(error, ERROR_CONFIG, "write m, Ctrl-L, PgDn, Enter, Space, …",
                             "screen.keys: %s: there is no key '%s'", action, word);
        if (count == KEYMAP_KEYS_MOST)
            return error_set(error, ERROR_CONFIG, NULL, "screen.keys: %s: more than %d keys",
                             action, KEYMAP_KEYS_MOST);
        enum action_id clash = keymap_clash(keymap, id, key);
        if (clash)
            return error_set(error, ERROR_CONFIG, "give one of them another key",
                             "screen.keys: %s: %s means %s already", action, word,
                             actions[clash].name);
        wanted[count++] = key;
    }
    memcpy(keymap->keys[id], wanted, sizeof wanted);
    return true;
}

enum action_id keymap_find(const struct keymap *keymap, enum scope scope, key_code key)
{
    for (int i = 1; i < ACTION_COUNT; i++) {
        if (actions[i].scope != scope)
            continue;
        for (size_t n = 0; n < KEYMAP_KEYS_MOST && keymap->keys[i][n]; n++)
            if (keymap->keys[i][n] == key)
                return (enum action_id)i;
    }
    return ACTION_NONE;
}

void keymap_text(const struct keymap *keymap, enum action_id action, char out[KEYMAP_TEXT_SIZE])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t n = 0; n < KEYMAP_KEYS_MOST && keymap->keys[action][n]; n++) {
        char name[KEY_NAME_SIZE];
        key_name(keymap->keys[action][n], name);
        length +=
            (size_t)snprintf(out + length, KEYMAP_TEXT_SIZE - length, "%s%s", n ? " " : "", name);
    }
}

static void write_troff(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

void action_write_man(FILE *out)
{
    struct keymap keymap;
    char keys[KEYMAP_TEXT_SIZE];
    keymap_init(&keymap);
    fputs(".SH KEYS\nOf the screen, by where they work. The name in parentheses is what\n"
          ".B screen.keys\nof the profile calls the action: \\fIname\\fR: \\fIkeys parted by "
          "blanks\\fR.\n",
          out);
    for (int scope = 0; scope < SCOPE_COUNT; scope++) {
        bool headed = false;
        for (int i = 1; i < ACTION_COUNT; i++) {
            if ((int)actions[i].scope != scope)
                continue;
            if (!headed)
                fprintf(out, ".SS %s\n", scope_name((enum scope)scope));
            headed = true;
            keymap_text(&keymap, (enum action_id)i, keys);
            fputs(".TP\n.B \"", out);
            for (const char *at = keys; *at; at++)
                fputs(*at == '"' ? "\"\"" : *at == '\\' ? "\\e" : (char[2]){*at, 0}, out);
            fputs("\"\n", out);
            write_troff(out, actions[i].help);
            fputs(" (", out);
            write_troff(out, actions[i].name);
            if (actions[i].cli) {
                fputs("; \\fBsurfboard ", out);
                write_troff(out, actions[i].cli);
                fputs("\\fR", out);
            }
            fputs(")\n", out);
        }
    }
}
