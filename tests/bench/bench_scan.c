/* bench_scan: how fast delta files are read, by one thread, files in the page cache.
 *
 *     bench_scan SCHEMA PASSES FILE...
 *
 * Prints one JSON line a pass and level: "lines" only finds them, "scan" reads each record's
 * members, "rows" also types the `after` image of each record that has one. The counts by op let
 * the caller check that every record was seen. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/change/event.h"
#include "core/change/row.h"
#include "core/change/table.h"

enum level { LINES, SCAN, ROWS, LEVELS };
static const char *const level_names[LEVELS] = {"lines", "scan", "rows"};
enum { BATCH_ROWS = 10000 };

struct counts {
    uint64_t bytes, records, inserts, updates, deletes, tombstones, reads;
};

struct bench {
    struct change_table table;
    struct schema schema;
    struct change_scanner *scanner;
    struct change_row_reader *rows;
    struct batch batch;
    struct counts counts;
};

static bool die(const struct error *error)
{
    fprintf(stderr, "bench_scan: %s\n", error->message);
    exit(1);
}

static void count(struct counts *counts, const struct change *change)
{
    counts->records++;
    counts->inserts += change->op == 'c';
    counts->updates += change->op == 'u';
    counts->deletes += change->op == 'd';
    counts->reads += change->op == 'r';
    counts->tombstones += change->op == CHANGE_TOMBSTONE;
}

static bool take_line(struct bench *bench, enum level level, struct slice line, struct error *error)
{
    if (level == LINES) {
        bench->counts.records++;
        return true;
    }
    struct change change;
    TRY(change_scan_line(bench->scanner, line, &change, error));
    count(&bench->counts, &change);
    if (level == SCAN || !change.after.data)
        return true;
    if (bench->batch.length == BATCH_ROWS)
        batch_clear(&bench->batch);
    return change_row_read(bench->rows, change.after, change.value_schema, false, &bench->batch,
                           NULL, NULL, error);
}

static bool take_file(struct bench *bench, enum level level, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        return error_set(error, ERROR_IO, "", "can't open %s", path);
    size_t length = (size_t)info.st_size;
    char *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return error_set(error, ERROR_IO, "", "can't map %s", path);
    bool ok = true;
    for (size_t at = 0; ok && at < length;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        size_t line = end ? (size_t)(end - bytes) - at : length - at;
        ok = take_line(bench, level, (struct slice){bytes + at, line}, error);
        at += line + 1;
    }
    munmap(bytes, length);
    bench->counts.bytes += length;
    return ok;
}

static void run_pass(struct bench *bench, enum level level, char **files, int file_count)
{
    struct error error = {0};
    bench->counts = (struct counts){0};
    batch_clear(&bench->batch);
    int64_t wall = clock_monotonic_ns(), cpu = clock_cpu_ns();
    for (int i = 0; i < file_count; i++) {
        if (!take_file(bench, level, files[i], &error))
            die(&error);
    }
    wall = clock_monotonic_ns() - wall;
    cpu = clock_cpu_ns() - cpu;
    const struct counts *c = &bench->counts;
    printf("{\"level\":\"%s\",\"bytes\":%" PRIu64 ",\"records\":%" PRIu64 ",\"inserts\":%" PRIu64
           ",\"updates\":%" PRIu64 ",\"deletes\":%" PRIu64 ",\"tombstones\":%" PRIu64
           ",\"reads\":%" PRIu64 ",\"wall_ns\":%" PRId64 ",\"cpu_ns\":%" PRId64 "}\n",
           level_names[level], c->bytes, c->records, c->inserts, c->updates, c->deletes,
           c->tombstones, c->reads, wall, cpu);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    if (argc < 4) {
        fputs("usage: bench_scan SCHEMA PASSES FILE...\n", stderr);
        return 2;
    }
    static struct bench bench;
    struct buffer text = {0};
    struct slice json;
    if (!file_read(argv[1], &text, &error))
        die(&error);
    json = buffer_slice(&text);
    if (!change_table_parse(json, argv[1], &bench.table, &error) ||
        !change_table_lake_schema(&bench.table, &bench.schema, &error) ||
        !batch_init(&bench.batch, &bench.schema, &error))
        die(&error);
    bench.scanner = change_scanner_create(&error);
    bench.rows = change_row_reader_create(&bench.table, NULL, &error);
    if (!bench.scanner || !bench.rows)
        die(&error);
    int passes = atoi(argv[2]);
    for (int pass = 0; pass < passes; pass++) {
        for (int level = 0; level < LEVELS; level++)
            run_pass(&bench, (enum level)level, argv + 3, argc - 3);
    }
    batch_destroy(&bench.batch);
    change_row_reader_destroy(bench.rows);
    change_scanner_destroy(bench.scanner);
    schema_destroy(&bench.schema);
    change_table_destroy(&bench.table);
    buffer_destroy(&text);
    return 0;
}
