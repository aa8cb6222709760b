// discard_base_backup CONNINFO: takes a base backup with its manifest and throws every byte away.
#include <libpq-fe.h>

#include <cstdio>
#include <memory>
#include <string>

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::size_t drain(PGconn* connection) {
  std::size_t bytes = 0;
  char* data = nullptr;
  for (int length = 0; (length = PQgetCopyData(connection, &data, 0)) > 0; PQfreemem(data)) {
    bytes += static_cast<std::size_t>(length);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: discard_base_backup CONNINFO\n", stderr);
    return 2;
  }
  const Connection connection(PQconnectdb((std::string(argv[1]) + " replication=true").c_str()), &PQfinish);
  PQsendQuery(connection.get(), "BASE_BACKUP (LABEL 'bench', CHECKPOINT 'fast', MANIFEST 'yes', WAIT false)");
  std::size_t bytes = 0;
  for (;;) {
    const Answer answer(PQgetResult(connection.get()), &PQclear);
    if (!answer) break;
    if (PQresultStatus(answer.get()) == PGRES_COPY_OUT) {
      bytes += drain(connection.get());
    } else if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR) {
      std::fputs(PQerrorMessage(connection.get()), stderr);
      return 1;
    }
  }
  if (bytes == 0) {
    std::fputs(PQerrorMessage(connection.get()), stderr);
    return 1;
  }
  std::printf("%zu bytes\n", bytes);
  return 0;
}
