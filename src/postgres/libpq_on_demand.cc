// libpq, loaded at the first call of one of its functions. It brings twenty libraries with it (TLS, Kerberos,
// LDAP) that cost more than all the rest of a start, and most commands reach no server. The functions here
// have libpq's names, so that their users need not know.
#include <dlfcn.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/error.h"

namespace barman::postgres {

namespace {

void* libpq() {
  static void* const kLibrary = [] {
    void* const library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return library;
    throw Error(ErrorKind::kFailed,
                fmt::format("PostgreSQL's client library cannot be loaded: {}; install it "
                            "(package libpq5)",
                            ::dlerror()));
  }();
  return kLibrary;
}

template <class Function>
Function* find(const char* name) {
  if (void* const function = ::dlsym(libpq(), name)) return reinterpret_cast<Function*>(function);
  throw Error(
      ErrorKind::kFailed,
      fmt::format("PostgreSQL's client library has no {}; install a newer one (package libpq5)", name));
}

}  // namespace

}  // namespace barman::postgres

// Hidden: libpq itself must not find these.
#define ON_DEMAND(result, name, parameters, arguments)                            \
  extern "C" __attribute__((visibility("hidden"))) result name parameters {       \
    static auto* const kFunction = barman::postgres::find<decltype(name)>(#name); \
    return kFunction arguments;                                                   \
  }

ON_DEMAND(void, PQclear, (PGresult * result), (result))
ON_DEMAND(void, PQconninfoFree, (PQconninfoOption * options), (options))
ON_DEMAND(PQconninfoOption*, PQconninfoParse, (const char* conninfo, char** error), (conninfo, error))
ON_DEMAND(PostgresPollingStatusType, PQconnectPoll, (PGconn * connection), (connection))
ON_DEMAND(PGconn*, PQconnectStartParams, (const char* const* keywords, const char* const* values, int expand),
          (keywords, values, expand))
ON_DEMAND(int, PQconnectionNeedsPassword, (const PGconn* connection), (connection))
ON_DEMAND(int, PQconsumeInput, (PGconn * connection), (connection))
ON_DEMAND(char*, PQerrorMessage, (const PGconn* connection), (connection))
ON_DEMAND(void, PQfinish, (PGconn * connection), (connection))
ON_DEMAND(int, PQflush, (PGconn * connection), (connection))
ON_DEMAND(void, PQfreemem, (void* memory), (memory))
ON_DEMAND(int, PQgetCopyData, (PGconn * connection, char** buffer, int async), (connection, buffer, async))
ON_DEMAND(int, PQgetisnull, (const PGresult* result, int row, int column), (result, row, column))
ON_DEMAND(int, PQgetlength, (const PGresult* result, int row, int column), (result, row, column))
ON_DEMAND(PGresult*, PQgetResult, (PGconn * connection), (connection))
ON_DEMAND(char*, PQgetvalue, (const PGresult* result, int row, int column), (result, row, column))
ON_DEMAND(int, PQisBusy, (PGconn * connection), (connection))
ON_DEMAND(int, PQnfields, (const PGresult* result), (result))
ON_DEMAND(int, PQntuples, (const PGresult* result), (result))
ON_DEMAND(const char*, PQparameterStatus, (const PGconn* connection, const char* name), (connection, name))
ON_DEMAND(int, PQputCopyData, (PGconn * connection, const char* buffer, int size), (connection, buffer, size))
ON_DEMAND(int, PQputCopyEnd, (PGconn * connection, const char* error), (connection, error))
ON_DEMAND(char*, PQresultErrorField, (const PGresult* result, int field), (result, field))
ON_DEMAND(char*, PQresultErrorMessage, (const PGresult* result), (result))
ON_DEMAND(ExecStatusType, PQresultStatus, (const PGresult* result), (result))
ON_DEMAND(int, PQsendQuery, (PGconn * connection, const char* query), (connection, query))
ON_DEMAND(int, PQsendQueryParams,
          (PGconn * connection, const char* command, int count, const Oid* types, const char* const* values,
           const int* lengths, const int* formats, int result_format),
          (connection, command, count, types, values, lengths, formats, result_format))
ON_DEMAND(int, PQserverVersion, (const PGconn* connection), (connection))
ON_DEMAND(PGVerbosity, PQsetErrorVerbosity, (PGconn * connection, PGVerbosity verbosity),
          (connection, verbosity))
ON_DEMAND(PQnoticeReceiver, PQsetNoticeReceiver,
          (PGconn * connection, PQnoticeReceiver receiver, void* argument), (connection, receiver, argument))
ON_DEMAND(int, PQsetnonblocking, (PGconn * connection, int argument), (connection, argument))
ON_DEMAND(int, PQsocket, (const PGconn* connection), (connection))
ON_DEMAND(ConnStatusType, PQstatus, (const PGconn* connection), (connection))

#undef ON_DEMAND
