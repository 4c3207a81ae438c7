#include "core/base/fault.h"

#ifdef SURFBOARD_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FAULT_RULES = 16 };

struct fault_rule {
    char name[96];
    char action[32];
    long nth;
    long seen;
};

static struct fault_rule rules[FAULT_RULES];
static size_t rule_count;
static pthread_once_t rules_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t rules_lock = PTHREAD_MUTEX_INITIALIZER;

static void fault_read_rules(void)
{
    const char *text = getenv("SURFBOARD_FAULT");
    while (text && *text && rule_count < FAULT_RULES) {
        size_t length = strcspn(text, ",");
        const char *equals = memchr(text, '=', length);
        if (equals && (size_t)(equals - text) < sizeof rules[0].name) {
            struct fault_rule *rule = &rules[rule_count++];
            memcpy(rule->name, text, (size_t)(equals - text));
            size_t rest = length - (size_t)(equals - text) - 1;
            const char *at = memchr(equals + 1, '@', rest);
            size_t action = at ? (size_t)(at - equals - 1) : rest;
            if (action >= sizeof rule->action)
                action = sizeof rule->action - 1;
            memcpy(rule->action, equals + 1, action);
            rule->nth = at ? strtol(at + 1, NULL, 10) : 1;
        }
        text += length + (text[length] == ',');
    }
}

static void fault_log(const char *name)
{
    const char *path = getenv("SURFBOARD_FAULT_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return;
    char line[112];
    size_t length = strlen(name);
    if (length > sizeof line - 1)
        length = sizeof line - 1;
    memcpy(line, name, length);
    line[length] = '\n';
    if (write(fd, line, length + 1) < 0)
        abort(); /* a test that can't see its points fire must not pass */
    close(fd);
}

bool fault_point(const char *name, struct error *error)
{
    pthread_once(&rules_once, fault_read_rules);
    if (rule_count == 0)
        return true;
    char action[sizeof rules[0].action] = "";
    pthread_mutex_lock(&rules_lock);
    for (size_t i = 0; i < rule_count; i++) {
        if (strcmp(rules[i].name, name) == 0 && ++rules[i].seen == rules[i].nth)
            memcpy(action, rules[i].action, sizeof action);
    }
    pthread_mutex_unlock(&rules_lock);
    if (action[0] == '\0')
        return true;
    fault_log(name);
    if (strcmp(action, "kill") == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
    if (strcmp(action, "eio") == 0)
        return error_set_system(error, EIO, "fault point %s", name);
    if (strcmp(action, "enospc") == 0)
        return error_set_system(error, ENOSPC, "fault point %s", name);
    if (strncmp(action, "delay:", 6) == 0) {
        long ms = strtol(action + 6, NULL, 10);
        struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
        nanosleep(&wait, NULL);
        return true;
    }
    return error_set(error, ERROR_INTERNAL, "use kill, eio, enospc or delay:MS",
                     "fault point %s: unknown action %s", name, action);
}

#else
/* ISO C wants a declaration in every file. */
typedef int fault_is_compiled_out;
#endif
