#include "report/json.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "base/log.h"
#include "base/redact.h"
#include "report/log_number.h"

namespace barman::report {
namespace {

using Json = nlohmann::json;

constexpr auto kReplaceBadUtf8 = Json::error_handler_t::replace;

std::string scalar_text(const Json& value) { return value.dump(-1, ' ', true, kReplaceBadUtf8); }

// With the separators ", " and ": ", which nlohmann's own compact form does not have.
void write(const Json& value, std::string& into) {
  if (value.is_object()) {
    into += '{';
    bool first = true;
    for (const auto& [key, element] : value.items()) {
      if (!first) into += ", ";
      first = false;
      into += scalar_text(Json(key)) + ": ";
      write(element, into);
    }
    into += '}';
  } else if (value.is_array()) {
    into += '[';
    bool first = true;
    for (const Json& element : value) {
      if (!first) into += ", ";
      first = false;
      write(element, into);
    }
    into += ']';
  } else {
    into += scalar_text(value);
  }
}

Json parsed(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) throw std::logic_error("a result is not JSON: " + std::string(text));
  return value;
}

// Strings inside a result may hold connection strings.
void redact_strings(Json& value) {
  if (value.is_string()) {
    value = redact(value.get_ref<const std::string&>());
  } else if (value.is_structured()) {
    for (Json& element : value) redact_strings(element);
  }
}

}  // namespace

struct JsonWriter::Document {
  Json root = Json::object();

  Json& at(const std::vector<std::string>& path) {
    Json* place = &root;
    for (const std::string& key : path) place = &(*place)[key];
    return *place;
  }
};

JsonWriter::JsonWriter(const WriterOptions& options, Log& log)
    : options_(options), log_(log), document_(std::make_unique<Document>()) {}

JsonWriter::~JsonWriter() = default;

void JsonWriter::message(const char* list, int level, std::string_view text) {
  const std::string redacted = redact(text);
  if (level >= 0) log_.write(level, options_.logger, redacted);
  if (!muted_) document_->root[list].push_back(redacted);
}

void JsonWriter::info(std::string_view line) {
  const std::lock_guard guard(lock_);
  message("_INFO", kLogInfo, line);
}

void JsonWriter::notice(std::string_view text) {
  const std::lock_guard guard(lock_);
  message("_INFO", -1, text);
}

void JsonWriter::warning(std::string_view line) {
  const std::lock_guard guard(lock_);
  message("_WARNING", kLogWarning, line);
}

void JsonWriter::error(std::string_view line) {
  const std::lock_guard guard(lock_);
  failed_ = true;
  message("_ERROR", kLogError, line);
}

void JsonWriter::exception(std::string_view text) {
  const std::lock_guard guard(lock_);
  failed_ = true;
  message("_EXCEPTION", kLogError, text);
}

void JsonWriter::debug(std::string_view line) {
  const std::lock_guard guard(lock_);
  if (options_.debug) {
    message("_DEBUG", kLogDebug, line);
  } else if (log_.wants(kLogDebug)) {
    log_.write(kLogDebug, options_.logger, redact(line));
  }
}

void JsonWriter::log(engine::LogLevel level, std::string_view line) {
  const std::lock_guard guard(lock_);
  log_.write(log_number(level), options_.logger, redact(line));
}

void JsonWriter::progress(const Progress& /*progress*/) {}

void JsonWriter::line(std::string_view /*text*/) {}

void JsonWriter::put(const std::vector<std::string>& path, std::string_view json_text) {
  Json value = parsed(json_text);
  redact_strings(value);
  const std::lock_guard guard(lock_);
  document_->at(path) = std::move(value);
}

void JsonWriter::append(const std::vector<std::string>& path, std::string_view json_text) {
  Json value = parsed(json_text);
  redact_strings(value);
  const std::lock_guard guard(lock_);
  document_->at(path).push_back(std::move(value));
}

std::string JsonWriter::paint(Colour /*colour*/, std::string_view text) const { return std::string(text); }

void JsonWriter::fail() {
  const std::lock_guard guard(lock_);
  failed_ = true;
}

int JsonWriter::exit_status() const {
  const std::lock_guard guard(lock_);
  return failed_ ? 1 : 0;
}

void JsonWriter::mute() {
  const std::lock_guard guard(lock_);
  muted_ = true;
}

void JsonWriter::finish() {
  const std::lock_guard guard(lock_);
  if (options_.quiet || muted_) return;
  std::string text;
  write(document_->root, text);
  if (std::fwrite(text.data(), 1, text.size(), options_.out) != text.size() ||
      std::fflush(options_.out) != 0) {
    throw Error(ErrorKind::kFailed, std::string("cannot write to standard output: ") + std::strerror(errno));
  }
}

std::string json_string(std::string_view text) { return scalar_text(Json(text)); }

}  // namespace barman::report
