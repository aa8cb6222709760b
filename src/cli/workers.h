// How many files a command works on at a time.
#pragma once

namespace barman::config {
struct Server;
}

namespace barman::cli {

// parallel_jobs, and at least as many as there are processors, up to four.
unsigned default_workers(const config::Server& server);

}  // namespace barman::cli
