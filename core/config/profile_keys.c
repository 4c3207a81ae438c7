/* The keys of the profile: the contract of cli.md as a table. */
#include <stddef.h>

#include "core/config/keys.h"

#define AT(type, member) offsetof(struct type, member)

static const struct key_spec source_keys[] = {
    {.name = "dsn", .kind = KEY_TEXT, .offset = AT(profile_source, dsn)},
    {.name = "schema", .kind = KEY_TEXT, .offset = AT(profile_source, schema)},
    {.name = "connect_host", .kind = KEY_TEXT, .offset = AT(profile_source, connect_host)},
    {.name = "credential", .kind = KEY_TEXT, .offset = AT(profile_source, credential)},
    {.name = "query_user", .kind = KEY_TEXT, .offset = AT(profile_source, query_user)},
    {.name = "generator", .kind = KEY_BOOL, .offset = AT(profile_source, generator)},
    {0},
};

static void source_defaults(void *entry)
{
    ((struct profile_source *)entry)->schema = "public";
}

static const struct key_spec capture_keys[] = {
    {.name = "kind",
     .kind = KEY_CHOICE,
     .offset = AT(profile, capture.kind),
     .choices = "debezium|native"},
    {.name = "connect", .kind = KEY_TEXT, .offset = AT(profile, capture.connect)},
    {.name = "kafka", .kind = KEY_TEXT, .offset = AT(profile, capture.kafka)},
    {.name = "topic_prefix", .kind = KEY_TEXT, .offset = AT(profile, capture.topic_prefix)},
    {.name = "land",
     .kind = KEY_CHOICE,
     .offset = AT(profile, capture.land),
     .choices = "native|connect"},
    {.name = "password", .kind = KEY_TEXT, .offset = AT(profile, capture.password)},
    {0},
};

static const struct key_spec s3_keys[] = {
    {.name = "endpoint", .kind = KEY_TEXT, .offset = AT(profile, lake.s3.endpoint)},
    {.name = "region", .kind = KEY_TEXT, .offset = AT(profile, lake.s3.region)},
    {.name = "path_style", .kind = KEY_BOOL, .offset = AT(profile, lake.s3.path_style)},
    {.name = "credential", .kind = KEY_TEXT, .offset = AT(profile, lake.s3.credential)},
    {0},
};

static const struct key_spec catalog_keys[] = {
    {.name = "kind",
     .kind = KEY_CHOICE,
     .offset = AT(profile, lake.catalog.kind),
     .choices = "jdbc|storage"},
    {.name = "name", .kind = KEY_TEXT, .offset = AT(profile, lake.catalog.name)},
    {.name = "dsn", .kind = KEY_TEXT, .offset = AT(profile, lake.catalog.dsn)},
    {.name = "credential", .kind = KEY_TEXT, .offset = AT(profile, lake.catalog.credential)},
    {0},
};

static const struct key_spec lake_keys[] = {
    {.name = "deltas", .kind = KEY_PLACE, .offset = AT(profile, lake.deltas)},
    {.name = "warehouse", .kind = KEY_PLACE, .offset = AT(profile, lake.warehouse)},
    {.name = "s3", .kind = KEY_MAP, .offset = 0, .inner = s3_keys},
    {.name = "catalog", .kind = KEY_MAP, .offset = 0, .inner = catalog_keys},
    {0},
};

static const struct key_spec trino_keys[] = {
    {.name = "url", .kind = KEY_TEXT, .offset = AT(profile, trino.url)},
    {.name = "user", .kind = KEY_TEXT, .offset = AT(profile, trino.user)},
    {.name = "catalog", .kind = KEY_TEXT, .offset = AT(profile, trino.catalog)},
    {.name = "credential", .kind = KEY_TEXT, .offset = AT(profile, trino.credential)},
    {0},
};

static const struct key_spec log_keys[] = {
    {.name = "container", .kind = KEY_TEXT, .offset = AT(profile_service, log.container)},
    {0},
};

static const struct key_spec service_keys[] = {
    {.name = "url", .kind = KEY_TEXT, .offset = AT(profile_service, url)},
    {.name = "credential", .kind = KEY_TEXT, .offset = AT(profile_service, credential)},
    {.name = "log", .kind = KEY_MAP, .offset = 0, .inner = log_keys},
    {0},
};

static const struct key_spec services_keys[] = {
    {.name = "airflow",
     .kind = KEY_MAP,
     .offset = AT(profile, services.airflow),
     .inner = service_keys},
    {.name = "spark",
     .kind = KEY_MAP,
     .offset = AT(profile, services.spark),
     .inner = service_keys},
    {.name = "gitlab",
     .kind = KEY_MAP,
     .offset = AT(profile, services.gitlab),
     .inner = service_keys},
    {.name = "portainer",
     .kind = KEY_MAP,
     .offset = AT(profile, services.portainer),
     .inner = service_keys},
    {0},
};

static const struct key_spec stream_keys[] = {
    {.name = "capture", .kind = KEY_TEXT, .offset = AT(profile_stream, capture)},
    {.name = "mode",
     .kind = KEY_CHOICE,
     .offset = AT(profile_stream, mode),
     .choices = "live|history|both"},
    {.name = "freshness", .kind = KEY_DURATION, .offset = AT(profile_stream, freshness_ms)},
    {.name = "on_bad_input",
     .kind = KEY_CHOICE,
     .offset = AT(profile_stream, on_bad_input),
     .choices = "stop|quarantine"},
    {.name = "special_values",
     .kind = KEY_CHOICE,
     .offset = AT(profile_stream, special_values),
     .choices = "null|quarantine"},
    {.name = "slot", .kind = KEY_TEXT, .offset = AT(profile_stream, slot)},
    {.name = "publication", .kind = KEY_TEXT, .offset = AT(profile_stream, publication)},
    {.name = "connector", .kind = KEY_TEXT, .offset = AT(profile_stream, connector)},
    {0},
};

static void stream_defaults(void *entry)
{
    struct profile_stream *stream = entry;
    stream->mode = -1;
    stream->freshness_ms = -1;
    stream->on_bad_input = -1;
}

static const struct key_spec merge_keys[] = {
    {.name = "memory", .kind = KEY_BYTES, .offset = AT(profile, merge.memory)},
    {.name = "threads", .kind = KEY_WHOLE, .offset = AT(profile, merge.threads)},
    {.name = "on_bad_input",
     .kind = KEY_CHOICE,
     .offset = AT(profile, merge.on_bad_input),
     .choices = "stop|quarantine"},
    {.name = "on_gap",
     .kind = KEY_CHOICE,
     .offset = AT(profile, merge.on_gap),
     .choices = "stop|accept"},
    {.name = "gap_wait", .kind = KEY_DURATION, .offset = AT(profile, merge.gap_wait_ms)},
    {.name = "on_unknown",
     .kind = KEY_CHOICE,
     .offset = AT(profile, merge.on_unknown),
     .choices = "ignore|stop"},
    {.name = "format_version", .kind = KEY_WHOLE, .offset = AT(profile, merge.format_version)},
    {.name = "rewrite_at", .kind = KEY_SHARE, .offset = AT(profile, merge.rewrite_at)},
    {.name = "durability",
     .kind = KEY_CHOICE,
     .offset = AT(profile, merge.durability),
     .choices = "full|none"},
    {0},
};

static const struct key_spec maintain_keys[] = {
    {.name = "snapshot_age", .kind = KEY_DURATION, .offset = AT(profile, maintain.snapshot_age_ms)},
    {.name = "min_snapshots", .kind = KEY_WHOLE, .offset = AT(profile, maintain.min_snapshots)},
    {.name = "delete_grace", .kind = KEY_DURATION, .offset = AT(profile, maintain.delete_grace_ms)},
    {0},
};

static const struct key_spec jobs_keys[] = {
    {.name = "group",
     .kind = KEY_CHOICE,
     .offset = AT(profile, jobs.group),
     .choices = "source|stream"},
    {.name = "memory", .kind = KEY_BYTES, .offset = AT(profile, jobs.memory)},
    {.name = "threads", .kind = KEY_WHOLE, .offset = AT(profile, jobs.threads)},
    {.name = "max", .kind = KEY_WHOLE, .offset = AT(profile, jobs.max)},
    {0},
};

static const struct key_spec schedule_keys[] = {
    {.name = "kind",
     .kind = KEY_CHOICE,
     .offset = AT(profile, schedule.kind),
     .choices = "none|unit|airflow"},
    {.name = "call",
     .kind = KEY_CHOICE,
     .offset = AT(profile, schedule.call),
     .choices = "local|ssh|enqueue"},
    {0},
};

static const struct key_spec screen_keys[] = {
    {.name = "theme", .kind = KEY_TEXT, .offset = AT(profile, screen.theme)},
    {.name = "accent", .kind = KEY_TEXT, .offset = AT(profile, screen.accent)},
    {.name = "ascii",
     .kind = KEY_CHOICE,
     .offset = AT(profile, screen.ascii),
     .choices = "auto|true|false"},
    {.name = "mouse", .kind = KEY_BOOL, .offset = AT(profile, screen.mouse)},
    {.name = "keys",
     .kind = KEY_PAIRS,
     .offset = AT(profile, screen.keys),
     .count_offset = AT(profile, screen.key_count)},
    {0},
};

const struct key_spec profile_keys[] = {
    {.name = "format", .kind = KEY_WHOLE, .offset = AT(profile, format)},
    {.name = "context", .kind = KEY_TEXT, .offset = AT(profile, context)},
    {.name = "read_only", .kind = KEY_BOOL, .offset = AT(profile, read_only)},
    {.name = "state", .kind = KEY_PATH, .offset = AT(profile, state)},
    {.name = "credentials", .kind = KEY_PATH, .offset = AT(profile, credentials)},
    {.name = "model", .kind = KEY_PATH, .offset = AT(profile, model)},
    {.name = "platform", .kind = KEY_TEXT, .offset = AT(profile, platform)},
    {.name = "sources",
     .kind = KEY_ENTRIES,
     .offset = AT(profile, sources),
     .inner = source_keys,
     .count_offset = AT(profile, source_count),
     .entry_size = sizeof(struct profile_source),
     .entry_defaults = source_defaults},
    {.name = "capture", .kind = KEY_MAP, .offset = 0, .inner = capture_keys},
    {.name = "lake", .kind = KEY_MAP, .offset = 0, .inner = lake_keys},
    {.name = "trino", .kind = KEY_MAP, .offset = 0, .inner = trino_keys},
    {.name = "services", .kind = KEY_MAP, .offset = 0, .inner = services_keys},
    {.name = "streams",
     .kind = KEY_ENTRIES,
     .offset = AT(profile, streams),
     .inner = stream_keys,
     .count_offset = AT(profile, stream_count),
     .entry_size = sizeof(struct profile_stream),
     .entry_defaults = stream_defaults},
    {.name = "merge", .kind = KEY_MAP, .offset = 0, .inner = merge_keys},
    {.name = "maintain", .kind = KEY_MAP, .offset = 0, .inner = maintain_keys},
    {.name = "jobs", .kind = KEY_MAP, .offset = 0, .inner = jobs_keys},
    {.name = "schedule", .kind = KEY_MAP, .offset = 0, .inner = schedule_keys},
    {.name = "screen", .kind = KEY_MAP, .offset = 0, .inner = screen_keys},
    {0},
};
