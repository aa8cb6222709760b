// The whole of many small objects, several at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/object_store.h"

namespace barman::store {

// What reading one of them came to.
struct ReadText {
  std::optional<std::string> text{};  // none: there is no such object, or it cannot be read
  std::string error{};                // why it cannot be read
};

// In the order of `keys`. What is wrong with one object spoils no other; what is wrong with the store, a
// connection that is gone above all, is thrown.
std::vector<ReadText> read_texts(ObjectStore& store, const std::vector<std::string>& keys);

}  // namespace barman::store
