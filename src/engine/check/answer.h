// An observation that may fail on its own, without spoiling the others.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace barman::engine {

template <class T>
struct Answer {
  std::optional<T> value{};
  std::string error{};  // why there is no value; empty if nobody asked
  bool late = false;    // because the time was over

  [[nodiscard]] bool ok() const { return value.has_value(); }
};

// Observes something; whatever is thrown becomes the error.
template <class Observe>
auto answer_of(Observe&& observe) -> Answer<std::invoke_result_t<Observe>> {
  Answer<std::invoke_result_t<Observe>> answer;
  try {
    answer.value = std::forward<Observe>(observe)();
  } catch (const Error& error) {
    answer.error = error.what();
    answer.late = error.kind() == ErrorKind::kCancelled;
  } catch (const std::exception& error) {
    answer.error = error.what();
  }
  return answer;
}

}  // namespace barman::engine
