// A server that says what a test has it say: for protocol generations that no installed server speaks, and
// for servers that hang, lie or vanish.
#pragma once

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace barman::postgres {

// Messages of the server, ready to be sent (PostgreSQL documentation, "Message Formats").
namespace say {

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}
inline std::string message(char type, std::string_view body) {
  return type + number(body.size() + 4, 4) + std::string(body);
}
inline std::string ready() { return message('Z', "I"); }
inline std::string complete(std::string_view tag = "SELECT") { return message('C', std::string(tag) + '\0'); }
inline std::string row(std::initializer_list<std::optional<std::string_view>> fields) {
  std::string columns = number(fields.size(), 2);
  std::string values = columns;
  for (const auto& field : fields) {
    columns += std::string("c\0", 2) + number(0, 4) + number(0, 2) + number(25, 4) + number(0xFFFF, 2) +
               number(0xFFFFFFFF, 4) + number(0, 2);
    values += field ? number(field->size(), 4) + std::string(*field) : number(0xFFFFFFFF, 4);
  }
  return message('T', columns) + message('D', values);
}
inline std::string copy_out() { return message('H', number(0, 1) + number(0, 2)); }
inline std::string copy_in() { return message('G', number(0, 1) + number(0, 2)); }
inline std::string copy_both() { return message('W', number(0, 1) + number(0, 2)); }
inline std::string copy_data(std::string_view data) { return message('d', data); }
inline std::string copy_done() { return message('c', ""); }
inline std::string response(char type, std::string_view severity, std::string_view sqlstate,
                            std::string_view text) {
  std::string body;
  for (const auto& [field, value] :
       {std::pair('S', severity), std::pair('V', severity), std::pair('C', sqlstate), std::pair('M', text)}) {
    body += field + std::string(value) + '\0';
  }
  return message(type, body + '\0');
}
inline std::string error(std::string_view sqlstate, std::string_view text) {
  return response('E', "ERROR", sqlstate, text);
}
inline std::string warning(std::string_view text) { return response('N', "WARNING", "01000", text); }

}  // namespace say

// Takes one connection, answers each message of the client with the next answer, and then reads on in silence
// until the client hangs up. An empty answer hangs up first.
class FakeServer {
 public:
  FakeServer(std::string version, std::vector<std::string> answers)
      : version_(std::move(version)), answers_(std::move(answers)) {
    std::string name = (std::filesystem::temp_directory_path() / "fake-server-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/.s.PGSQL.5432";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 1) != 0) {
      throw std::runtime_error("cannot listen");
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() {
    thread_ = {};
    ::close(listener_);
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string conninfo() const { return "host=" + folder_ + " user=barman dbname=postgres"; }

  // What the client sent after the start-up, message by message: type and body. Ask when the client is gone.
  const std::vector<std::string>& heard() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    return heard_;
  }

 private:
  void serve(const std::stop_token& stop) {
    if (!readable(listener_, stop)) return;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    converse(client, stop);
    ::close(client);
  }

  void converse(int client, const std::stop_token& stop) {
    const auto startup = read(client, 4, stop);
    if (!startup || !read(client, length(*startup) - 4, stop)) return;
    send(client, say::message('R', say::number(0, 4)) +
                     say::message('S', std::string("server_version") + '\0' + version_ + '\0') +
                     say::message('K', say::number(1, 4) + say::number(2, 4)) + say::ready());
    for (std::size_t next = 0;;) {
      const auto head = read(client, 5, stop);
      if (!head) return;
      const auto body = read(client, length(head->substr(1)) - 4, stop);
      if (!body) return;
      heard_.push_back(head->substr(0, 1) + *body);
      if (next == answers_.size() || head->front() == 'd') continue;
      if (answers_[next].empty()) return;
      send(client, answers_[next++]);
    }
  }

  static std::size_t length(std::string_view four) {
    std::size_t value = 0;
    for (const char c : four) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

  static bool readable(int fd, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd polled{fd, POLLIN, 0};
      if (::poll(&polled, 1, 10) > 0) return true;
    }
    // What has arrived before the stop is still heard.
    pollfd polled{fd, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
  }

  static std::optional<std::string> read(int fd, std::size_t size, const std::stop_token& stop) {
    std::string text(size, '\0');
    for (std::size_t done = 0; done < size;) {
      if (!readable(fd, stop)) return std::nullopt;
      const auto got = ::recv(fd, text.data() + done, size - done, 0);
      if (got <= 0) return std::nullopt;
      done += static_cast<std::size_t>(got);
    }
    return text;
  }

  static void send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  std::string version_;
  std::vector<std::string> answers_;
  std::string folder_;
  int listener_ = -1;
  std::vector<std::string> heard_;
  std::jthread thread_;
};

}  // namespace barman::postgres
