/* The functions of libpq that we call, passed on to the library once it is loaded. Hidden: libpq's
 * own calls must find libpq's own functions. */
#pragma GCC visibility push(hidden)
#include <libpq-fe.h>
#pragma GCC visibility pop

#include "core/base/library.h"
#include "core/net/libraries.h"

/* clang-format off */
/* X(type, name, parameters, arguments, what it gives without the library) */
#define LIBPQ_FUNCTIONS(X) \
    X(int, PQbackendPID, (const PGconn *c), (c), 0) \
    X(int, PQcancel, (PGcancel *c, char *text, int size), (c, text, size), 0) \
    X(char *, PQcmdStatus, (PGresult *r), (r), NULL) \
    X(char *, PQcmdTuples, (PGresult *r), (r), NULL) \
    X(PQconninfoOption *, PQconndefaults, (void), (), NULL) \
    X(PostgresPollingStatusType, PQconnectPoll, (PGconn *c), (c), PGRES_POLLING_FAILED) \
    X(PGconn *, PQconnectStartParams, (const char *const *keys, const char *const *values, int expand), \
      (keys, values, expand), NULL) \
    X(PQconninfoOption *, PQconninfoParse, (const char *text, char **complaint), (text, complaint), NULL) \
    X(int, PQconsumeInput, (PGconn *c), (c), 0) \
    X(char *, PQdb, (const PGconn *c), (c), NULL) \
    X(char *, PQerrorMessage, (const PGconn *c), (c), NULL) \
    X(int, PQflush, (PGconn *c), (c), -1) \
    X(char *, PQfname, (const PGresult *r, int column), (r, column), NULL) \
    X(Oid, PQftype, (const PGresult *r, int column), (r, column), 0) \
    X(PGcancel *, PQgetCancel, (PGconn *c), (c), NULL) \
    X(int, PQgetCopyData, (PGconn *c, char **data, int async), (c, data, async), -2) \
    X(PGresult *, PQgetResult, (PGconn *c), (c), NULL) \
    X(int, PQgetisnull, (const PGresult *r, int row, int column), (r, row, column), 1) \
    X(int, PQgetlength, (const PGresult *r, int row, int column), (r, row, column), 0) \
    X(char *, PQgetvalue, (const PGresult *r, int row, int column), (r, row, column), NULL) \
    X(char *, PQhost, (const PGconn *c), (c), NULL) \
    X(int, PQisBusy, (PGconn *c), (c), 0) \
    X(int, PQnfields, (const PGresult *r), (r), 0) \
    X(int, PQntuples, (const PGresult *r), (r), 0) \
    X(PGPing, PQping, (const char *dsn), (dsn), PQPING_NO_ATTEMPT) \
    X(char *, PQport, (const PGconn *c), (c), NULL) \
    X(int, PQputCopyData, (PGconn *c, const char *data, int size), (c, data, size), -1) \
    X(int, PQputCopyEnd, (PGconn *c, const char *reason), (c, reason), -1) \
    X(char *, PQresultErrorField, (const PGresult *r, int field), (r, field), NULL) \
    X(ExecStatusType, PQresultStatus, (const PGresult *r), (r), PGRES_FATAL_ERROR) \
    X(int, PQsendQuery, (PGconn *c, const char *sql), (c, sql), 0) \
    X(int, PQsendQueryParams, \
      (PGconn *c, const char *sql, int count, const Oid *types, const char *const *values, \
       const int *lengths, const int *formats, int binary), \
      (c, sql, count, types, values, lengths, formats, binary), 0) \
    X(int, PQserverVersion, (const PGconn *c), (c), 0) \
    X(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn *c, PQnoticeProcessor f, void *context), \
      (c, f, context), NULL) \
    X(int, PQsetSingleRowMode, (PGconn *c), (c), 0) \
    X(int, PQsetnonblocking, (PGconn *c, int on), (c, on), -1) \
    X(int, PQsocket, (const PGconn *c), (c), -1) \
    X(ConnStatusType, PQstatus, (const PGconn *c), (c), CONNECTION_BAD) \
    X(PGTransactionStatusType, PQtransactionStatus, (const PGconn *c), (c), PQTRANS_UNKNOWN) \
    X(unsigned char *, PQunescapeBytea, (const unsigned char *text, size_t *length), (text, length), NULL) \
    X(char *, PQuser, (const PGconn *c), (c), NULL)

/* X(name, parameters, arguments): those that give nothing */
#define LIBPQ_PROCEDURES(X) \
    X(PQclear, (PGresult *r), (r)) \
    X(PQconninfoFree, (PQconninfoOption *options), (options)) \
    X(PQfinish, (PGconn *c), (c)) \
    X(PQfreeCancel, (PGcancel *c), (c)) \
    X(PQfreemem, (void *memory), (memory))
/* clang-format on */

static struct {
    LIBPQ_FUNCTIONS(LIBRARY_POINTER)
    LIBPQ_PROCEDURES(LIBRARY_VOID_POINTER)
} calls;

static const struct library_symbol symbols[] = {LIBPQ_FUNCTIONS(LIBRARY_SYMBOL)
                                                    LIBPQ_PROCEDURES(LIBRARY_VOID_SYMBOL)};
static struct library library = LIBRARY("libpq", "libpq5", symbols, "libpq.so.5");

bool libpq_ready(struct error *error)
{
    return library_ready(&library, error);
}

LIBPQ_FUNCTIONS(LIBRARY_PASS)
LIBPQ_PROCEDURES(LIBRARY_VOID_PASS)
