// The writer for people.
#pragma once

#include <mutex>

#include "report/progress_line.h"
#include "report/writer.h"

namespace barman::report {

class ConsoleWriter final : public Writer {
 public:
  ConsoleWriter(const WriterOptions& options, Log& log, const Clock& clock);

  void info(std::string_view line) override;
  void warning(std::string_view line) override;
  void error(std::string_view line) override;
  void debug(std::string_view line) override;
  void log(engine::LogLevel level, std::string_view line) override;
  void progress(const Progress& progress) override;

  [[nodiscard]] Format format() const override { return Format::kConsole; }
  void line(std::string_view text) override;
  void notice(std::string_view text) override;
  void exception(std::string_view text) override;
  void put(const std::vector<std::string>& path, std::string_view json_text) override;
  void append(const std::vector<std::string>& path, std::string_view json_text) override;
  [[nodiscard]] std::string paint(Colour colour, std::string_view text) const override;
  void fail() override;
  [[nodiscard]] int exit_status() const override;
  void mute() override;
  void finish() override;

 private:
  // All of these are called with the lock held.
  void to_out(const std::string& redacted);
  void to_err(std::string_view prefix, const std::string& redacted, const char* colour);
  void clear_progress();

  const WriterOptions options_;
  Log& log_;
  mutable std::mutex lock_;
  ProgressLine progress_line_;
  bool progress_shown_ = false;
  bool failed_ = false;
  bool muted_ = false;
  bool out_broken_ = false;
};

}  // namespace barman::report
