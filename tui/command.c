/* From the arguments to a verb's exit code. */
#include "tui/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "tui/command_private.h"
#include "tui/verbs.h"

const struct option_spec command_global_options[] = {
    {"profile", OPTION_TEXT, "FILE", "the profile to work with"},
    {"context", OPTION_TEXT, "NAME", "the profile by its context's name"},
    {"json", OPTION_FLAG, NULL, "print JSON: one document, or lines where the verb says so"},
    {"read-only", OPTION_FLAG, NULL, "refuse everything that changes the world"},
    {"ascii", OPTION_FLAG, NULL, "draw with ASCII only"},
    {"no-color", OPTION_FLAG, NULL, "no colours"},
    {"log", OPTION_TEXT, "FILE", "append messages about the program itself to FILE"},
    {"help", OPTION_FLAG, NULL, "show help, of the verb when there is one"},
    {"version", OPTION_FLAG, NULL, "show the version"},
    {"man", OPTION_FLAG, NULL, "print the manual page, surfboard(1), as troff"},
    {"completion", OPTION_CHOICE, "bash", "print the completion script of a shell"},
    {0},
};

int command_verb_words(const struct verb *verb)
{
    return strchr(verb->name, ' ') ? 2 : 1;
}

static bool command_is(const struct verb *verb, char *const *words, int length)
{
    if (command_verb_words(verb) != length)
        return false;
    size_t first = strcspn(verb->name, " ");
    if (strlen(words[0]) != first || memcmp(words[0], verb->name, first) != 0)
        return false;
    return length == 1 || strcmp(words[1], verb->name + first + 1) == 0;
}

const struct verb *command_match(char *const *words, int count)
{
    for (int length = count >= 2 ? 2 : 1; length >= 1; length--)
        for (size_t i = 0; verbs[i]; i++)
            if (command_is(verbs[i], words, length))
                return verbs[i];
    return NULL;
}

/* Two passes: the verb first, for whose options a word may be an argument. An option's argument
 * that stands before the verb belongs to a global option, so the first pass finds the verb. */
const struct verb *command_find(int count, char **arguments)
{
    struct command_private hidden = {0};
    hidden.words = memory_zero((size_t)count + 1, sizeof *hidden.words, NULL);
    if (hidden.words == NULL)
        return NULL;
    const struct verb *verb = NULL;
    if (command_parse(&hidden, count, arguments, NULL, NULL, false, NULL) && hidden.word_count)
        verb = command_match(hidden.words, hidden.word_count);
    free(hidden.words);
    return verb;
}

static bool command_unknown_verb(char **words, int count, struct error *error)
{
    const char *names[128];
    size_t known = 0;
    char given[128];
    snprintf(given, sizeof given, "%s", words[0]);
    for (size_t i = 0; verbs[i] && known < 128; i++) {
        size_t length = strlen(words[0]);
        bool family =
            strncmp(verbs[i]->name, words[0], length) == 0 && verbs[i]->name[length] == ' ';
        if (family && count > 1)
            snprintf(given, sizeof given, "%s %s", words[0], words[1]);
        if (!(verbs[i]->flags & VERB_HIDDEN))
            names[known++] = verbs[i]->name;
    }
    const char *near = nearest_word(given, names, known);
    error_set(error, ERROR_USAGE, "surfboard --help lists the verbs", "unknown verb '%s'", given);
    return near ? error_remedy(error, "did you mean 'surfboard %s'?", near) : false;
}

static bool command_check_positionals(const struct command *command, struct error *error)
{
    const struct verb *verb = command->verb;
    if (command->count < verb->least)
        error_set(error, ERROR_USAGE, NULL, "%s wants %s", verb->name,
                  verb->synopsis && *verb->synopsis ? verb->synopsis : "more arguments");
    else if (verb->most >= 0 && command->count > verb->most)
        error_set(error, ERROR_USAGE, NULL, "%s does not take '%s'", verb->name,
                  command->arguments[verb->most]);
    else
        return true;
    return error_remedy(error, "usage: surfboard %s %s", verb->name, verb->synopsis);
}

static int command_run(struct command *command)
{
    struct error error = {0};
    const char *log = command_option(command, "log");
    if (log && !log_open(log, &error))
        return command_fail(command, &error);
    if (!command_check_positionals(command, &error))
        return command_fail(command, &error);
    bool changes = (command->verb->flags & VERB_CHANGES) && !command_flag(command, "dry-run");
    if (changes && command->read_only) {
        error_set(&error, ERROR_REFUSED, "run it again without --read-only",
                  "%s changes the world, and --read-only was given", command->verb->name);
        return command_fail(command, &error);
    }
    if (!command_context_find_s3(command, &error))
        return command_fail(command, &error);
    int code = command->verb->run(command);
    command_progress(command, "%s", "");
    if (!command_context_finish(command, code, &error))
        return code ? code : command_fail(command, &error);
    if (fflush(command->out) != 0 || ferror(command->out)) {
        error_set(&error, ERROR_IO, "give it room, or another place to write to",
                  "writing the result failed");
        return code ? code : command_fail(command, &error);
    }
    return code;
}

/* --help, --version, --man, --completion; -1 when it is something else. */
static int command_run_document(struct command *command, const struct verb *verb)
{
    bool done = true, ok = true;
    if (command_flag(command, "help") && verb)
        command_write_verb_help(verb, command->out);
    else if (command_flag(command, "help"))
        command_write_help(command->out);
    else if (command_flag(command, "version"))
        fprintf(command->out, "surfboard %s\n", SURFBOARD_VERSION);
    else if (command_flag(command, "man"))
        ok = command_write_man(command->out);
    else if (command_flag(command, "completion"))
        ok = command_write_completion(command->out);
    else
        done = false;
    return done ? (ok && fflush(command->out) == 0 ? 0 : 8) : -1;
}

/* Alone, it would open the screen, were this a terminal. */
static void command_no_verb(const struct command *command, struct error *error)
{
    bool in = isatty(STDIN_FILENO) == 1, out = command->out_is_terminal;
    const char *why = command->json ? ""
                      : !in         ? "; the screen can't open: the input is not a terminal"
                      : !out        ? "; the screen can't open: the output is not a terminal"
                                    : "";
    error_set(error, ERROR_USAGE,
              "the command line does all that the screen does: surfboard --help lists the verbs; "
              "surfboard demo shows it all; over ssh, ssh -t gives a terminal",
              "what shall it do? a verb is missing%s", why);
}

static int command_dispatch(struct command *command, int count, char **arguments)
{
    struct command_private *hidden = command->hidden;
    struct error error = {0};
    const struct verb *verb = command_find(count, arguments);
    /* --json must be known before an error about the other options is printed. */
    for (int i = 1; i < count && strcmp(arguments[i], "--") != 0; i++)
        command->json |= strcmp(arguments[i], "--json") == 0;
    /* Options behind an unknown verb may be right ones: the verb is what is wrong. */
    bool strict = verb || count < 2 || arguments[1][0] == '-';
    if (!command_parse(hidden, count, arguments, verb ? verb->options : NULL,
                       verb ? verb->name : NULL, strict, &error))
        return command_fail(command, &error);
    int code = command_run_document(command, verb);
    if (code >= 0)
        return code;
    /* Alone, on a terminal, it opens the screen. */
    if (verb == NULL && hidden->word_count == 0 && command->out_is_terminal && !command->json &&
        isatty(STDIN_FILENO) == 1)
        verb = &verb_screen;
    if (verb == NULL && hidden->word_count)
        command_unknown_verb(hidden->words, hidden->word_count, &error);
    else if (verb == NULL)
        command_no_verb(command, &error);
    if (verb == NULL)
        return command_fail(command, &error);
    command->verb = verb;
    int words = hidden->word_count ? command_verb_words(verb) : 0;
    command->arguments = hidden->words + words;
    command->count = hidden->word_count - words;
    command->read_only = command_flag(command, "read-only");
    command->ascii = command_flag(command, "ascii");
    command->color = command->out_is_terminal && !command_flag(command, "no-color") &&
                     getenv("NO_COLOR") == NULL;
    return command_run(command);
}

int command_main(int count, char **arguments, FILE *out, FILE *err, const atomic_bool *stop)
{
    static const atomic_bool never;
    struct command_private hidden = {0};
    struct command command = {.out = out,
                              .err = err,
                              .out_is_terminal = isatty(fileno(out)) == 1,
                              .err_is_terminal = isatty(fileno(err)) == 1,
                              .stop = stop ? stop : &never,
                              .hidden = &hidden};
    hidden.words = memory_zero((size_t)count + 1, sizeof *hidden.words, NULL);
    if (hidden.words == NULL)
        return error_exit_code(ERROR_MEMORY);
    int code = command_dispatch(&command, count, arguments);
    command_context_destroy(&command);
    free(hidden.words);
    log_close();
    return code;
}
