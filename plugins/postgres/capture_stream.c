#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "plugins/postgres/capture_run.h"

enum {
    STREAM_WAIT_MS = 100,  /* a look around at least so often */
    STATUS_MS = 1000,      /* the server hears of us */
    IDLE_RECORD_MS = 5000, /* an idle advance is recorded at most so often */
    CHECK_MS = 10000,      /* the publication is compared with the record */
    TOLD_MS = 2000,        /* progress */
    TOLD_IDLE_MS = 5000,
    DRY_ANSWERS = 3
};

static bool due(int64_t since_ns, int64_t ms)
{
    return clock_monotonic_ns() - since_ns >= ms * 1000000;
}

static void stream_tell(struct capture_run *capture)
{
    bool moved = capture->summary->events != capture->events_told;
    if (!due(capture->event_ns, moved ? TOLD_MS : TOLD_IDLE_MS))
        return;
    char confirmed[LSN_TEXT_SIZE];
    char server[LSN_TEXT_SIZE];
    double seconds = (double)(clock_monotonic_ns() - capture->event_ns) / 1e9;
    double rate = (double)(capture->summary->events - capture->events_told) / seconds;
    uint64_t received = capture->replication.received;
    uint64_t lag = received > capture->record.confirmed ? received - capture->record.confirmed : 0;
    capture->event_ns = clock_monotonic_ns();
    capture->events_told = capture->summary->events;
    capture_tell(capture,
                 json_pack("{s:s, s:s, s:I, s:s, s:f, s:I, s:s, s:s, s:I}", "event",
                           moved ? "progress" : "waiting", moved ? "phase" : "for",
                           moved ? "streaming" : "changes", "done",
                           (json_int_t)capture->summary->events, "unit", "events", "rate", rate,
                           "transactions", (json_int_t)capture->summary->transactions, "confirmed",
                           lsn_format(capture->record.confirmed, confirmed), "server",
                           lsn_format(received, server), "lag_bytes", (json_int_t)lag));
}

/* The record first, then the server: it may forget what it was told about. */
static bool stream_confirm(struct capture_run *capture, struct error *error)
{
    if (capture->complete > capture->record.confirmed) {
        capture->record.confirmed = capture->complete;
        TRY(FAULT("capture.confirm.before-record", error));
        TRY(capture_record_write(&capture->record, capture->store, capture->topics.prefix, error));
        TRY(FAULT("capture.confirm.after-record", error));
        capture->summary->confirmed = capture->record.confirmed;
    }
    return replication_status(&capture->replication, capture->record.confirmed, false, error);
}

bool capture_publish(struct capture_run *capture, bool now, struct error *error)
{
    const struct capture_options *options = capture->options;
    struct topics *topics = &capture->topics;
    int64_t rotate_ms = options->rotate_ms > 0 ? options->rotate_ms : 1000;
    uint64_t rotate_bytes = options->rotate_bytes ? options->rotate_bytes : 16 << 20;
    if (topics->first_waiting_ns == 0)
        return true;
    if (!now && topics->waiting < rotate_bytes && !due(topics->first_waiting_ns, rotate_ms))
        return true;
    TRY(topics_publish(topics, error));
    capture->summary->files = topics->files;
    capture->summary->bytes = topics->bytes;
    capture->published_ns = clock_monotonic_ns();
    return true;
}

/* Publishes and confirms what is due. */
static bool stream_settle(struct capture_run *capture, bool now, struct error *error)
{
    bool waited = capture->topics.first_waiting_ns != 0;
    TRY(capture_publish(capture, now, error));
    bool published = waited && capture->topics.first_waiting_ns == 0;
    bool idle = !waited && capture->complete > capture->record.confirmed &&
                due(capture->published_ns, IDLE_RECORD_MS);
    if (idle)
        capture->published_ns = clock_monotonic_ns();
    if (published || idle || now)
        return stream_confirm(capture, error);
    if (due(capture->replication.status_ns, STATUS_MS))
        return replication_status(&capture->replication, capture->record.confirmed, true, error);
    return true;
}

/* Did the publication change under us? Tables that joined send a Relation message only with their
 * first change; asking finds them, and those that left and came back, in time. */
static bool stream_check_tables(struct capture_run *capture, struct error *error)
{
    if (!due(capture->check_ns, CHECK_MS))
        return true;
    capture->check_ns = clock_monotonic_ns();
    TRY(capture_read_publication(capture, error));
    if (capture->published.oid != capture->record.publication_oid)
        return capture_needs_reload(error, "publication %s was dropped and made again",
                                    capture->record.publication);
    size_t known = 0;
    for (size_t i = 0; i < capture->published.count; i++) {
        const struct captured_table *table =
            capture_record_table(&capture->record, capture->published.tables[i].schema,
                                 capture->published.tables[i].name);
        known += table && table->oid == capture->published.tables[i].oid &&
                 table->membership == capture->published.tables[i].membership;
    }
    capture->again = known != capture->published.count || known != capture->record.table_count;
    return true;
}

/* The flushed log may end inside a record (the WAL writer flushes whole pages), so the position
 * seen at the start may not be reached before somebody writes again. But a server that is behind
 * decodes at least one record between two answers: answers that stay the same mean that all is
 * read. */
static bool stream_is_dry(const struct capture_run *capture)
{
    return capture->dry_count >= DRY_ANSWERS;
}

static void stream_answered(struct capture_run *capture, uint64_t lsn)
{
    capture->asked = false;
    capture->dry_count = lsn == capture->dry_lsn ? capture->dry_count + 1 : 0;
    capture->dry_lsn = lsn;
}

static bool stream_ask(struct capture_run *capture, struct error *error)
{
    if (!capture->options->once || capture->asked ||
        !due(capture->replication.status_ns, STREAM_WAIT_MS))
        return true;
    capture->asked = true;
    return replication_status(&capture->replication, capture->record.confirmed, true, error);
}

static bool stream_message(struct capture_run *capture, struct pgoutput_message *message,
                           const struct replication_message *outer, struct error *error)
{
    if (outer->keepalive) {
        stream_answered(capture, outer->end);
        /* Between transactions everything before the server's position has been sent. */
        if (!capture->transaction.open && outer->end > capture->complete)
            capture->complete = outer->end;
        if (outer->reply_requested)
            return replication_status(&capture->replication, capture->record.confirmed, false,
                                      error);
        return true;
    }
    capture->dry_count = 0;
    TRY(pgoutput_decode(outer->body, message, error));
    return capture_apply(capture, outer->start, message, error);
}

/* Why to end: stopped, caught up, or other tables. */
static bool stream_ends(const struct capture_run *capture)
{
    if (capture_stopped(capture) || capture->again)
        return true;
    return capture->options->once && !capture->transaction.open &&
           (capture->complete >= capture->target || stream_is_dry(capture));
}

static bool stream_run(struct capture_run *capture, struct pgoutput_message *message,
                       struct error *error)
{
    unsigned since_look = 0;
    while (!stream_ends(capture)) {
        struct replication_message outer;
        bool got;
        TRY(replication_next(&capture->replication, STREAM_WAIT_MS, &outer, &got, error));
        if (got)
            TRY(stream_message(capture, message, &outer, error));
        /* The clock is looked at every so many messages. */
        if (got && ++since_look < 64 && capture->topics.waiting < (1 << 20))
            continue;
        since_look = 0;
        if (!got)
            TRY(stream_ask(capture, error));
        TRY(stream_settle(capture, false, error));
        TRY(stream_check_tables(capture, error));
        stream_tell(capture);
    }
    return true;
}

bool capture_stream(struct capture_run *capture, struct error *error)
{
    struct pgoutput_message message = {0};
    capture->transaction.open = false;
    capture->again = false;
    capture->asked = false;
    capture->dry_count = 0;
    capture->complete = capture->record.confirmed;
    capture->last_commit = capture->record.confirmed;
    capture->published_ns = capture->event_ns = capture->check_ns = clock_monotonic_ns();
    TRY(replication_start(&capture->replication, capture->options->slot,
                          capture->options->publication, capture->record.confirmed, error));
    bool ok = replication_status(&capture->replication, capture->record.confirmed, true, error) &&
              stream_run(capture, &message, error);
    /* A transaction that is half here is published as far as it came: its rest is told apart by
     * position. Only when the tables changed does it begin anew. */
    if (ok && capture->again && capture->transaction.open)
        topics_rewind(&capture->topics);
    ok = ok && stream_settle(capture, true, error);
    pgoutput_message_destroy(&message);
    return ok;
}
