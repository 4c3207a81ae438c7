/* What statistics say of a predicate: may it be true, may it be false, for any row of a file?
 * Every answer errs towards "may": a wrong "no" would lose rows. */
#include "core/iceberg/expression.h"

/* What is known of one column, or of one partition field, over a set of rows. */
struct known {
    const struct type *type;
    bool no_nulls, only_nulls;
    bool may_be_nan;
    struct iceberg_value lower, upper;
};

/* One place to ask about leaves: a file's metrics, its partition, a manifest's summaries. */
struct prober {
    bool (*may)(const struct prober *prober, const struct expression *leaf);
    const struct iceberg_file *file;
    const struct iceberg_manifest *manifest;
    const struct iceberg_spec *spec;
    int64_t rows;
    const struct iceberg_metric *(*metric)(void *context, int32_t field_id);
    void *context;
};

/* Whether lower <= value (and value <= upper) may hold; true when in doubt. */
static bool at_or_above_lower(const struct known *known, struct slice value, bool strictly)
{
    int order;
    if (!known->lower.present ||
        !iceberg_value_compare(known->type, known->lower.bytes, value, &order))
        return true;
    return strictly ? order < 0 : order <= 0;
}

static bool at_or_below_upper(const struct known *known, struct slice value, bool strictly)
{
    int order;
    if (!known->upper.present ||
        !iceberg_value_compare(known->type, known->upper.bytes, value, &order))
        return true;
    return strictly ? order > 0 : order >= 0;
}

static bool may_equal(const struct known *known, struct slice value)
{
    return at_or_above_lower(known, value, false) && at_or_below_upper(known, value, false);
}

/* Whether every value is this one: then "not equal" can't be. */
static bool only_value(const struct known *known, struct slice value)
{
    int low, high;
    return known->lower.present && known->upper.present && !known->may_be_nan &&
           iceberg_value_compare(known->type, known->lower.bytes, value, &low) &&
           iceberg_value_compare(known->type, known->upper.bytes, value, &high) && low == 0 &&
           high == 0;
}

/* The bytes that every match of a pattern begins with. */
static struct slice like_prefix(const struct expression *leaf)
{
    size_t length = 0;
    while (length < leaf->pattern.length && leaf->pattern.data[length] != '%' &&
           leaf->pattern.data[length] != '_' &&
           !(leaf->escape && leaf->pattern.data[length] == leaf->escape))
        length++;
    return slice_make(leaf->pattern.data, length);
}

static bool may_begin_with(const struct known *known, struct slice prefix)
{
    if (prefix.length == 0)
        return true;
    if (known->upper.present && slice_compare(known->upper.bytes, prefix) < 0)
        return false;
    if (!known->lower.present)
        return true;
    struct slice lower = known->lower.bytes;
    if (lower.length > prefix.length)
        lower.length = prefix.length;
    return slice_compare(lower, prefix) <= 0;
}

static bool leaf_may_be_true(const struct expression *leaf, const struct known *known)
{
    if (leaf->kind == EXPRESSION_IS_NULL)
        return !known->no_nulls;
    if (leaf->kind == EXPRESSION_UNKNOWN || leaf->kind == EXPRESSION_NEVER || known->only_nulls)
        return false;
    switch (leaf->kind) {
    case EXPRESSION_EQUAL:
        return may_equal(known, leaf->values[0]);
    case EXPRESSION_NOT_EQUAL:
        return !only_value(known, leaf->values[0]);
    case EXPRESSION_LESS:
        return at_or_above_lower(known, leaf->values[0], true);
    case EXPRESSION_LESS_OR_EQUAL:
        return at_or_above_lower(known, leaf->values[0], false);
    case EXPRESSION_GREATER:
        return known->may_be_nan || at_or_below_upper(known, leaf->values[0], true);
    case EXPRESSION_GREATER_OR_EQUAL:
        return known->may_be_nan || at_or_below_upper(known, leaf->values[0], false);
    case EXPRESSION_IN:
        for (size_t i = 0; i < leaf->literals.length; i++) {
            if (may_equal(known, leaf->values[i]))
                return true;
        }
        return false;
    case EXPRESSION_LIKE:
        return may_begin_with(known, like_prefix(leaf));
    default:
        return true;
    }
}

/* The leaf that is true where this one is false; IN and LIKE have none. */
static bool leaf_inverse(const struct expression *leaf, struct expression *out)
{
    static const struct {
        enum expression_kind kind, inverse;
    } pairs[] = {
        {EXPRESSION_EQUAL, EXPRESSION_NOT_EQUAL},
        {EXPRESSION_NOT_EQUAL, EXPRESSION_EQUAL},
        {EXPRESSION_LESS, EXPRESSION_GREATER_OR_EQUAL},
        {EXPRESSION_GREATER_OR_EQUAL, EXPRESSION_LESS},
        {EXPRESSION_GREATER, EXPRESSION_LESS_OR_EQUAL},
        {EXPRESSION_LESS_OR_EQUAL, EXPRESSION_GREATER},
        {EXPRESSION_IS_NULL, EXPRESSION_IS_NOT_NULL},
        {EXPRESSION_IS_NOT_NULL, EXPRESSION_IS_NULL},
        {EXPRESSION_NEVER, EXPRESSION_ALWAYS},
        {EXPRESSION_ALWAYS, EXPRESSION_NEVER},
        {EXPRESSION_UNKNOWN, EXPRESSION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i].kind == leaf->kind) {
            *out = *leaf;
            out->kind = pairs[i].inverse;
            return true;
        }
    }
    return false;
}

/* Whether the predicate may have the truth value `wanted` for some row. */
static bool may_be(const struct prober *prober, const struct expression *expression, bool wanted)
{
    if (expression->kind == EXPRESSION_NOT)
        return may_be(prober, expression->children[0], !wanted);
    if (expression->kind == EXPRESSION_AND || expression->kind == EXPRESSION_OR) {
        /* All must be possible for AND to be true and for OR to be false; else one is enough. */
        bool all = (expression->kind == EXPRESSION_AND) == wanted;
        for (size_t i = 0; i < expression->child_count; i++) {
            if (may_be(prober, expression->children[i], wanted) != all)
                return !all;
        }
        return all;
    }
    if (wanted)
        return prober->may(prober, expression);
    struct expression inverse;
    return !leaf_inverse(expression, &inverse) || prober->may(prober, &inverse);
}

static bool is_real(const struct type *type)
{
    return type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;
}

static bool probe_metric(const struct expression *leaf, const struct iceberg_metric *metric,
                         int64_t rows)
{
    struct known known = {.type = &leaf->field->type, .may_be_nan = is_real(&leaf->field->type)};
    if (metric) {
        known.no_nulls = metric->null_count == 0;
        known.only_nulls = metric->null_count >= 0 && metric->null_count == rows &&
                           (metric->value_count < 0 || metric->value_count == rows);
        known.may_be_nan = known.may_be_nan && metric->nan_count != 0;
        known.lower = metric->lower;
        known.upper = metric->upper;
    }
    return leaf_may_be_true(leaf, &known);
}

/* Values of the transform's result for the values of the predicate. Order is kept by all but
 * bucket, as "may be less" becomes "may be less or equal". */
static bool probe_transformed(const struct expression *leaf,
                              const struct iceberg_partition_field *field,
                              const struct known *source)
{
    struct known known = *source;
    known.type = &field->type;
    bool bucket = field->transform == ICEBERG_BUCKET;
    struct expression turned = *leaf;
    switch (leaf->kind) {
    case EXPRESSION_LESS:
        turned.kind = EXPRESSION_LESS_OR_EQUAL;
        break;
    case EXPRESSION_GREATER:
        turned.kind = EXPRESSION_GREATER_OR_EQUAL;
        break;
    case EXPRESSION_EQUAL:
    case EXPRESSION_IN:
    case EXPRESSION_LESS_OR_EQUAL:
    case EXPRESSION_GREATER_OR_EQUAL:
    case EXPRESSION_IS_NULL:
    case EXPRESSION_IS_NOT_NULL:
        break;
    default: /* only nulls are told apart */
        return leaf->kind != EXPRESSION_UNKNOWN && leaf->kind != EXPRESSION_NEVER &&
               !known.only_nulls;
    }
    bool ordered =
        turned.kind == EXPRESSION_LESS_OR_EQUAL || turned.kind == EXPRESSION_GREATER_OR_EQUAL;
    if (bucket && ordered)
        return !known.only_nulls;
    struct arena arena = {0};
    size_t count = leaf->values ? leaf->literals.length : 0;
    struct slice *values = arena_zero(&arena, count, sizeof *values, NULL);
    bool ok = values != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        struct iceberg_value out = {0};
        ok = iceberg_transform_apply(field, (struct iceberg_value){true, leaf->values[i]}, &arena,
                                     &out, NULL) &&
             out.present;
        values[i] = out.bytes;
    }
    turned.values = values;
    bool may = !ok || leaf_may_be_true(&turned, &known);
    arena_destroy(&arena);
    return may;
}

static bool probe_partition(const struct prober *prober, const struct expression *leaf)
{
    for (size_t i = 0; prober->spec && i < prober->spec->field_count; i++) {
        const struct iceberg_partition_field *field = &prober->spec->fields[i];
        if (field->source_id != leaf->field->id || is_real(&leaf->field->type) ||
            field->transform == ICEBERG_VOID || field->transform == ICEBERG_TRANSFORM_UNKNOWN)
            continue;
        struct known known = {0};
        if (prober->file) {
            if (i >= prober->file->partition_count)
                continue;
            struct iceberg_value value = prober->file->partition[i];
            known.no_nulls = value.present;
            known.only_nulls = !value.present;
            known.lower = known.upper = value;
        } else {
            if (i >= prober->manifest->partition_count)
                continue;
            const struct iceberg_partition_summary *summary = &prober->manifest->partitions[i];
            known.no_nulls = !summary->contains_null;
            known.lower = summary->lower;
            known.upper = summary->upper;
        }
        if (!probe_transformed(leaf, field, &known))
            return false;
    }
    return true;
}

static bool probe_file(const struct prober *prober, const struct expression *leaf)
{
    return probe_metric(leaf, iceberg_file_metric(prober->file, leaf->field->id),
                        prober->file->record_count) &&
           probe_partition(prober, leaf);
}

static bool probe_metrics(const struct prober *prober, const struct expression *leaf)
{
    return probe_metric(leaf, prober->metric(prober->context, leaf->field->id), prober->rows);
}

bool expression_may_match_file(const struct expression *expression, const struct iceberg_file *file,
                               const struct iceberg_spec *spec)
{
    struct prober prober = {.may = probe_file, .file = file, .spec = spec};
    return may_be(&prober, expression, true);
}

bool expression_may_match_manifest(const struct expression *expression,
                                   const struct iceberg_manifest *manifest,
                                   const struct iceberg_spec *spec)
{
    struct prober prober = {.may = probe_partition, .manifest = manifest, .spec = spec};
    return may_be(&prober, expression, true);
}

bool expression_may_match_metrics(const struct expression *expression, int64_t rows,
                                  const struct iceberg_metric *(*metric)(void *, int32_t),
                                  void *context)
{
    struct prober prober = {
        .may = probe_metrics, .rows = rows, .metric = metric, .context = context};
    return may_be(&prober, expression, true);
}
