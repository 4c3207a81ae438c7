/* The systemd unit that calls `surfboard resume`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buffer.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/boot.h"

char *boot_unit_name(const struct profile *profile, struct error *error)
{
    char *name = memory_format(error, "surfboard-%s.service", profile->context);
    for (char *at = name; at && *at; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9') || strchr("-_.:", *at)))
            *at = '_';
    return name;
}

/* One word of a unit: quoted, with systemd's own signs escaped. `command`: dollar signs too. */
static bool unit_word(struct buffer *out, const char *text, bool command, struct error *error)
{
    TRY(buffer_append_byte(out, '"', error));
    for (; *text; text++) {
        if (*text == '%' || (*text == '$' && command))
            TRY(buffer_append_byte(out, (uint8_t)*text, error));
        if (*text == '"' || *text == '\\')
            TRY(buffer_append_byte(out, '\\', error));
        TRY(buffer_append_byte(out, (uint8_t)*text, error));
    }
    return buffer_append_byte(out, '"', error);
}

static bool unit_call(struct buffer *out, const char *key, const struct profile *profile,
                      const char *binary, struct error *error)
{
    return buffer_append_format(out, error, "%s=-", key) && unit_word(out, binary, true, error) &&
           buffer_append_text(out, " --profile ", error) &&
           unit_word(out, profile->path, true, error) &&
           buffer_append_text(out, " resume\n", error);
}

static bool unit_head(const struct profile *profile, bool of_user, struct buffer *out,
                      struct error *error)
{
    char *name = boot_unit_name(profile, error);
    TRY(name != NULL);
    bool ok = buffer_append_format(
        out, error,
        "# %s: starts at boot what is wanted in context %s and not alive.\n"
        "# Put it into %s, then\n"
        "#   %ssystemctl %sdaemon-reload && %ssystemctl %senable --now %s\n%s"
        "# reload starts what died since.\n"
        "[Unit]\n"
        "Description=Surfboard: wanted work of context %s\n"
        "Documentation=man:surfboard(1)\n",
        name, profile->context, of_user ? "~/.config/systemd/user" : "/etc/systemd/system",
        of_user ? "" : "sudo ", of_user ? "--user " : "", of_user ? "" : "sudo ",
        of_user ? "--user " : "", name,
        of_user ? "#   loginctl enable-linger   (else it ends with your last logout)\n" : "",
        profile->context);
    if (ok && !of_user)
        ok = buffer_append_text(out,
                                "Wants=network-online.target\n"
                                "After=network-online.target postgresql.service\n",
                                error);
    free(name);
    return ok;
}

static bool unit_mounts(const struct profile *profile, struct buffer *out, struct error *error)
{
    const char *const paths[] = {profile->path, profile->state, profile->lake.deltas,
                                 profile->lake.warehouse};
    TRY(buffer_append_text(out, "RequiresMountsFor=", error));
    for (size_t i = 0, n = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && paths[i][0] == '/')
            TRY((n++ == 0 || buffer_append_byte(out, ' ', error)) &&
                unit_word(out, paths[i], false, error));
    return buffer_append_byte(out, '\n', error);
}

/* Read-only everywhere but where runs write. What is not there yet is no error ("-"). */
static bool unit_places(const struct profile *profile, struct buffer *out, struct error *error)
{
    const char *const paths[] = {profile->state, profile->lake.deltas, profile->lake.warehouse};
    TRY(buffer_append_text(out, "ProtectSystem=strict\nReadWritePaths=-%C", error));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (paths[i] == NULL || paths[i][0] != '/')
            continue;
        char *optional = memory_format(error, "-%s", paths[i]);
        bool ok = optional && buffer_append_byte(out, ' ', error) &&
                  unit_word(out, optional, false, error);
        free(optional);
        TRY(ok);
    }
    return buffer_append_text(out,
                              "\nProtectKernelTunables=yes\nProtectKernelModules=yes\n"
                              "ProtectKernelLogs=yes\nProtectControlGroups=yes\nProtectClock=yes\n"
                              "ProtectHostname=yes\nPrivateDevices=yes\nCapabilityBoundingSet=\n",
                              error);
}

static bool unit_service(const struct profile *profile, const char *binary, bool of_user,
                         struct buffer *out, struct error *error)
{
    struct stat status;
    char user[64];
    host_user(user, sizeof user);
    bool shared = stat(profile->state, &status) == 0 && (status.st_mode & S_IWGRP);
    TRY(buffer_append_text(out,
                           "\n[Service]\n"
                           "# It starts runs, which live on in this unit, and is done: stopping\n"
                           "# the unit asks each to end at its next safe point. One that cannot\n"
                           "# start must not take the others with it, hence the \"-\".\n"
                           "Type=oneshot\nRemainAfterExit=yes\n",
                           error));
    TRY(unit_call(out, "ExecStart", profile, binary, error) &&
        unit_call(out, "ExecReload", profile, binary, error));
    TRY(of_user || (buffer_append_text(out, "User=", error) &&
                    buffer_append_text(out, user, error) && buffer_append_byte(out, '\n', error)));
    TRY(buffer_append_format(out, error,
                             "KillMode=control-group\nKillSignal=SIGTERM\nTimeoutStartSec=120\n"
                             "TimeoutStopSec=90\nUMask=%s\n\n",
                             shared ? "0007" : "0077"));
    TRY(buffer_append_text(out,
                           "NoNewPrivileges=yes\nLockPersonality=yes\nRestrictRealtime=yes\n"
                           "RestrictSUIDSGID=yes\nMemoryDenyWriteExecute=yes\n"
                           "SystemCallArchitectures=native\n"
                           "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n",
                           error));
    /* A user's manager may not do the rest. */
    return of_user || unit_places(profile, out, error);
}

bool boot_print_unit(const struct profile *profile, const char *binary, bool of_user,
                     struct buffer *out, struct error *error)
{
    return unit_head(profile, of_user, out, error) && unit_mounts(profile, out, error) &&
           unit_service(profile, binary, of_user, out, error) &&
           buffer_append_format(out, error, "\n[Install]\nWantedBy=%s\n",
                                of_user ? "default.target" : "multi-user.target");
}
