// What a check asks of the buckets that a server's things are in.
#pragma once

#include <optional>
#include <string>

#include "catalog/listing.h"
#include "config/settings.h"
#include "engine/check/answer.h"
#include "engine/server/home.h"

namespace barman::engine {

struct BucketAnswers {
  // What is wrong with a place, empty if nothing is; and what a person should know although it works.
  struct Trial {
    std::string problem{};
    std::string remark{};
  };
  Answer<Trial> trial;
  Answer<catalog::Listing> backups;

  [[nodiscard]] bool any_late() const { return trial.late || backups.late; }
};

// Why the server's options do not go together with a bucket; nothing if they do, or there is none.
std::optional<std::string> bucket_option_problem(const config::Server& server);

// On an active server, stores, reads and removes a small object in each place; on an inactive one, lists:
// that is all that it needs.
BucketAnswers::Trial try_buckets(const Home& home);

}  // namespace barman::engine
