#include "core/pipeline/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"

void step_report_init(struct step_report *report)
{
    *report = (struct step_report){0};
}

void step_report_destroy(struct step_report *report)
{
    json_decref(report->identity);
    json_decref(report->restore);
    arena_destroy(&report->arena);
    *report = (struct step_report){0};
}

static char *report_format(struct step_report *report, struct error *error, const char *format,
                           va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_allocate(&report->arena, (size_t)length + 1, error);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

/* Arrays grow inside the arena: the old ones stay in it until the report goes. */
static bool report_grow(struct step_report *report, void *pointer, size_t count, size_t *capacity,
                        size_t size, struct error *error)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *fresh = arena_zero(&report->arena, wanted, size, error);
    if (fresh == NULL)
        return false;
    if (count)
        memcpy(fresh, *(void **)pointer, count * size);
    *(void **)pointer = fresh;
    *capacity = wanted;
    return true;
}

bool step_report_finding(struct step_report *report, const char *check, enum step_verdict verdict,
                         const char *cause, const char *remedy, struct error *error,
                         const char *evidence, ...)
{
    TRY(report_grow(report, &report->findings, report->finding_count, &report->finding_capacity,
                    sizeof *report->findings, error));
    va_list arguments;
    va_start(arguments, evidence);
    struct step_finding finding = {
        .check = arena_copy_text(&report->arena, check, error),
        .verdict = verdict,
        .evidence = report_format(report, error, evidence, arguments),
        .cause = arena_copy_text(&report->arena, cause ? cause : "", error),
        .remedy = arena_copy_text(&report->arena, remedy ? remedy : "", error),
    };
    va_end(arguments);
    if (!finding.check || !finding.evidence || !finding.cause || !finding.remedy)
        return false;
    report->findings[report->finding_count++] = finding;
    return true;
}

bool step_report_difference(struct step_report *report, const char *field, const char *wanted,
                            const char *found, struct error *error)
{
    TRY(report_grow(report, &report->differences, report->difference_count,
                    &report->difference_capacity, sizeof *report->differences, error));
    struct step_difference difference = {
        .field = arena_copy_text(&report->arena, field, error),
        .wanted = arena_copy_text(&report->arena, wanted, error),
        .found = arena_copy_text(&report->arena, found, error),
    };
    if (!difference.field || !difference.wanted || !difference.found)
        return false;
    report->differences[report->difference_count++] = difference;
    return true;
}

bool step_report_line(struct step_report *report, struct error *error, const char *format, ...)
{
    TRY(report_grow(report, &report->lines, report->line_count, &report->line_capacity,
                    sizeof *report->lines, error));
    va_list arguments;
    va_start(arguments, format);
    char *line = report_format(report, error, format, arguments);
    va_end(arguments);
    if (line == NULL)
        return false;
    report->lines[report->line_count++] = line;
    return true;
}

enum step_verdict step_report_verdict(const struct step_report *report)
{
    static const int rank[] = {
        [VERDICT_OK] = 0, [VERDICT_WARN] = 1, [VERDICT_UNKNOWN] = 2, [VERDICT_FAIL] = 3};
    enum step_verdict worst = VERDICT_OK;
    for (size_t i = 0; i < report->finding_count; i++)
        if (rank[report->findings[i].verdict] > rank[worst])
            worst = report->findings[i].verdict;
    return worst;
}

const char *step_state_name(enum step_state state)
{
    static const char *const names[] = {"unknown", "absent", "ours", "fits", "differs", "shared"};
    return names[state];
}

const char *step_verdict_name(enum step_verdict verdict)
{
    static const char *const names[] = {"ok", "warn", "fail", "unknown"};
    return names[verdict];
}

bool step_call(step_function *function, const struct step_target *target,
               struct step_report *report, struct error *error)
{
    return function == NULL || function(target, report, error);
}
