#include "postgres/connector.h"

#include "postgres/conninfo.h"
#include "postgres/libpq_replication.h"
#include "postgres/libpq_session.h"

namespace barman::postgres {

std::unique_ptr<Session> LibpqConnector::session(const std::string& conninfo, const ConnectOptions& options) {
  return std::make_unique<LibpqSession>(sql_parameters(conninfo, options), options);
}

std::unique_ptr<Replication> LibpqConnector::replication(const std::string& conninfo,
                                                         const ConnectOptions& options) {
  return std::make_unique<LibpqReplication>(replication_parameters(conninfo, options), options);
}

}  // namespace barman::postgres
