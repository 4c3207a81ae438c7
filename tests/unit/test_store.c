/* The promises of core/store: objects are whole, a key is won once, trouble is loud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/store/store.h"

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/surfboard-store-XXXXXX");
    return mkdtemp(root) && chmod(root, 0755) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    return file_remove_tree(root, NULL) ? 0 : -1;
}

static struct store *open_root(void)
{
    struct store *store = store_open(root, NULL, NULL);
    assert_non_null(store);
    return store;
}

static void assert_object(struct store *store, const char *key, const char *body)
{
    struct buffer bytes = {0};
    assert_true(store_read(store, key, &bytes, NULL));
    assert_true(slice_is(buffer_slice(&bytes), body));
    buffer_destroy(&bytes);
}

static size_t files_below_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "find %s -type f | wc -l", root);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    int count = -1;
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return (size_t)count;
}

static void uris_of_every_form_name_the_same_place(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *root;
    } cases[] = {{"/a/b", "/a/b"},
                 {"/a//b/", "/a/b"},
                 {"file:/a/b", "/a/b"},
                 {"file:///a/b/", "/a/b"},
                 {"/a/./b/.", "/a/b"},
                 {"file:///", "/"},
                 {"/x/a%20b=c d", "/x/a%20b=c d"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store *store = store_open(cases[i].uri, NULL, NULL);
        assert_non_null(store);
        assert_string_equal(store_root(store), cases[i].root);
        store_close(store);
    }
    struct store *store = store_open("here", NULL, NULL);
    assert_true(store_root(store)[0] == '/');
    assert_true(slice_ends_with(slice_of(store_root(store)), SLICE_LITERAL("/here")));
    store_close(store);
    struct error error = {0};
    assert_null(store_open("hdfs://host/x", NULL, &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_true(error.remedy[0]);
    assert_null(store_open("", NULL, &error));
}

static void keys_are_found_only_below_the_root(void **state)
{
    (void)state;
    struct store *store = store_open("file:///lake/t", NULL, NULL);
    const char *key = NULL;
    assert_true(store_key(store, "file:///lake/t/data/x", &key));
    assert_string_equal(key, "data/x");
    assert_true(store_key(store, "file:/lake/t/m", &key));
    assert_true(store_key(store, "/lake/t/m", &key));
    assert_false(store_key(store, "/lake/t2/m", &key));
    assert_false(store_key(store, "/lake/t", &key));
    assert_false(store_key(store, "s3://lake/t/m", &key));
    store_close(store);
}

static void keys_never_leave_the_store(void **state)
{
    (void)state;
    struct store *store = open_root();
    static const char *const bad[] = {"", "/x", "../x", "a/../../x", "a//b", "a/.", "a/", "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        assert_false(store_put(store, bad[i], SLICE_LITERAL("x"), &error));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    assert_true(store_put(store, "..x/.y", SLICE_LITERAL("x"), NULL));
    store_close(store);
}

static void put_if_absent_is_won_once(void **state)
{
    (void)state;
    struct store *store = open_root();
    struct error error = {0};
    assert_true(store_put_if_absent(store, "a/b/v1", SLICE_LITERAL("first"), &error));
    assert_false(store_put_if_absent(store, "a/b/v1", SLICE_LITERAL("second"), &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    assert_object(store, "a/b/v1", "first");
    assert_true(store_put(store, "a/b/v1", SLICE_LITERAL("third"), NULL));
    assert_object(store, "a/b/v1", "third");
    assert_int_equal(files_below_root(), 1);
    store_close(store);
}

struct race {
    struct store *store;
    int won;
};

static bool race_put(void *context, size_t index, struct error *error)
{
    (void)error;
    struct race *race = context;
    char key[32];
    snprintf(key, sizeof key, "m/v%zu", index / 8);
    struct error own = {0};
    if (store_put_if_absent(race->store, key, SLICE_LITERAL("body"), &own))
        __atomic_fetch_add(&race->won, 1, __ATOMIC_RELAXED);
    else if (own.kind != ERROR_EXISTS)
        return error_set(error, own.kind, NULL, "%s", own.message);
    return true;
}

static void of_many_racing_writers_one_wins(void **state)
{
    (void)state;
    struct race race = {open_root(), 0};
    struct pool *pool = pool_create(8, NULL);
    struct error error = {0};
    if (!pool_run(pool, 160, race_put, &race, &error))
        fail_msg("%s", error.message);
    assert_int_equal(race.won, 20);
    assert_int_equal(files_below_root(), 20);
    pool_destroy(pool);
    store_close(race.store);
}

static void an_object_appears_only_at_commit(void **state)
{
    (void)state;
    struct store *store = open_root();
    struct store_writer *writer = store_writer_open(store, "d/1/x.bin", NULL);
    assert_non_null(writer);
    static char chunk[100000];
    memset(chunk, 'c', sizeof chunk);
    for (int i = 0; i < 11; i++)
        assert_true(sink_write(store_writer_sink(writer), chunk, sizeof chunk, NULL));
    static char big[600000];
    assert_true(sink_write(store_writer_sink(writer), big, sizeof big, NULL));
    bool exists = true;
    assert_true(store_exists(store, "d/1/x.bin", &exists, NULL));
    assert_false(exists);
    struct store_listing listing;
    assert_true(store_list(store, "", &listing, NULL));
    assert_int_equal(listing.count, 0);
    store_listing_destroy(&listing);
    assert_true(store_writer_commit(writer, STORE_FLUSH_LATER, NULL));
    uint64_t size = 0;
    int64_t modified = 0;
    assert_true(store_stat(store, "d/1/x.bin", &size, &modified, NULL));
    assert_int_equal(size, 1700000);
    assert_true(modified > INT64_C(1600000000000));
    const char *keys[] = {"d/1/x.bin"};
    assert_true(store_sync(store, keys, 1, NULL, NULL));

    writer = store_writer_open(store, "d/1/x.bin", NULL);
    struct error error = {0};
    assert_false(store_writer_commit(writer, STORE_FLUSH_NOW, &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    writer = store_writer_open(store, "d/2/y", NULL);
    store_writer_abort(writer);
    assert_int_equal(files_below_root(), 1);
    store_close(store);
}

static void listings_are_sorted_by_key_bytes(void **state)
{
    (void)state;
    struct store *store = open_root();
    static const char *const keys[] = {"t-1/x",  "t/0/1", "t/0/1.gz",  "t/0.x",
                                       "t/00/2", "t0",    "\xC3\xA9/e"};
    for (size_t i = sizeof keys / sizeof *keys; i > 0; i--)
        assert_true(store_put(store, keys[i - 1], SLICE_LITERAL("1"), NULL));
    struct store_listing listing;
    assert_true(store_list(store, "", &listing, NULL));
    assert_int_equal(listing.count, 7);
    for (size_t i = 1; i < listing.count; i++)
        assert_true(strcmp(listing.entries[i - 1].key, listing.entries[i].key) < 0);
    store_listing_destroy(&listing);
    static const struct {
        const char *prefix;
        size_t count;
    } cases[] = {{"t/", 4}, {"t/0", 4}, {"t/0/", 2}, {"t", 6}, {"none/at/all", 0}, {"t/0/1.", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(store_list(store, cases[i].prefix, &listing, NULL));
        assert_int_equal(listing.count, cases[i].count);
        store_listing_destroy(&listing);
    }
    store_close(store);
}

static void a_missing_root_is_not_an_empty_store(void **state)
{
    (void)state;
    struct store *store = store_open("/tmp/surfboard-there-is-no-such-folder", NULL, NULL);
    struct store_listing listing;
    struct error error = {0};
    assert_false(store_list(store, "", &listing, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    struct buffer bytes = {0};
    assert_false(store_read(store, "x", &bytes, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    bool exists = true;
    assert_true(store_exists(store, "x", &exists, NULL));
    assert_false(exists);
    assert_true(store_delete(store, "x", NULL));
    buffer_destroy(&bytes);
    store_close(store);
}

/* Runs `body` in a child, as an ordinary user when we are root; its exit code is the result. */
static int in_child(int (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(body());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int list_as_user(void)
{
    struct store *store = store_open(root, NULL, NULL);
    struct store_listing listing;
    struct error error = {0};
    if (store_list(store, "", &listing, &error))
        return 1; /* a short listing */
    if (store_list(store, "shut/", &listing, &error))
        return 2;
    bool exists;
    if (store_exists(store, "shut/x", &exists, &error))
        return 3;
    if (store_put(store, "shut/y", SLICE_LITERAL("y"), &error))
        return 4;
    bool named = strstr(error.message, "/shut") && error.system == EACCES && error.remedy[0];
    store_close(store);
    return named ? 0 : 5;
}

static void an_unreadable_folder_is_an_error(void **state)
{
    (void)state;
    struct store *store = open_root();
    assert_true(store_put(store, "open/a", SLICE_LITERAL("a"), NULL));
    assert_true(store_put(store, "shut/x", SLICE_LITERAL("x"), NULL));
    store_close(store);
    char path[96];
    snprintf(path, sizeof path, "%s/shut", root);
    assert_int_equal(chmod(path, 0), 0);
    int result = in_child(list_as_user);
    chmod(path, 0700);
    assert_int_equal(result, 0);
}

static void a_link_to_nowhere_is_an_error(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof path, "%s/lost", root);
    assert_int_equal(symlink("/nowhere/at/all", path), 0);
    struct store *store = open_root();
    struct store_listing listing;
    assert_false(store_list(store, "", &listing, NULL));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(root, path), 0); /* and one that goes round in circles */
    assert_false(store_list(store, "", &listing, NULL));
    store_close(store);
}

static int write_beyond_the_limit(void)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {100000, 100000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 9;
    struct store *store = store_open(root, NULL, NULL);
    static char body[300000];
    struct error error = {0};
    if (store_put_if_absent(store, "data/big", slice_make(body, sizeof body), &error))
        return 1;
    if (error.kind != ERROR_IO || error.system != EFBIG)
        return 2;
    struct store_writer *writer = store_writer_open(store, "data/big2", &error);
    bool ok = writer && sink_write(store_writer_sink(writer), body, 200000, &error);
    if (!ok) /* buffered: the trouble may come at commit only */
        return 3;
    if (store_writer_commit(writer, STORE_FLUSH_NOW, &error))
        return 4;
    store_close(store);
    return 0;
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(chmod(root, 0777), 0);
    assert_int_equal(in_child(write_beyond_the_limit), 0);
    assert_int_equal(files_below_root(), 0);
}

static void only_dead_writers_are_swept(void **state)
{
    (void)state;
    struct store *store = open_root();
    struct store_writer *writer = store_writer_open(store, "data/alive", NULL);
    assert_non_null(writer);
    pid_t child = fork();
    if (child == 0) {
        if (store_writer_open(store, "data/dead", NULL) == NULL)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(files_below_root(), 2);
    size_t removed = 0;
    assert_true(store_sweep(store, "", &removed, NULL));
    assert_int_equal(removed, 1);
    assert_true(store_writer_commit(writer, STORE_FLUSH_NOW, NULL));
    bool exists = false;
    assert_true(store_exists(store, "data/alive", &exists, NULL));
    assert_true(exists);
    assert_int_equal(files_below_root(), 1);
    store_close(store);
}

static void sources_read_map_and_survive_a_cut(void **state)
{
    (void)state;
    struct store *store = open_root();
    assert_true(store_put(store, "x", SLICE_LITERAL("0123456789"), NULL));
    assert_true(store_put(store, "none", SLICE_LITERAL(""), NULL));
    struct source source;
    assert_true(store_source_open(store, "x", &source, NULL));
    assert_int_equal(source.size, 10);
    assert_memory_equal(source.map(source.context), "0123456789", 10);
    char part[4];
    assert_true(source_read(&source, 3, part, 4, NULL));
    assert_memory_equal(part, "3456", 4);
    char path[96];
    snprintf(path, sizeof path, "%s/x", root);
    assert_int_equal(truncate(path, 5), 0);
    struct error error = {0};
    assert_false(source_read(&source, 3, part, 4, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    store_source_close(&source);
    store_source_close(&source);
    assert_true(store_source_open(store, "none", &source, NULL));
    assert_int_equal(source.size, 0);
    store_source_close(&source);
    assert_false(store_source_open(store, "absent", &source, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    store_close(store);
}

static void one_wave_syncs_files_and_folders(void **state)
{
    (void)state;
    struct store *store = open_root();
    struct pool *pool = pool_create(4, NULL);
    const char *keys[64];
    char names[64][24];
    for (int i = 0; i < 64; i++) {
        snprintf(names[i], sizeof names[i], "data/p=%d/f%d", i % 5, i);
        keys[i] = names[i];
        struct store_writer *writer = store_writer_open(store, keys[i], NULL);
        assert_true(sink_write(store_writer_sink(writer), "x", 1, NULL));
        assert_true(store_writer_commit(writer, STORE_FLUSH_LATER, NULL));
    }
    assert_true(store_sync(store, keys, 64, pool, NULL));
    keys[63] = "data/absent";
    struct error error = {0};
    assert_false(store_sync(store, keys, 64, pool, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    pool_destroy(pool);
    store_close(store);
}

#ifdef SURFBOARD_FAULTS
/* Fault rules are read once in a process, so each case runs in a program of its own: this one,
 * called as `test_store put ROOT KEY`. */
static int put_with_fault(const char *rule, const char *key)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("SURFBOARD_FAULT", rule, 1);
        execl("/proc/self/exe", "test_store", "put", root, key, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int put_main(const char *folder, const char *key)
{
    struct store *store = store_open(folder, NULL, NULL);
    struct error error = {0};
    bool ok = store && store_put_if_absent(store, key, SLICE_LITERAL("body"), &error);
    store_close(store);
    return ok ? 0 : (int)error.kind;
}

static void a_lost_reply_to_link_is_our_success(void **state)
{
    (void)state;
    assert_int_equal(put_with_fault("store.link.reply=eio", "p/a"), 0);
    assert_int_equal(put_with_fault("store.link.reply=eio", "p/a"), ERROR_EXISTS);
    assert_int_equal(put_with_fault("store.commit.before-folder-sync=eio", "p/b"), ERROR_UNKNOWN);
    assert_int_equal(put_with_fault("store.write.before=enospc", "p/c"), ERROR_IO);
    assert_int_equal(put_with_fault("store.commit.before-sync=eio", "p/c"), ERROR_IO);
    assert_int_equal(put_with_fault("store.commit.before-name=kill", "p/c"), -1);
    struct store *store = open_root();
    assert_object(store, "p/a", "body");
    assert_object(store, "p/b", "body");
    bool exists = true;
    assert_true(store_exists(store, "p/c", &exists, NULL));
    assert_false(exists);
    size_t removed = 0;
    assert_true(store_sweep(store, "p/", &removed, NULL));
    assert_int_equal(removed, 1);
    assert_int_equal(files_below_root(), 2);
    store_close(store);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct store *store = open_root();
    for (long n = 1;; n++) {
        struct error error = {0};
        memory_fail_after(n);
        struct store_listing listing = {0};
        bool ok = store_put(store, "m/x", SLICE_LITERAL("x"), &error) &&
                  store_list(store, "m/", &listing, &error);
        memory_fail_after(0);
        store_listing_destroy(&listing);
        if (ok)
            break;
        assert_int_equal(error.kind, ERROR_MEMORY);
        assert_true(n < 100);
    }
    assert_int_equal(files_below_root(), 1);
    store_close(store);
}
#endif

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(int count, char **arguments)
{
#ifdef SURFBOARD_FAULTS
    if (count == 4 && strcmp(arguments[1], "put") == 0)
        return put_main(arguments[2], arguments[3]);
#else
    (void)count;
    (void)arguments;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_of_every_form_name_the_same_place),
        cmocka_unit_test(keys_are_found_only_below_the_root),
        WITH_ROOT(keys_never_leave_the_store),
        WITH_ROOT(put_if_absent_is_won_once),
        WITH_ROOT(of_many_racing_writers_one_wins),
        WITH_ROOT(an_object_appears_only_at_commit),
        WITH_ROOT(listings_are_sorted_by_key_bytes),
        cmocka_unit_test(a_missing_root_is_not_an_empty_store),
        WITH_ROOT(an_unreadable_folder_is_an_error),
        WITH_ROOT(a_link_to_nowhere_is_an_error),
        WITH_ROOT(a_full_disk_leaves_nothing_behind),
        WITH_ROOT(only_dead_writers_are_swept),
        WITH_ROOT(sources_read_map_and_survive_a_cut),
        WITH_ROOT(one_wave_syncs_files_and_folders),
#ifdef SURFBOARD_FAULTS
        WITH_ROOT(a_lost_reply_to_link_is_our_success),
        WITH_ROOT(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
