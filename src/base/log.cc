#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <system_error>

#include "base/text.h"

namespace barman {
namespace {

// Writes lines as they are: they come here with all their fields.
class PlainFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
    into.append(message.payload.data(), message.payload.data() + message.payload.size());
    into.push_back('\n');
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<PlainFormatter>();
  }
};

// A file that is opened anew when its name means another file than the one in our hands, as after logrotate;
// standard error if there is no file.
class WatchedFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WatchedFileSink(std::optional<std::filesystem::path> file)
      : base_sink(std::make_unique<PlainFormatter>()), path_(std::move(file)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (path_ && write_to_file(line)) return;
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

  void flush_() override {}

 private:
  bool write_to_file(const spdlog::memory_buf_t& line) {
    try {
      if (!is_current()) open();
      file_.write(line);
      file_.flush();
      return true;
    } catch (const std::exception& e) {
      std::fprintf(stderr, "WARNING: cannot write to the log file, logging to standard error: %s\n",
                   e.what());
      path_.reset();
      return false;
    }
  }

  [[nodiscard]] bool is_current() const {
    struct stat status {};
    return opened_ && ::stat(path_->c_str(), &status) == 0 && status.st_dev == device_ &&
           status.st_ino == inode_;
  }

  void open() {
    if (path_->has_parent_path()) std::filesystem::create_directories(path_->parent_path());
    // The library would try five times with pauses; say at once what is wrong.
    if (std::FILE* probe = std::fopen(path_->c_str(), "ae"); probe != nullptr) {
      std::fclose(probe);
    } else {
      throw std::system_error(errno, std::generic_category(), path_->string());
    }
    file_.open(path_->string());
    struct stat status {};
    if (::stat(path_->c_str(), &status) == 0) {
      device_ = status.st_dev;
      inode_ = status.st_ino;
    }
    opened_ = true;
  }

  std::optional<std::filesystem::path> path_;
  spdlog::details::file_helper file_;
  bool opened_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// "2026-11-22 13:30:01,412", local time.
std::string log_time(Time now) {
  const std::string text = local_iso_text(now);
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{},{:03}", text.substr(0, 19), milliseconds);
}

std::string field(std::string_view name, Time now, int level, std::string_view logger,
                  std::string_view message) {
  if (name == "asctime") return log_time(now);
  if (name == "created")
    return fmt::format("{:.6f}", static_cast<double>(now.time_since_epoch().count()) / 1e6);
  if (name == "process") return fmt::format("{}", ::getpid());
  if (name == "processName") return "MainProcess";
  if (name == "threadName") return "MainThread";
  if (name == "name") return std::string(logger);
  if (name == "module") return std::string(logger.substr(logger.rfind('.') + 1));
  if (name == "levelname") return log_level_name(level);
  if (name == "levelno") return fmt::format("{}", level);
  if (name == "message") return std::string(message);
  return "";
}

// `flags` is what stands between ")" and the conversion letter: "-10", "5", "05", ".3".
std::string padded(std::string text, std::string_view flags) {
  const bool left = !flags.empty() && flags.front() == '-';
  std::size_t width = 0;
  for (const char c : flags) {
    if (c == '.') break;
    if (c >= '0' && c <= '9')
      width = std::min<std::size_t>(width * 10 + static_cast<std::size_t>(c - '0'), 1000);
  }
  if (text.size() >= width) return text;
  const std::string blanks(width - text.size(), ' ');
  return left ? text + blanks : blanks + text;
}

}  // namespace

std::optional<int> parse_log_level(std::string_view text) {
  std::string upper;
  for (const char c : text) upper += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper == "NOTSET") return kLogNotSet;
  if (upper == "DEBUG") return kLogDebug;
  if (upper == "INFO") return kLogInfo;
  if (upper == "WARNING" || upper == "WARN") return kLogWarning;
  if (upper == "ERROR") return kLogError;
  if (upper == "CRITICAL" || upper == "FATAL") return kLogCritical;
  if (upper.empty() || upper.size() > 6 || upper.find_first_not_of("0123456789") != std::string::npos)
    return {};
  return std::stoi(upper);
}

std::string log_level_name(int level) {
  switch (level) {
    case kLogDebug:
      return "DEBUG";
    case kLogInfo:
      return "INFO";
    case kLogWarning:
      return "WARNING";
    case kLogError:
      return "ERROR";
    case kLogCritical:
      return "CRITICAL";
    case kLogNotSet:
      return "NOTSET";
    default:
      return fmt::format("Level {}", level);
  }
}

std::string format_log_line(const std::string& format, Time now, int level, std::string_view logger,
                            std::string_view message) {
  std::string line;
  for (std::size_t at = 0; at < format.size(); ++at) {
    const std::string_view rest = std::string_view(format).substr(at);
    if (rest.starts_with("%%")) {
      line += '%';
      ++at;
    } else if (rest.starts_with("%(")) {
      const std::size_t close = format.find(')', at);
      const std::size_t letter = close == std::string::npos ? close : format.find_first_of("sdfixr", close);
      if (letter == std::string::npos) return line + format.substr(at);
      const std::string_view name = std::string_view(format).substr(at + 2, close - at - 2);
      line += padded(field(name, now, level, logger, message),
                     std::string_view(format).substr(close + 1, letter - close - 1));
      at = letter;
    } else {
      line += format[at];
    }
  }
  return line;
}

struct Log::Output {
  explicit Output(const LogOptions& options)
      : logger("barman", std::make_shared<WatchedFileSink>(options.file)) {
    logger.set_level(spdlog::level::trace);
  }
  spdlog::logger logger;
};

Log::Log(LogOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), output_(std::make_unique<Output>(options_)) {}

Log::~Log() = default;

void Log::write(int level, std::string_view logger, std::string_view message) {
  if (!wants(level)) return;
  const std::string line = format_log_line(options_.format, clock_.now(), level, logger, message);
  output_->logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace barman
