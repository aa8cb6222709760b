#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "os/fd.h"

namespace barman::os {

namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(ErrorKind::kFailed, std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

// Room in a pipe for what a busy child and we hand over at a time, if the system grants it.
void widen(const Fd& pipe) {
  constexpr int kRoom = 1 << 20;
  if (pipe) ::fcntl(pipe.get(), F_SETPIPE_SZ, kRoom);
}

Fd open_null(int flags) { return Fd(::open("/dev/null", flags | O_CLOEXEC)); }

// What execve wants, made before fork: nothing may be allocated after it.
class ExecArguments {
 public:
  explicit ExecArguments(const Command& command) : argv_text_(command.argv) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      if (!command.env.contains(std::string(text.substr(0, text.find('='))))) env_text_.emplace_back(text);
    }
    for (const auto& [name, value] : command.env) env_text_.push_back(fmt::format("{}={}", name, value));
    for (auto& text : argv_text_) argv_.push_back(text.data());
    for (auto& text : env_text_) env_.push_back(text.data());
    argv_.push_back(nullptr);
    env_.push_back(nullptr);
    program_ = find_program(command);
  }

  // The program to start: a name without a folder is looked for in the PATH that the child will have.
  [[nodiscard]] const char* program() const { return program_.c_str(); }
  [[nodiscard]] char* const* argv() const { return argv_.data(); }
  [[nodiscard]] char* const* env() const { return env_.data(); }

 private:
  static std::string find_program(const Command& command) {
    const std::string& name = command.argv.front();
    const auto path = command.env.find("PATH");
    if (path == command.env.end() || name.find('/') != std::string::npos) return name;
    for (std::string_view rest = path->second; !rest.empty();) {
      const std::string_view folder = rest.substr(0, rest.find(':'));
      rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
      std::string candidate = fmt::format("{}/{}", folder, name);
      if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return name;
  }

  std::string program_;
  std::vector<std::string> argv_text_;
  std::vector<std::string> env_text_;
  std::vector<char*> argv_;
  std::vector<char*> env_;
};

struct Ends {
  int in = -1;  // -1: inherited
  int out = -1;
  int err = -1;
  int secret = -1;  // -1: none
};

constexpr int kSecretEnd = 3;

// The same file under a number that no end of the child will take.
Fd out_of_the_way(const Fd& file) {
  Fd moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, kSecretEnd + 1));
  if (!moved) throw Error(ErrorKind::kFailed, std::string("cannot make a pipe: ") + std::strerror(errno));
  return moved;
}

// The end to read `secret` from, to its end.
Fd secret_end(std::string_view secret) {
  constexpr std::size_t kPipeHolds = 4096;
  if (secret.size() > kPipeHolds) throw Error(ErrorKind::kFailed, "the passphrase is longer than 4096 bytes");
  Pipe pipe = make_pipe();
  const auto wrote = retry_on_signal([&] { return ::write(pipe.write.get(), secret.data(), secret.size()); });
  if (wrote != static_cast<ssize_t>(secret.size())) {
    throw Error(ErrorKind::kFailed, std::string("cannot write to a pipe: ") + std::strerror(errno));
  }
  return out_of_the_way(pipe.read);
}

// In the child, after fork: only async-signal-safe calls. Reports errno through `report` if it cannot start.
[[noreturn]] void become(const Command& command, const ExecArguments& arguments, Ends ends, bool new_session,
                         int report) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (new_session) ::setsid();
  const bool ready = (ends.in < 0 || ::dup2(ends.in, 0) >= 0) && (ends.out < 0 || ::dup2(ends.out, 1) >= 0) &&
                     (ends.err < 0 || ::dup2(ends.err, 2) >= 0) &&
                     (ends.secret < 0 || ::dup2(ends.secret, kSecretEnd) >= 0) &&
                     (!command.directory || ::chdir(command.directory->c_str()) == 0);
  if (ready) ::execvpe(arguments.program(), arguments.argv(), arguments.env());
  const int reason = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &reason, sizeof reason);
  ::_exit(127);
}

pid_t start(const Command& command, Ends ends, bool new_session) {
  const ExecArguments arguments(command);
  Pipe report = make_pipe();
  report.write = out_of_the_way(report.write);
  const pid_t child = ::fork();
  if (child < 0) throw Error(ErrorKind::kFailed, std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) become(command, arguments, ends, new_session, report.write.get());
  report.write.close();
  int reason = 0;
  if (retry_on_signal([&] { return ::read(report.read.get(), &reason, sizeof reason); }) == sizeof reason) {
    ::waitpid(child, nullptr, 0);
    throw Error(ErrorKind::kFailed,
                fmt::format("cannot start {}: {}{}{}", command.argv.front(), std::strerror(reason),
                            command.if_missing.empty() ? "" : "; ", command.if_missing));
  }
  return child;
}

Exit exit_of(int status) {
  if (WIFSIGNALED(status)) return {.status = 0, .signal = WTERMSIG(status)};
  return {.status = WEXITSTATUS(status), .signal = 0};
}

// Asks the child to end, and makes it end.
void put_down(pid_t child) {
  constexpr auto kGrace = std::chrono::seconds(5);
  constexpr auto kLook = std::chrono::milliseconds(20);
  ::kill(child, SIGTERM);
  for (auto waited = std::chrono::milliseconds(0); waited < kGrace; waited += kLook) {
    if (::waitpid(child, nullptr, WNOHANG) == child) return;
    std::this_thread::sleep_for(kLook);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Moves bytes between the child's pipes and the caller's source and sinks until both outputs are closed.
class Conversation {
 public:
  Conversation(Pipes pipes, Fd in, Fd out, Fd err)
      : pipes_(pipes), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {
    if (in_) ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
  }
  ~Conversation() { ::explicit_bzero(output_.data(), output_.size()); }  // a child may print a passphrase
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Returns false if `stop` was requested first.
  bool run(const std::stop_token& stop) {
    constexpr int kLookForStop = 100;  // milliseconds
    while (in_ || out_ || err_) {
      if (stop.stop_requested()) return false;
      std::array<pollfd, 3> ends{{{.fd = in_.get(), .events = POLLOUT, .revents = 0},
                                  {.fd = out_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = err_.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(ends.data(), ends.size(), kLookForStop) <= 0) continue;
      if (ends[0].revents != 0) feed();
      if (ends[1].revents != 0) drain(out_, pipes_.out);
      if (ends[2].revents != 0) drain(err_, pipes_.err);
    }
    return true;
  }

 private:
  void feed() {
    if (pending_.empty()) {
      pending_ = stream::Bytes(input_).first(pipes_.in->read(input_));
      if (pending_.empty()) {
        in_.close();
        return;
      }
    }
    const ssize_t wrote = ::write(in_.get(), pending_.data(), pending_.size());
    if (wrote >= 0) {
      pending_ = pending_.subspan(static_cast<std::size_t>(wrote));
    } else if (errno != EAGAIN && errno != EINTR) {
      in_.close();  // the child does not want more; its exit status tells whether that was right
    }
  }

  void drain(Fd& end, stream::Sink* sink) {
    const ssize_t got = ::read(end.get(), output_.data(), output_.size());
    if (got > 0) {
      if (sink != nullptr) sink->write(stream::Bytes(output_).first(static_cast<std::size_t>(got)));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      end.close();
    }
  }

  static constexpr std::size_t kBuffer = 256 * 1024;

  Pipes pipes_;
  Fd in_;
  Fd out_;
  Fd err_;
  std::vector<std::byte> input_ = std::vector<std::byte>(kBuffer);
  std::vector<std::byte> output_ = std::vector<std::byte>(kBuffer);
  stream::Bytes pending_;
};

}  // namespace

Exit LocalRunner::run(const Command& command, Pipes pipes, const std::stop_token& stop) {
  Pipe in = pipes.in != nullptr ? make_pipe() : Pipe{open_null(O_RDONLY), {}};
  Pipe out = pipes.out != nullptr ? make_pipe() : Pipe{{}, open_null(O_WRONLY)};
  Pipe err = pipes.err != nullptr ? make_pipe() : Pipe{{}, open_null(O_WRONLY)};
  Fd secret = pipes.secret ? secret_end(*pipes.secret) : Fd();
  if (pipes.in != nullptr) widen(in.write);
  if (pipes.out != nullptr) widen(out.read);
  const Ends ends{
      .in = in.read.get(), .out = out.write.get(), .err = err.write.get(), .secret = secret.get()};
  const pid_t child = start(command, ends, false);
  secret.close();
  in.read.close();
  out.write.close();
  err.write.close();
  try {
    Conversation conversation(pipes, std::move(in.write), std::move(out.read), std::move(err.read));
    if (!conversation.run(stop))
      throw Error(ErrorKind::kCancelled, "stopped " + command.argv.front() + " on request");
  } catch (...) {
    put_down(child);
    throw;
  }
  int status = 0;
  while (retry_on_signal([&] { return ::waitpid(child, &status, WNOHANG); }) == 0) {
    if (stop.stop_requested()) {
      put_down(child);
      throw Error(ErrorKind::kCancelled, "stopped " + command.argv.front() + " on request");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return exit_of(status);
}

void LocalRunner::start_detached(const Command& command, bool keep_descriptors) {
  const Fd null = open_null(O_RDWR);
  const int output = keep_descriptors ? -1 : null.get();
  start(command, {.in = null.get(), .out = output, .err = output}, true);
}

}  // namespace barman::os
