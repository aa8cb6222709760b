#include "report/console.h"

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "base/redact.h"
#include "report/log_number.h"

namespace barman::report {
namespace {

constexpr const char* kGreenOn = "\033[32m";
constexpr const char* kRedOn = "\033[31m";
constexpr const char* kYellowOn = "\033[33m";
constexpr const char* kColourOff = "\033[0m";
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

ConsoleWriter::ConsoleWriter(const WriterOptions& options, Log& log, const Clock& clock)
    : options_(options), log_(log), progress_line_(clock) {}

void ConsoleWriter::info(std::string_view line) {
  const std::lock_guard guard(lock_);
  const std::string text = redact(line);
  log_.write(kLogInfo, options_.logger, text);
  to_out(text);
}

void ConsoleWriter::warning(std::string_view line) {
  const std::lock_guard guard(lock_);
  const std::string text = redact(line);
  log_.write(kLogWarning, options_.logger, text);
  to_err("WARNING: ", text, kYellowOn);
}

void ConsoleWriter::error(std::string_view line) {
  const std::lock_guard guard(lock_);
  failed_ = true;
  const std::string text = redact(line);
  log_.write(kLogError, options_.logger, text);
  to_err("ERROR: ", text, kRedOn);
}

void ConsoleWriter::exception(std::string_view text) {
  const std::lock_guard guard(lock_);
  failed_ = true;
  const std::string redacted = redact(text);
  log_.write(kLogError, options_.logger, redacted);
  to_err("EXCEPTION: ", redacted, kRedOn);
}

void ConsoleWriter::debug(std::string_view line) {
  const std::lock_guard guard(lock_);
  if (!options_.debug && !log_.wants(kLogDebug)) return;
  const std::string text = redact(line);
  log_.write(kLogDebug, options_.logger, text);
  if (options_.debug) to_err("DEBUG: ", text, nullptr);
}

void ConsoleWriter::log(engine::LogLevel level, std::string_view line) {
  const std::lock_guard guard(lock_);
  log_.write(log_number(level), options_.logger, redact(line));
}

void ConsoleWriter::progress(const Progress& progress) {
  if (!options_.progress || options_.quiet) return;
  const std::lock_guard guard(lock_);
  if (muted_) return;
  const std::optional<std::string> text = progress_line_.update(progress);
  if (!text) return;
  std::fprintf(options_.err, "%s%s", kClearLine, text->c_str());
  std::fflush(options_.err);
  progress_shown_ = true;
}

void ConsoleWriter::line(std::string_view text) {
  const std::lock_guard guard(lock_);
  to_out(redact(text));
}

void ConsoleWriter::notice(std::string_view text) {
  const std::lock_guard guard(lock_);
  to_out(redact(text));
}

void ConsoleWriter::put(const std::vector<std::string>& /*path*/, std::string_view /*json_text*/) {}

void ConsoleWriter::append(const std::vector<std::string>& /*path*/, std::string_view /*json_text*/) {}

std::string ConsoleWriter::paint(Colour colour, std::string_view text) const {
  if (!options_.colours) return std::string(text);
  const char* on = colour == Colour::kGreen ? kGreenOn : colour == Colour::kRed ? kRedOn : kYellowOn;
  return on + std::string(text) + kColourOff;
}

void ConsoleWriter::fail() {
  const std::lock_guard guard(lock_);
  failed_ = true;
}

int ConsoleWriter::exit_status() const {
  const std::lock_guard guard(lock_);
  return failed_ ? 1 : 0;
}

void ConsoleWriter::mute() {
  const std::lock_guard guard(lock_);
  clear_progress();
  muted_ = true;
}

void ConsoleWriter::finish() {
  const std::lock_guard guard(lock_);
  clear_progress();
  if (std::fflush(options_.out) != 0) out_broken_ = true;
  if (out_broken_) {
    throw Error(ErrorKind::kFailed, std::string("cannot write to standard output: ") + std::strerror(errno));
  }
}

void ConsoleWriter::to_out(const std::string& redacted) {
  if (options_.quiet || muted_ || out_broken_) return;
  clear_progress();
  const std::string text = redacted + "\n";
  // Whoever reads us may have gone: the work goes on, the exit status tells.
  if (std::fwrite(text.data(), 1, text.size(), options_.out) != text.size() ||
      std::fflush(options_.out) != 0) {
    out_broken_ = true;
  }
}

void ConsoleWriter::to_err(std::string_view prefix, const std::string& redacted, const char* colour) {
  if (muted_) return;
  clear_progress();
  std::string text(prefix);
  text += redacted;
  if (options_.colours && colour != nullptr) text = colour + text + kColourOff;
  text += "\n";
  std::fwrite(text.data(), 1, text.size(), options_.err);
  std::fflush(options_.err);
}

void ConsoleWriter::clear_progress() {
  if (!progress_shown_) return;
  std::fputs(kClearLine, options_.err);
  std::fflush(options_.err);
  progress_shown_ = false;
}

}  // namespace barman::report
