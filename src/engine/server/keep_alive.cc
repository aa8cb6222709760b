#include "engine/server/keep_alive.h"

#include "base/clock.h"
#include "postgres/session.h"

namespace barman::engine {

KeepAlive::KeepAlive(postgres::Session& session, std::chrono::seconds interval, Clock& clock) {
  if (interval.count() == 0) return;
  thread_ = std::jthread([this, &session, interval, &clock](const std::stop_token& stop) {
    try {
      while (clock.sleep(interval, stop)) session.query("SELECT 1");
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
  });
}

void KeepAlive::require() const {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace barman::engine
