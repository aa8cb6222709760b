// Connection strings as values: parsed by libpq, completed with what our connections need.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "postgres/connector.h"

namespace barman::postgres {

// libpq's keywords and values, as given. Holds the password, if the string has one.
using Parameters = std::map<std::string, std::string>;

// Words or a URI. Nothing if libpq cannot parse it.
std::optional<Parameters> parse_conninfo(const std::string& conninfo);

// Adds application_name and, to keep a hostile search_path out, options, unless given; with a time limit also
// the server's statement_timeout. Throws kUsage if `conninfo` cannot be parsed.
Parameters sql_parameters(const std::string& conninfo, const ConnectOptions& options);

// For the replication protocol: replication=true, dbname=replication, ISO dates, and TCP keepalives that
// notice a dead peer within two minutes, unless given. Throws kUsage if `conninfo` cannot be parsed.
Parameters replication_parameters(const std::string& conninfo, const ConnectOptions& options);

// For messages: 'host "db1", port 5432, user "barman", database "postgres"' as far as known. Never the
// password.
std::string describe(const Parameters& parameters);

// How long an attempt to connect may take: the shorter of options.timeout and the string's connect_timeout.
// Zero if neither limits it.
std::chrono::milliseconds connect_limit(const Parameters& parameters, const ConnectOptions& options);

}  // namespace barman::postgres
