/* file.h: whole local files (profiles, receipts, run records). Data objects go through store/. */
#ifndef SURFBOARD_BASE_FILE_H
#define SURFBOARD_BASE_FILE_H

#include <sys/types.h>

#include "core/base/buffer.h"
#include "core/base/error.h"

/* Appends the file's bytes to `out`. */
bool file_read(const char *path, struct buffer *out, struct error *error);
/* Writes beside and renames over `path`, fsyncing file and folder: old or new, never half. */
bool file_write_atomic(const char *path, struct slice bytes, mode_t mode, struct error *error);
/* Creates the folder and its parents; an existing folder is fine. */
bool file_make_folders(const char *path, mode_t mode, struct error *error);
bool file_sync_folder(const char *path, struct error *error);
bool file_exists(const char *path);
/* Writes all bytes to a descriptor, over short writes and EINTR. `name` is for the message. */
bool file_write_all(int fd, const void *data, size_t length, const char *name, struct error *error);
/* "a/b" from "a" and "b" with exactly one slash; fresh memory. */
char *file_join(const char *folder, const char *name, struct error *error);
/* Removes a tree below `path`, and it; absent is fine. Never follows links. */
bool file_remove_tree(const char *path, struct error *error);

#endif
