// The engine's levels as the log numbers them.
#pragma once

#include "base/log.h"
#include "engine/events.h"

namespace barman::report {

constexpr int log_number(engine::LogLevel level) {
  switch (level) {
    case engine::LogLevel::kDebug:
      return kLogDebug;
    case engine::LogLevel::kInfo:
      return kLogInfo;
    case engine::LogLevel::kWarning:
      return kLogWarning;
    case engine::LogLevel::kError:
      return kLogError;
  }
  return kLogInfo;
}

}  // namespace barman::report
