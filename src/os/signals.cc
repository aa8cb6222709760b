#include "os/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include "base/error.h"
#include "os/fd.h"

namespace barman::os {

namespace {

// A signal handler has no other way to reach its object than a global.
std::atomic<int> wake_fd{-1};
std::atomic<int> first_signal{0};

void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  const char byte = 1;
  [[maybe_unused]] const ssize_t wrote = ::write(wake_fd.load(), &byte, 1);
  errno = saved;
}

// The thread that hears the handler's byte, and the pipe between them.
struct Listener {
  Fd read;
  Fd write;
  std::jthread thread;
};
std::unique_ptr<Listener> listener;

void install(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

}  // namespace

StopOnSignal::StopOnSignal(std::stop_source source) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorKind::kFailed, std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  first_signal = 0;
  listener = std::make_unique<Listener>();
  listener->read = Fd(ends[0]);
  listener->write = Fd(ends[1]);
  wake_fd = ends[1];
  listener->thread = std::jthread([source = std::move(source), fd = ends[0]]() mutable {
    char byte = 0;
    while (retry_on_signal([&] { return ::read(fd, &byte, 1); }) == 1) {
      if (byte == 0) return;
      source.request_stop();
    }
  });
  install(SIGINT, on_signal);
  install(SIGTERM, on_signal);
  install(SIGPIPE, SIG_IGN);
}

StopOnSignal::~StopOnSignal() {
  install(SIGINT, SIG_DFL);
  install(SIGTERM, SIG_DFL);
  const char end = 0;
  [[maybe_unused]] const ssize_t wrote = ::write(wake_fd.load(), &end, 1);
  listener->thread.join();
  wake_fd = -1;
  listener.reset();
}

int StopOnSignal::received() const { return first_signal; }

}  // namespace barman::os
