// An S3 server in memory that costs as little as it can, so that a benchmark measures its client: it checks
// no signature and no sum, and copies nothing. Says where it listens, and ends when its standard input does.
//
// The tests' servers (src/store/s3/fake_s3.h, tests/e2e/bucket.py) hold clients to the protocol instead.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "memory_s3/buckets.h"

namespace barman::bench {
namespace {

void serve(Buckets& buckets, int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection connection(socket);
  while (const auto request = connection.next()) {
    if (!connection.answer(*request, buckets.answer(*request))) return;
  }
}

// On a port of its own on loopback; it is told on standard output.
int listen_somewhere() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("memory_s3");
    std::exit(1);
  }
  std::printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace
}  // namespace barman::bench

int main() {
  barman::bench::Buckets buckets;
  const int listener = barman::bench::listen_somewhere();
  std::vector<std::thread> clients;
  const std::thread acceptor([&] {
    while (true) {
      const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket >= 0) clients.emplace_back([&, socket] { barman::bench::serve(buckets, socket); });
    }
  });
  while (std::getchar() != EOF) {
  }
  std::_Exit(0);  // whatever the threads are at
}
