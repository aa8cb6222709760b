// barman list-processes and terminate-process: the background work of a server.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/home.h"
#include "cli/servers.h"
#include "config/settings.h"
#include "engine/cron/tasks.h"
#include "report/writer.h"

namespace barman::cli {
namespace {

int list_processes(Parts& parts, const std::string& name) {
  const config::Server* server = select_server(parts, name, kEveryServer);
  if (server == nullptr) return 0;
  const std::vector<engine::Task> tasks = engine::running_tasks(home_of(parts, *server));
  parts.out.put({name}, "[]");
  parts.out.line(tasks.empty() ? fmt::format("No active subprocesses found for server {}.", name)
                               : fmt::format("Active subprocesses for server {}:", name));
  for (const engine::Task& task : tasks) {
    parts.out.line(fmt::format("{} {}", task.pid, task.name));
    parts.out.append({name},
                     fmt::format(R"({{"name": {}, "pid": {}}})", report::json_string(task.name), task.pid));
  }
  return 0;
}

int terminate_process(Parts& parts, const std::string& name, const std::string& task) {
  const config::Server* server = select_server(parts, name, kEveryServer);
  if (server == nullptr) return 0;
  pid_t pid = 0;
  switch (engine::end_task(home_of(parts, *server), task, parts.clock, parts.stop, pid)) {
    case engine::Ended::kYes:
      parts.out.info(fmt::format("Stopped process {}({})", task, pid));
      break;
    case engine::Ended::kNo:
      parts.out.error(fmt::format("Cannot terminate process {}({})", task, pid));
      break;
    case engine::Ended::kNotRunning:
      parts.out.error(fmt::format("Termination of {} failed: no such process for server {}", task, name));
      break;
  }
  return 0;
}

}  // namespace

void register_list_processes(CLI::App& app, Body& chosen) {
  const auto server = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("list-processes", "Lists the background processes of a server.");
  command->add_option("server_name", *server, "the server")->required();
  command->callback(
      [server, &chosen] { chosen = [server](Parts& parts) { return list_processes(parts, *server); }; });
}

void register_terminate_process(CLI::App& app, Body& chosen) {
  const auto server = std::make_shared<std::string>();
  const auto task = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("terminate-process", "Ends a background process of a server.");
  command->add_option("server_name", *server, "the server")->required();
  command->add_option("task", *task, "what it does, as list-processes shows it: receive-wal, archive-wal …")
      ->required();
  command->callback([server, task, &chosen] {
    chosen = [server, task](Parts& parts) { return terminate_process(parts, *server, *task); };
  });
}

}  // namespace barman::cli
