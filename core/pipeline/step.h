/* step.h: the bring-up of a pipeline, one explained and reversible step at a time (design 4).
 *
 * A step is a table entry of functions. Each function gets the step's target (a platform, source,
 * capture or stream by its scope), its receipt when we made or adopted the object before, and a
 * report to fill. It returns false only when it could not do its work, with the error (a server
 * that does not answer is ERROR_UNREACHABLE: `up` then exits 4, plan and doctor show the step as
 * unknown); what it found, good or bad, goes into the report.
 *
 *   check()    looks, changes nothing; sets report->state, findings and, for an object that exists,
 *              report->identity. The runner turns FITS into OURS when the receipt's identity equals
 *              it, so a check need not know about receipts.
 *   plan()     appends to report->lines exactly what apply() would send: SQL, JSON, HTTP, a
 * command. Sets report->needs_person when the step waits for somebody (a restart, a right). apply()
 * sends it; sets report->identity, and report->restore to the values found before that undo() must
 * bring back. Runs only after ABSENT, or for DIFFERS in a setting that the step calls its own
 * (report->repairable). prove()    shows that it works now, by asking the outside system; findings
 * with VERDICT_FAIL stop `up`. undo_plan(), undo()   the reverse of apply(), from receipt->identity
 * and receipt->restore; undo refuses (ERROR_CONFLICT) when the object changed since. release()
 * optional: a stream leaves, others stay (a publication drops its tables). adopt()    optional:
 * says in findings whether an object made by hand can serve as it is. diagnose() optional: after a
 * failure, findings with cause and remedy.
 */
#ifndef SURFBOARD_PIPELINE_STEP_H
#define SURFBOARD_PIPELINE_STEP_H

#include <jansson.h>
#include <stdatomic.h>

#include "core/pipeline/pipeline.h"

enum step_scope { STEP_PLATFORM, STEP_SOURCE, STEP_CAPTURE, STEP_STREAM };

enum step_state {
    STEP_UNKNOWN, /* could not be asked; the findings say why */
    STEP_ABSENT,
    STEP_OURS,    /* there, as wanted, and our receipt is for this very object */
    STEP_FITS,    /* there and usable, but not ours */
    STEP_DIFFERS, /* there, but not as wanted: report->differences */
    STEP_SHARED   /* ours, and other streams use it too */
};

enum step_verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL, VERDICT_UNKNOWN };

struct step_finding {
    const char *check; /* "wal_level": short, stable, named in doctor --json */
    enum step_verdict verdict;
    const char *evidence; /* what was seen: "wal_level = replica" */
    const char *cause;    /* "" when well */
    const char *remedy;   /* "" when well */
};

struct step_difference {
    const char *field, *wanted, *found;
};

/* All texts live in the report's arena. */
struct step_report {
    enum step_state state;
    struct step_finding *findings;
    size_t finding_count, finding_capacity;
    struct step_difference *differences;
    size_t difference_count, difference_capacity;
    const char **lines; /* plan(), undo_plan() */
    size_t line_count, line_capacity;
    const char *needs_person;        /* what a person has to do before this can go on; NULL */
    const char *needs_person_remedy; /* the line to run */
    bool repairable;  /* DIFFERS: apply() may change it (it is ours by receipt or by nature) */
    json_t *identity; /* owned; what makes this object this object */
    json_t *restore;  /* owned */
    struct arena arena;
};

struct receipt;

struct step_target {
    struct pipeline *pipeline;
    const struct stream *stream;   /* whose bring-up this is; NULL in doctor for wide scopes */
    const struct capture *capture; /* STEP_CAPTURE, STEP_STREAM; NULL if not captured */
    const struct profile_source *source; /* STEP_SOURCE and narrower */
    const struct receipt *receipt;       /* NULL: none */
    const atomic_bool *stop;             /* poll it in loops that wait */
    /* Progress of a long apply(): events for the run file; NULL: nobody listens. Takes over. */
    void (*event)(void *context, json_t *event);
    void *event_context;
    bool keep_data; /* down --keep-data: leave files and tables */
    /* Somebody only looks (the screen): prove() then writes nothing, not even a probe. */
    bool only_looks;
};

struct step {
    const char *service; /* whom it asks: "postgres", "store", "catalog", "model" */
    const char *id;      /* screen.md: model server role identity publication slot buckets … */
    const char *title;   /* "slot: marks the place in the WAL that we have read to" */
    const char *why;     /* one or two sentences for a person who never did this */
    enum step_scope scope;
    /* Something that has to be so, rather than an object of ours: FITS is then as good as OURS and
     * leaves no receipt, so undo does not touch what was there before. */
    bool requirement;
    /* Whether this profile has the step at all (native capture has no connector); NULL: always. */
    bool (*applies)(const struct step_target *target);
    bool (*check)(const struct step_target *, struct step_report *, struct error *);
    bool (*plan)(const struct step_target *, struct step_report *, struct error *);
    bool (*apply)(const struct step_target *, struct step_report *, struct error *);
    bool (*prove)(const struct step_target *, struct step_report *, struct error *);
    bool (*undo_plan)(const struct step_target *, struct step_report *, struct error *);
    bool (*undo)(const struct step_target *, struct step_report *, struct error *);
    bool (*release)(const struct step_target *, struct step_report *, struct error *);
    bool (*adopt)(const struct step_target *, struct step_report *, struct error *);
    bool (*diagnose)(const struct step_target *, struct step_report *, struct error *);
    /* Optional: what only doctor asks (orphan slots, WAL held back, warnings): findings. */
    bool (*doctor)(const struct step_target *, struct step_report *, struct error *);
};

void step_report_init(struct step_report *report);
void step_report_destroy(struct step_report *report);
/* One finding. `cause` and `remedy` may be NULL; evidence by printf. */
bool step_report_finding(struct step_report *report, const char *check, enum step_verdict verdict,
                         const char *cause, const char *remedy, struct error *error,
                         const char *evidence, ...) __attribute__((format(printf, 7, 8)));
bool step_report_difference(struct step_report *report, const char *field, const char *wanted,
                            const char *found, struct error *error);
bool step_report_line(struct step_report *report, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The worst verdict of its findings: FAIL, UNKNOWN, WARN, OK in that order. */
enum step_verdict step_report_verdict(const struct step_report *report);

const char *step_state_name(enum step_state state);       /* "absent", "ours", … */
const char *step_verdict_name(enum step_verdict verdict); /* "ok", "warn", "fail", "unknown" */

/* An operation on a report that may be NULL in the step: true, and nothing happens. */
typedef bool step_function(const struct step_target *, struct step_report *, struct error *);
bool step_call(step_function *function, const struct step_target *target,
               struct step_report *report, struct error *error);

/* Steps of core itself, in any profile. */
extern const struct step step_model, step_buckets, step_files, step_catalog;

#endif
