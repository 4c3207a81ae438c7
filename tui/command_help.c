/* Help, manual page and completion, all written from the one verb table. */
#include <ctype.h>
#include <string.h>

#include "tui/command_private.h"
#include "tui/screen/action.h"

static const struct {
    int code;
    const char *meaning;
} help_exits[] = {
    {0, "done; the thing asked about is well"},
    {1, "checked, and it is not well: a failed check, differences, a stale stream"},
    {2, "usage"},
    {3, "profile, model or schema file wrong"},
    {4, "a service can't be reached or does not answer in time"},
    {5, "refused: read-only context, or a confirmation is missing"},
    {6, "conflict: somebody else holds or changed it; safe to try again"},
    {7, "bad input data; nothing was committed past it"},
    {8, "internal error"},
    {130, "interrupted"},
};

static void help_wrap(FILE *out, const char *text, int indent, int column)
{
    int at = column;
    while (*text) {
        size_t length = strcspn(text, " \n");
        if (at > indent && at + (int)length + 1 > 96) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)length, text);
        at += (int)length;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void help_options(FILE *out, const struct option_spec *options)
{
    for (size_t i = 0; i < command_table_length(options); i++) {
        char left[80];
        snprintf(left, sizeof left, "  --%s%s%s", options[i].name, options[i].argument ? " " : "",
                 options[i].argument ? options[i].argument : "");
        int width = (int)strlen(left);
        if (width > 26)
            fprintf(out, "%s\n%*s", left, 28, "");
        else
            fprintf(out, "%-28s", left);
        help_wrap(out, options[i].help, 28, 28);
    }
}

void command_write_help(FILE *out)
{
    fputs("surfboard: a terminal workbench for change-data pipelines from Postgres to Iceberg\n\n"
          "usage: surfboard [options] VERB [arguments] [options]\n\nverbs:\n",
          out);
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->flags & VERB_HIDDEN)
            continue;
        fprintf(out, "  %-14s", verbs[i]->name);
        help_wrap(out, verbs[i]->summary, 16, 16);
    }
    fputs("\noptions, before or after the verb:\n", out);
    help_options(out, command_global_options);
    fputs("\nexit codes:\n", out);
    for (size_t i = 0; i < sizeof help_exits / sizeof *help_exits; i++)
        fprintf(out, "  %-4d%s\n", help_exits[i].code, help_exits[i].meaning);
    fputs("\n`surfboard VERB --help` says more of a verb; man surfboard has it all.\n", out);
}

void command_write_verb_help(const struct verb *verb, FILE *out)
{
    fprintf(out, "usage: surfboard %s", verb->name);
    int column = 17 + (int)strlen(verb->name);
    fputc(' ', out);
    help_wrap(out, verb->synopsis, 11, column);
    fputc('\n', out);
    help_wrap(out, verb->summary, 0, 0);
    if (verb->details) {
        fputc('\n', out);
        help_wrap(out, verb->details, 0, 0);
    }
    if (command_table_length(verb->options)) {
        fputs("\noptions:\n", out);
        help_options(out, verb->options);
    }
    fprintf(out, "\n%s%s`surfboard --help` lists the options that every verb takes.\n",
            verb->flags & VERB_CHANGES ? "It changes the world: refused in a read-only context. "
                                       : "",
            verb->flags & VERB_JSON_LINES ? "With --json it prints JSON lines. " : "");
}

/* troff: a dash would become a hyphen, a leading point or quote a request. */
static void man_text(FILE *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void man_options(FILE *out, const struct option_spec *options)
{
    for (size_t i = 0; i < command_table_length(options); i++) {
        fputs(".TP\n.B ", out);
        man_text(out, "--");
        man_text(out, options[i].name);
        if (options[i].argument) {
            fputs(" \\fI", out);
            man_text(out, options[i].argument);
            fputs("\\fR", out);
        }
        fputc('\n', out);
        man_text(out, options[i].help);
        fputc('\n', out);
    }
}

bool command_write_man(FILE *out)
{
    fputs(".TH SURFBOARD 1 \"\" \"surfboard " SURFBOARD_VERSION "\" \"User Commands\"\n.SH NAME\n"
          "surfboard \\- a terminal workbench for change\\-data pipelines from Postgres to "
          "Iceberg\n.SH SYNOPSIS\n.B surfboard\n[\\fIoptions\\fR] \\fIVERB\\fR [\\fIarguments\\fR] "
          "[\\fIoptions\\fR]\n.SH OPTIONS\nThese stand before or after the verb.\n",
          out);
    man_options(out, command_global_options);
    fputs(".SH VERBS\n", out);
    for (size_t i = 0; verbs[i]; i++) {
        const struct verb *verb = verbs[i];
        if (verb->flags & VERB_HIDDEN)
            continue;
        fputs(".SS ", out);
        man_text(out, verb->name);
        fputs(" ", out);
        man_text(out, verb->synopsis);
        fputc('\n', out);
        man_text(out, verb->summary);
        fputs(".\n", out);
        if (verb->details) {
            fputs(".PP\n", out);
            man_text(out, verb->details);
            fputc('\n', out);
        }
        man_options(out, verb->options);
    }
    action_write_man(out);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof help_exits / sizeof *help_exits; i++) {
        fprintf(out, ".TP\n.B %d\n", help_exits[i].code);
        man_text(out, help_exits[i].meaning);
        fputc('\n', out);
    }
    fputs(".SH ENVIRONMENT\n.TP\n.B SURFBOARD_PROFILE\nthe profile, as \\-\\-profile\n"
          ".TP\n.B SURFBOARD_CONTEXT\nthe context, as \\-\\-context\n"
          ".TP\n.B NO_COLOR\nno colours\n"
          ".TP\n.B XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME\nwhere contexts, state and "
          "caches lie\n"
          ".TP\n.B AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY\n"
          "where s3:// is, and by which keys, when no profile says so (lake.s3); also "
          "AWS_SESSION_TOKEN and AWS_CA_BUNDLE\n",
          out);
    return !ferror(out);
}

static void completion_options(FILE *out, const struct option_spec *options)
{
    for (size_t i = 0; i < command_table_length(options); i++)
        fprintf(out, "%s--%s", i ? " " : "", options[i].name);
}

bool command_write_completion(FILE *out)
{
    fputs("# bash completion of surfboard; written by surfboard --completion bash\n"
          "_surfboard()\n{\n    local current=${COMP_WORDS[COMP_CWORD]} verb= word i\n"
          "    local previous=${COMP_WORDS[COMP_CWORD-1]}\n    local options='",
          out);
    completion_options(out, command_global_options);
    fputs(
        "'\n    case $previous in\n    --profile | --log | --schema | --deltas | --table | --dir)\n"
        "        COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
        "    esac\n    for ((i = 1; i < COMP_CWORD; i++)); do\n        word=${COMP_WORDS[i]}\n"
        "        case $word in\n        --profile | --context | --log) ((i++)) ;;\n"
        "        -*) ;;\n        *) verb=\"${verb:+$verb }$word\" ;;\n        esac\n    done\n"
        "    case $verb in\n    '') [[ $current == -* ]] || options='",
        out);
    for (size_t i = 0; verbs[i]; i++)
        if (!(verbs[i]->flags & VERB_HIDDEN))
            fprintf(out, "%s%.*s", i ? " " : "", (int)strcspn(verbs[i]->name, " "), verbs[i]->name);
    fputs("' ;;\n", out);
    for (size_t i = 0; verbs[i]; i++) {
        const char *blank = strchr(verbs[i]->name, ' ');
        bool first = blank != NULL;
        size_t length = blank ? (size_t)(blank - verbs[i]->name) : 0;
        for (size_t j = 0; first && j < i; j++)
            first = strncmp(verbs[j]->name, verbs[i]->name, length + 1) != 0;
        if (!first || verbs[i]->flags & VERB_HIDDEN)
            continue;
        fprintf(out, "    '%.*s') options=\"$options", (int)length, verbs[i]->name);
        for (size_t j = i; verbs[j]; j++)
            if (strncmp(verbs[j]->name, verbs[i]->name, length + 1) == 0)
                fprintf(out, " %s", verbs[j]->name + length + 1);
        fputs("\" ;;\n", out);
    }
    for (size_t i = 0; verbs[i]; i++) {
        if (verbs[i]->flags & VERB_HIDDEN || command_table_length(verbs[i]->options) == 0)
            continue;
        fprintf(out, "    '%s' | '%s '*) options=\"$options ", verbs[i]->name, verbs[i]->name);
        completion_options(out, verbs[i]->options);
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
          "    [[ $current == -* || -z $verb ]] || COMPREPLY+=($(compgen -f -- \"$current\"))\n}\n"
          "complete -F _surfboard surfboard\n",
          out);
    return !ferror(out);
}
