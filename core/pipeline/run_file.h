/* run_file.h: reading event files of runs: what run_list.c, run_tail.c and run_child.c share. Other
 * folders use run.h, run_tail.h and run_child.h. */
#ifndef SURFBOARD_PIPELINE_RUN_FILE_H
#define SURFBOARD_PIPELINE_RUN_FILE_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/config/profile.h"

/* Whether `name` is that of an event file, and its number. */
bool run_file_number(const char *name, unsigned long *out);
/* Numbers of all runs in a folder, newest first; fresh memory. */
bool run_file_numbers(const char *folder, unsigned long **out, size_t *count, struct error *error);
/* Path of a run's file; fresh memory. ERROR_NOT_FOUND when `id` is no number or there is no such
 * run. */
char *run_file_path(const struct profile *profile, const char *id, struct error *error);

/* The first line and the end of a file. */
struct run_ends {
    json_t *start;  /* the first event; NULL when there is no whole line, or it is no JSON */
    json_t *last;   /* the last whole event; the same as `start` when there is one only */
    json_t *report; /* the last progress event near the end; NULL when there is none */
    bool torn;      /* bytes behind the last whole line, or lines that are none */
    int64_t size;
};
/* Reads at most some kilobytes, more only where a line is longer. */
bool run_file_ends(int fd, const char *path, struct run_ends *out, struct error *error);
void run_ends_destroy(struct run_ends *ends);

/* Somebody holds the writer's lock: it is alive. */
bool run_file_is_locked(int fd);
/* ERROR_CONFIG with the remedy when a start event's format is newer than ours. */
bool run_file_check_format(const json_t *start, const char *path, struct error *error);
/* Microseconds since 1970 of an event's "at"; -1 when it has none. */
int64_t run_event_time(const json_t *event);

#endif
