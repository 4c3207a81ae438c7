/* The screen: what the program does when no verb is given. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/config/context.h"
#include "tui/screen/app.h"
#include "tui/verbs.h"

/* One screen; *app becomes NULL when a thread of it is still held up; *next: the profile that the
 * next one shall show, as long as there is a next one. */
static int screen_once(struct command *command, struct app **slot, const char *path,
                       const char *from, char *next, size_t size)
{
    struct app *app = *slot;
    struct error error = {0};
    struct app_options options = {.profile_path = path,
                                  .profile_from = from,
                                  .read_only = command->read_only,
                                  .ascii = command->ascii,
                                  .no_color = command_flag(command, "no-color")};
    next[0] = '\0';
    if (!app_open(app, &options, &error))
        return command_fail(command, &error);
    int code = app_main(app);
    snprintf(next, size, "%s", app->reopen);
    bool demo = app->wants_demo;
    size_t alive = app->runner.count;
    if (!app_close(app))
        *slot = NULL;
    if (*slot == NULL)
        next[0] = '\0';
    if (alive && !*next)
        command_say(command, "%zu %s on; surfboard runs shows them", alive,
                    alive == 1 ? "run goes" : "runs go");
    return demo ? verb_demo.run(command) : code;
}

static int screen_run_all(struct command *command, struct app **app, const char *path,
                          const char *from)
{
    char shown[4096], next[4096];
    int code = screen_once(command, app, path, from, next, sizeof next);
    while (next[0]) {
        memcpy(shown, next, sizeof shown);
        code = screen_once(command, app, shown, "the guide", next, sizeof next);
    }
    return code;
}

/* It stays open for days and reads much for a moment: what is freed goes back at once. By itself
 * the allocator would learn from the first large answer to keep as much, in each thread. */
static void keep_little(void)
{
    enum { LARGE = 256 << 10, ARENAS_MOST = 2 };
    mallopt(M_MMAP_THRESHOLD, LARGE);
    mallopt(M_TRIM_THRESHOLD, LARGE);
    mallopt(M_ARENA_MAX, ARENAS_MOST);
    /* libpq brings libldap along, and that GnuTLS, which would set itself up unasked. */
    setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
}

static int screen_verb_run(struct command *command)
{
    keep_little();
    struct error error = {0};
    struct context_choice choice;
    if (!context_choose(command_option(command, "profile"), command_option(command, "context"),
                        &choice, &error))
        return command_fail(command, &error);
    struct app *app = memory_zero(1, sizeof *app, &error);
    int code = app ? screen_run_all(command, &app, choice.path, choice.from)
                   : command_fail(command, &error);
    free(app);
    context_choice_destroy(&choice);
    return code;
}

const struct verb verb_screen = {
    .name = "screen",
    .synopsis = "",
    .summary = "Opens the screen, as `surfboard` alone does",
    .flags = VERB_HIDDEN,
    .run = screen_verb_run,
};
