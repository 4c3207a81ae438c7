/* cluster.h: a private Postgres cluster in a folder: the source and the catalog of the embedded
 * pipeline, and the server of the tests. It listens on 127.0.0.1 only, asks for a password
 * (scram) that lies in a pgpass file (0600) beside it, and has wal_level=logical with a finite
 * max_slot_wal_keep_size, so that an abandoned slot can't fill the disk.
 *
 *   <folder>/cluster.json   format, data folder, port, user, programs
 *   <folder>/pgpass         for libpq's passfile=
 *   <folder>/server.log     what the server said
 *   <folder>/data           the data folder, 0700, owned by the server's user
 *
 * Started as root, the server runs as `postgres` (programs.h). When that user can't enter <folder>
 * (below /root, say), the data folder lies under /var/lib/surfboard/postgres instead;
 * cluster.json tells where.
 */
#ifndef SURFBOARD_POSTGRES_CLUSTER_H
#define SURFBOARD_POSTGRES_CLUSTER_H

#include <sys/types.h>

#include "core/base/error.h"
#include "plugins/postgres/programs.h"

enum { CLUSTER_TEXT_SIZE = 1024 };

#define CLUSTER_USER "surfboard"

struct cluster {
    char folder[CLUSTER_TEXT_SIZE]; /* absolute */
    char data[CLUSTER_TEXT_SIZE];   /* absolute */
    char programs[PROGRAMS_PATH_SIZE];
    struct program_user user;
    int port;
    pid_t pid; /* of the server when it runs and is ours, else 0 */
};

/* Reads the cluster in the folder, or makes it (initdb, settings, password) when there is none; a
 * half-made one is made again. Does not start it. */
bool cluster_open(const char *folder, struct cluster *out, struct error *error);
/* Starts the server unless it runs, and waits (30 s) until it answers. When its port was taken
 * meanwhile a new one is chosen and recorded: ask cluster_dsn() afterwards. */
bool cluster_start(struct cluster *cluster, struct error *error);
/* Whether it runs; sets pid. */
bool cluster_running(struct cluster *cluster);
/* Fast shutdown: sessions end, no data is lost. Waits 30 s, then tells it to stop at once. */
bool cluster_stop(struct cluster *cluster, struct error *error);
/* Stops the server and removes the data folder and the files that cluster_open() made. */
bool cluster_remove(struct cluster *cluster, struct error *error);
/* "host=127.0.0.1 port=N dbname=D user=surfboard passfile=F": holds no secret. Fresh memory. */
char *cluster_dsn(const struct cluster *cluster, const char *database, struct error *error);
/* Creates the database unless it is there. The cluster must run. */
bool cluster_create_database(const struct cluster *cluster, const char *database,
                             struct error *error);

#endif
