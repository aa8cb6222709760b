// The writer for programs: everything becomes one JSON object, printed at the end.
#pragma once

#include <memory>
#include <mutex>

#include "report/writer.h"

namespace barman::report {

class JsonWriter final : public Writer {
 public:
  JsonWriter(const WriterOptions& options, Log& log);
  ~JsonWriter() override;

  void info(std::string_view line) override;
  void warning(std::string_view line) override;
  void error(std::string_view line) override;
  void debug(std::string_view line) override;
  void log(engine::LogLevel level, std::string_view line) override;
  void progress(const Progress& progress) override;

  [[nodiscard]] Format format() const override { return Format::kJson; }
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
  struct Document;

  void message(const char* list, int level, std::string_view text);

  const WriterOptions options_;
  Log& log_;
  mutable std::mutex lock_;
  std::unique_ptr<Document> document_;
  bool failed_ = false;
  bool muted_ = false;
};

}  // namespace barman::report
