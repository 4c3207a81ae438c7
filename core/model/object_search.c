/* Search over the whole tree of a model. */
#include <string.h>
#include <strings.h>

#include "core/model/object.h"

enum { RANK_WHOLE, RANK_NAME, RANK_REST, RANKS };

struct search {
    const struct model *model;
    const char *word;
    size_t most, total;
    struct object_hit *hits[RANKS]; /* each with room for `most` */
    size_t counts[RANKS];
};

static bool holds(const struct search *search, const char *text)
{
    return text && strcasestr(text, search->word) != NULL;
}

/* What holds the word besides the name; NULL: nothing. */
static const char *search_rest(const struct search *search, const struct model_object *object)
{
    if (object->kind == OBJECT_COLUMN) {
        if (holds(search, object->column->type))
            return "type";
        if (holds(search, object->column->class))
            return "class";
        return holds(search, object->column->doc) ? "documentation" : NULL;
    }
    if (object->kind == OBJECT_DATASET) {
        if (holds(search, object->dataset->table))
            return "table";
        if (holds(search, object->dataset->class))
            return "class";
    }
    return holds(search, object_about(search->model, object)->doc) ? "documentation" : NULL;
}

static void search_object(struct search *search, const struct model_object *object)
{
    const char *name = object_name(search->model, object), *where = "name";
    int rank = RANK_REST;
    if (strcasecmp(name, search->word) == 0)
        rank = RANK_WHOLE;
    else if (holds(search, name))
        rank = RANK_NAME;
    else
        where = search_rest(search, object);
    if (where == NULL)
        return;
    search->total++;
    if (search->counts[rank] < search->most)
        search->hits[rank][search->counts[rank]++] = (struct object_hit){*object, where};
}

/* Six levels deep at most. */
static void search_below(struct search *search, const struct model_object *object)
{
    size_t count = object_child_count(search->model, object);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(search->model, object, i);
        search_object(search, &child);
        search_below(search, &child);
    }
}

bool object_search(const struct model *model, const char *word, size_t most, struct arena *arena,
                   struct object_hit **hits, size_t *count, size_t *total, struct error *error)
{
    struct search search = {.model = model, .word = word, .most = most};
    *count = *total = 0;
    for (int rank = 0; rank < RANKS; rank++) {
        search.hits[rank] = arena_zero(arena, most + 1, sizeof **hits, error);
        TRY(search.hits[rank]);
    }
    const struct model_object top = {.kind = OBJECT_MODEL};
    search_object(&search, &top);
    search_below(&search, &top);
    *hits = search.hits[RANK_WHOLE];
    *count = search.counts[RANK_WHOLE];
    for (int rank = RANK_NAME; rank < RANKS; rank++)
        for (size_t i = 0; i < search.counts[rank] && *count < most; i++)
            (*hits)[(*count)++] = search.hits[rank][i];
    *total = search.total;
    return true;
}
