#include "tui/screen/filter.h"

#include <string.h>

void filter_destroy(struct filter *filter)
{
    if (filter->compiled)
        regfree(&filter->regex);
    filter->compiled = false;
}

static void filter_compile(struct filter *filter)
{
    filter_destroy(filter);
    filter->broken = false;
    if (filter->field.text[0] != '~' || filter->field.text[1] == '\0')
        return;
    filter->compiled =
        regcomp(&filter->regex, filter->field.text + 1, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    filter->broken = !filter->compiled;
}

void filter_clear(struct filter *filter)
{
    field_set(&filter->field, "");
    filter->editing = false;
    filter_compile(filter);
}

bool filter_key(struct filter *filter, key_code key, bool *changed)
{
    *changed = false;
    if (!filter->editing)
        return false;
    if (key == KEY_ENTER) {
        filter->editing = false;
        return true;
    }
    if (key == KEY_ESCAPE || key == (KEY_CTRL | 'c')) {
        filter_clear(filter);
        *changed = true;
        return true;
    }
    if (!field_key(&filter->field, key))
        return false;
    filter_compile(filter);
    *changed = true;
    return true;
}

bool filter_active(const struct filter *filter)
{
    return filter->field.length > 0;
}

bool filter_match(const struct filter *filter, const char *line)
{
    char word[FIELD_SIZE];
    if (filter->compiled)
        return regexec(&filter->regex, line, 0, NULL, 0) == 0;
    if (filter->field.text[0] == '~')
        return true;
    for (const char *at = filter->field.text; *at;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        bool not = *at == '!';
        memcpy(word, at + not, length - not );
        word[length - not ] = '\0';
        if (*word && (strcasestr(line, word) != NULL) == not )
            return false;
        at += length;
    }
    return true;
}

bool filter_draw(const struct filter *filter, struct canvas *canvas, int row, int column,
                 int columns)
{
    if (!filter->editing && !filter_active(filter))
        return false;
    canvas_print(canvas, row, column, 2, STYLE_KEY, "/");
    field_draw(&filter->field, canvas, row, column + 2, columns - 2, filter->editing);
    if (filter->broken)
        canvas_print_right(canvas, row, column, columns, STYLE_FAIL, "no regular expression yet");
    return true;
}
