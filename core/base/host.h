/* host.h: who and where we are, for records that people read later. */
#ifndef SURFBOARD_BASE_HOST_H
#define SURFBOARD_BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The login name ("surf"; its number when it has none), and the host's name. NUL-terminated, cut.
 */
void host_user(char *out, size_t size);
void host_name(char *out, size_t size);
/* This boot's id, "" where the kernel tells none. */
void host_boot_id(char *out, size_t size);
/* Start time of a process in clock ticks since boot, to tell it from a later one of the same id; 0
 * when there is none. */
uint64_t host_process_start(int pid);
/* UTC time as "2026-11-22T10:58:12.345Z". */
void host_time_text(int64_t us, char *out, size_t size);

#endif
