#include "engine/check/server_answers.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "postgres/connector.h"
#include "postgres/session.h"

namespace barman::engine {
namespace {

using Moment = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long WAL may take to arrive when the check as a whole has no limit.
constexpr std::chrono::seconds kForWal{10};

// How long questions may take altogether.
class Patience {
 public:
  explicit Patience(std::chrono::seconds limit) {
    if (limit.count() > 0) end_ = steady_clock::now() + limit;
  }

  // Of what is left, the share for one question; the rest is for those that follow. Zero: no limit.
  [[nodiscard]] milliseconds share(bool more_follow) const {
    if (!end_) return milliseconds(0);
    const auto left = std::chrono::duration_cast<milliseconds>(*end_ - steady_clock::now());
    return std::max(more_follow ? left * 2 / 3 : left, milliseconds(1));
  }

  [[nodiscard]] const std::optional<Moment>& end() const { return end_; }

 private:
  std::optional<Moment> end_{};
};

template <class T, class Ask>
void ask(Answer<T>& answer, milliseconds share, Ask&& question) {
  const Moment began = steady_clock::now();
  answer = answer_of(std::forward<Ask>(question));
  if (!answer.ok() && share.count() > 0 && steady_clock::now() - began >= share * 95 / 100)
    answer.late = true;
  if (answer.late) {
    const auto waited = std::chrono::round<std::chrono::seconds>(steady_clock::now() - began);
    answer.error = fmt::format("no answer within {} seconds", std::max<std::int64_t>(waited.count(), 1));
  }
}

// Questions in SQL to one server, one after the other. After a failure the next one gets a new connection.
class Interview {
 public:
  Interview(postgres::Connector& connector, std::string conninfo, const Patience& patience,
            std::stop_token stop)
      : connector_(connector), conninfo_(std::move(conninfo)), patience_(patience), stop_(std::move(stop)) {}

  template <class T, class Question>
  void ask(Answer<T>& answer, bool more_follow, Question&& question) {
    const milliseconds share = patience_.share(more_follow);
    engine::ask(answer, share, [&] {
      if (!session_) session_ = connector_.session(conninfo_, {.timeout = share, .stop = stop_});
      return question(*session_);
    });
    if (!answer.ok()) session_.reset();
  }

 private:
  postgres::Connector& connector_;
  std::string conninfo_;
  const Patience& patience_;
  std::stop_token stop_;
  std::unique_ptr<postgres::Session> session_;
};

class EndOfPatience {
 public:
  explicit EndOfPatience(std::stop_source& source) : source_(source) {}
  ~EndOfPatience() { source_.request_stop(); }
  EndOfPatience(const EndOfPatience&) = delete;
  EndOfPatience& operator=(const EndOfPatience&) = delete;

 private:
  std::stop_source& source_;
};

class Inquiry {
 public:
  Inquiry(const ServerQuestions& questions, postgres::Connector& connector, std::chrono::seconds limit)
      : questions_(questions), connector_(connector), limit_(limit), patience_(limit) {}

  ServerAnswers run(const std::function<void()>& meanwhile, const std::stop_token& stop) {
    const std::stop_callback forward(stop, [this] { stop_.request_stop(); });
    {
      std::vector<std::jthread> threads;
      start(threads, true, [this] { ask_main(); });
      start(threads, questions_.streaming.has_value(),
            [this] { identify(*questions_.streaming, answers_.streaming); });
      start(threads, questions_.wal.has_value(), [this] { ask_wal(); });
      start(threads, questions_.wal_streaming.has_value(),
            [this] { identify(*questions_.wal_streaming, answers_.wal_streaming); });
      start(threads, questions_.primary.has_value(), [this] { ask_primary(); });
      start(threads, static_cast<bool>(questions_.wal_arrives), [this] { ask_wal_arrives(); });
      start(threads, static_cast<bool>(questions_.buckets),
            [this] { answers_.buckets = questions_.buckets(stop_.get_token()); });
      const EndOfPatience stop_all(stop_);  // before the threads are joined, whatever happens
      meanwhile();
      wait(threads.size());
    }
    if (stop.stop_requested()) throw Error(ErrorKind::kCancelled, "the check was interrupted");
    return std::move(answers_);
  }

 private:
  void start(std::vector<std::jthread>& threads, bool wanted, std::function<void()> body) {
    if (!wanted) return;
    threads.emplace_back([this, body = std::move(body)] {
      body();
      const std::lock_guard guard(lock_);
      ++done_;
      changed_.notify_one();
    });
  }

  // Until all are done, the time is over or a stop is requested. What is late ends soon after.
  void wait(std::size_t all) {
    const std::stop_callback wake(stop_.get_token(), [this] {
      const std::lock_guard guard(lock_);
      changed_.notify_one();
    });
    std::unique_lock guard(lock_);
    const auto over = [&] { return done_ == all || stop_.stop_requested(); };
    if (patience_.end()) {
      changed_.wait_until(guard, *patience_.end(), over);
    } else {
      changed_.wait(guard, over);
    }
  }

  void ask_main() {
    if (!questions_.main) return;
    const bool slot = questions_.slot_name && !questions_.wal;
    Interview interview(connector_, *questions_.main, patience_, stop_.get_token());
    interview.ask(answers_.main, slot || questions_.archiver_statistics, inspect);
    if (!answers_.main.ok() && !answers_.main.late) return;
    if (slot) ask_slot(interview, questions_.archiver_statistics);
    if (questions_.archiver_statistics) interview.ask(answers_.archiver, false, archiver_statistics);
  }

  void ask_wal() {
    Interview interview(connector_, *questions_.wal, patience_, stop_.get_token());
    interview.ask(answers_.wal, questions_.slot_name.has_value(), inspect);
    if (answers_.wal.ok() && questions_.slot_name) ask_slot(interview, false);
  }

  void ask_slot(Interview& interview, bool more_follow) {
    interview.ask(answers_.slot, more_follow, [this](postgres::Session& session) {
      return replication_slot(session, *questions_.slot_name);
    });
  }

  void ask_primary() {
    Interview(connector_, *questions_.primary, patience_, stop_.get_token())
        .ask(answers_.primary, false, inspect);
  }

  void identify(const std::string& conninfo, Answer<postgres::SystemIdentity>& answer) {
    const milliseconds share = patience_.share(false);
    ask(answer, share, [&] {
      return connector_.replication(conninfo, {.timeout = share, .stop = stop_.get_token()})
          ->identify_system();
    });
  }

  void ask_wal_arrives() {
    ask(answers_.wal_arrives, milliseconds(0), [this] {
      return questions_.wal_arrives(limit_.count() > 0 ? limit_ / 3 : kForWal, stop_.get_token());
    });
  }

  const ServerQuestions& questions_;
  postgres::Connector& connector_;
  const std::chrono::seconds limit_;
  const Patience patience_;
  std::stop_source stop_;
  ServerAnswers answers_;  // each part belongs to one thread until all have ended

  std::mutex lock_;
  std::condition_variable changed_;
  std::size_t done_ = 0;
};

}  // namespace

bool ServerAnswers::any_late() const {
  return main.late || streaming.late || wal.late || wal_streaming.late || primary.late || slot.late ||
         archiver.late || wal_arrives.late || buckets.any_late();
}

ServerAnswers ask_servers(const ServerQuestions& questions, postgres::Connector& connector,
                          std::chrono::seconds limit, const std::function<void()>& meanwhile,
                          const std::stop_token& stop) {
  return Inquiry(questions, connector, limit).run(meanwhile, stop);
}

}  // namespace barman::engine
