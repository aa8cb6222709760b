// Arguments that several commands have.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace barman::config {
struct Server;
}

namespace barman::cli {

// SERVER_NAME and BACKUP_ID, both required. `shortcut` is an example of what may stand for an id.
void add_backup_arguments(CLI::App& command, std::string& server, std::string& backup,
                          const char* shortcut = "latest");

// Checks for CLI11's check(): an empty answer accepts, anything else is the text of the usage error.
std::string non_negative(const std::string& argument);   // integer >= 0
std::string positive(const std::string& argument);       // integer >= 1
std::string timeline_word(const std::string& argument);  // current, latest or positive
std::string backup_name(const std::string& argument);    // not shaped like an id, no reserved word
std::string target_action(const std::string& argument);  // pause, shutdown, promote

// What the configuration option of this name may be.
std::function<std::string(const std::string&)> value_of(std::string option);

// One of these words, case and all.
std::function<std::string(const std::string&)> one_of(std::vector<std::string> choices);

// How many files to move at a time: as `given` on the command line, else by the server's option; at most 64.
unsigned files_at_a_time(const std::string& given, const config::Server& server, const char* option);

}  // namespace barman::cli
