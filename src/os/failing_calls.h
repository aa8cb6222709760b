// For tests: lets the n-th system call of some kinds fail, in a child process, without touching the code
// under test. A seccomp filter turns the calls into a signal whose handler makes them, or answers with the
// error.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/error.h"

namespace barman::os::failing {

enum class Ended { kWell, kThrew, kNeverCameToIt, kOtherwise };

struct Failure {
  std::vector<int> calls;  // SYS_write …; none with six arguments
  int at = 1;              // the first is 1
  int error = EIO;
};

#if defined(__x86_64__)
inline constexpr bool kWorksHere = true;

// The sixth argument of calls that the handler makes: the filter lets them through.
inline constexpr unsigned kPass = 0x5eed;

inline volatile int calls_left = 0;
inline volatile int answer = 0;

inline void on_call(int /*signal*/, siginfo_t* /*info*/, void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const int before = errno;
  calls_left = calls_left - 1;
  if (calls_left == 0) {
    registers[REG_RAX] = -answer;
  } else {
    const long result = ::syscall(registers[REG_RAX], registers[REG_RDI], registers[REG_RSI],
                                  registers[REG_RDX], registers[REG_R10], registers[REG_R8], kPass);
    registers[REG_RAX] = result < 0 ? -errno : result;
  }
  errno = before;
}

inline bool install(const Failure& failure) {
  std::vector<sock_filter> filter;
  const auto load = [&](std::size_t offset) {
    filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  load(offsetof(seccomp_data, args[5]));
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPass, 0, 1));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  load(offsetof(seccomp_data, nr));
  for (const int call : failure.calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};

  struct sigaction action {};
  action.sa_sigaction = on_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  calls_left = failure.at;
  answer = failure.error;
  return ::sigaction(SIGSYS, &action, nullptr) == 0 && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#else
inline constexpr bool kWorksHere = false;
inline int calls_left = 0;
inline bool install(const Failure&) { return false; }
#endif

// Runs `body` in a child in which the call fails, and says how it ended.
inline Ended run(const Failure& failure, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!install(failure)) ::_exit(9);
    try {
      body();
    } catch (const Error&) {
      ::_exit(calls_left > 0 ? 8 : 1);
    }
    ::_exit(calls_left > 0 ? 2 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return Ended::kOtherwise;
  switch (WEXITSTATUS(status)) {
    case 0:
      return Ended::kWell;
    case 1:
      return Ended::kThrew;
    case 2:
      return Ended::kNeverCameToIt;
    default:
      return Ended::kOtherwise;
  }
}

}  // namespace barman::os::failing
