#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static atomic_int log_fd = -1;

bool log_open(const char *path, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_set_system(error, errno, "log file %s", path);
    int old = atomic_exchange(&log_fd, fd);
    if (old >= 0)
        close(old);
    return true;
}

void log_close(void)
{
    int old = atomic_exchange(&log_fd, -1);
    if (old >= 0)
        close(old);
}

void log_line(const char *module, const char *format, ...)
{
    int fd = atomic_load(&log_fd);
    if (fd < 0)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm parts;
    gmtime_r(&now.tv_sec, &parts);
    char line[2048];
    size_t length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &parts);
    length += (size_t)snprintf(line + length, sizeof line - length,
                               ".%03ldZ %d %s: ", now.tv_nsec / 1000000, (int)getpid(), module);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    length += more > 0 ? (size_t)more : 0;
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(fd, line, length) < 0)
        atomic_store(&log_fd, -1); /* nowhere to say it */
}
