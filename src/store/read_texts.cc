#include "store/read_texts.h"

#include <algorithm>

#include "base/error.h"
#include "os/parallel.h"

namespace barman::store {
namespace {

constexpr std::size_t kAtATime = 8;

bool is_of_one_object(ErrorKind kind) {
  return kind == ErrorKind::kCorrupt || kind == ErrorKind::kFailed || kind == ErrorKind::kRefused;
}

}  // namespace

std::vector<ReadText> read_texts(ObjectStore& store, const std::vector<std::string>& keys) {
  std::vector<ReadText> found(keys.size());
  // A store that is to stop throws from within.
  os::in_parallel(keys.size(), static_cast<unsigned>(std::min(kAtATime, keys.size())), {},
                  [&](std::size_t index) {
                    try {
                      found[index].text = read_text(store, keys[index]);
                    } catch (const Error& error) {
                      if (!is_of_one_object(error.kind())) throw;
                      found[index].error = error.what();
                    }
                  });
  return found;
}

}  // namespace barman::store
