/* log.h: lines for people who debug the program itself (--log FILE). Never secrets. Off until
 * log_open(); thread-safe; one write a line. */
#ifndef SURFBOARD_BASE_LOG_H
#define SURFBOARD_BASE_LOG_H

#include "core/base/error.h"

bool log_open(const char *path, struct error *error);
void log_close(void);
void log_line(const char *module, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
