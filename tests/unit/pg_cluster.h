/* pg_cluster.h: a private Postgres for a unit test, by tests/tools/pg.sh. Include once. */
#ifndef SURFBOARD_TESTS_PG_CLUSTER_H
#define SURFBOARD_TESTS_PG_CLUSTER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static char cluster_folder[64];
static char cluster_dsn[256];

static int cluster_call(const char *verb)
{
    char command[256];
    snprintf(command, sizeof command, "tests/tools/pg.sh %s %s", verb, cluster_folder);
    FILE *pipe = popen(command, "r");
    char line[256] = "";
    if (pipe == NULL)
        return -1;
    if (fgets(line, sizeof line, pipe) && strcmp(verb, "start") == 0) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(cluster_dsn, sizeof cluster_dsn, "%s", line);
    }
    return pclose(pipe);
}

static int cluster_start(void **state)
{
    (void)state;
    strcpy(cluster_folder, "/tmp/surfboard-pg-XXXXXX");
    return mkdtemp(cluster_folder) ? cluster_call("start") : -1;
}

static int cluster_stop(void **state)
{
    (void)state;
    int result = cluster_call("stop");
    return file_remove_tree(cluster_folder, NULL) ? result : -1;
}

#endif
