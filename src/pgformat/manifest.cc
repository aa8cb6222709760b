#include "pgformat/manifest.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "base/relative_path.h"
#include "pgformat/hex.h"
#include "pgformat/json_scanner.h"

namespace barman::pgformat {

namespace {

using Kind = JsonToken::Kind;

constexpr std::size_t kLongestLine = 256 * 1024;

[[noreturn]] void throw_corrupt(const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "backup_manifest: " + what);
}

template <class Number>
Number number_of(const JsonToken& token, std::string_view field) {
  Number value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, value, 10);
  if (token.kind != Kind::kNumber || error != std::errc{} || stop != end) {
    throw_corrupt(fmt::format("{} is not a whole number: {}", field, token.text));
  }
  return value;
}

std::string text_of(const JsonToken& token, std::string_view field) {
  if (token.kind != Kind::kString) throw_corrupt(fmt::format("{} is not a string", field));
  return std::string(token.text);
}

Lsn lsn_of(const JsonToken& token, std::string_view field) {
  const auto lsn = parse_lsn(text_of(token, field));
  if (!lsn) throw_corrupt(fmt::format("{} is not a WAL position: {}", field, token.text));
  return *lsn;
}

struct KindName {
  std::string_view name;
  ChecksumKind kind;
  std::size_t digits;
};
constexpr std::array<KindName, 6> kKinds = {{{"NONE", ChecksumKind::kNone, 0},
                                             {"CRC32C", ChecksumKind::kCrc32c, 8},
                                             {"SHA224", ChecksumKind::kSha224, 56},
                                             {"SHA256", ChecksumKind::kSha256, 64},
                                             {"SHA384", ChecksumKind::kSha384, 96},
                                             {"SHA512", ChecksumKind::kSha512, 128}}};

// One element of "Files", as its fields come.
struct FileFields {
  std::optional<std::string> path{};
  std::optional<std::uint64_t> size{};
  std::optional<std::string> last_modified{};
  std::optional<std::string> algorithm{};
  std::optional<std::string> checksum{};

  void set(const std::string& field, const JsonToken& value) {
    if (field == "Path") {
      set_path(text_of(value, field));
    } else if (field == "Encoded-Path") {
      const auto decoded = parse_hex(text_of(value, field));
      if (!decoded) throw_corrupt("Encoded-Path is not hexadecimal");
      set_path(*decoded);
    } else if (field == "Size") {
      size = number_of<std::uint64_t>(value, field);
    } else if (field == "Last-Modified") {
      last_modified = text_of(value, field);
    } else if (field == "Checksum-Algorithm") {
      algorithm = text_of(value, field);
    } else if (field == "Checksum") {
      checksum = text_of(value, field);
    } else {
      throw_corrupt("unknown field of a file: " + field);
    }
  }

  void set_path(std::string decoded) {
    if (path) throw_corrupt("a file has two paths: " + *path);
    if (!is_safe_relative_path(decoded)) throw_corrupt("unsafe path: " + decoded);
    path = std::move(decoded);
  }

  [[nodiscard]] ManifestFile complete() const {
    if (!path) throw_corrupt("a file without Path");
    if (!size) throw_corrupt("a file without Size: " + *path);
    ManifestFile file{.path = *path, .size = *size, .last_modified = last_modified.value_or("")};
    if (algorithm.has_value() != checksum.has_value()) {
      throw_corrupt("Checksum and Checksum-Algorithm do not come together: " + *path);
    }
    if (algorithm) set_checksum(file);
    return file;
  }

  void set_checksum(ManifestFile& file) const {
    for (const KindName& known : kKinds) {
      if (known.name != *algorithm) continue;
      const auto bytes = parse_hex(*checksum);
      if (!bytes || checksum->size() != known.digits) throw_corrupt("malformed Checksum: " + *path);
      file.kind = known.kind;
      file.checksum = format_hex(std::as_bytes(std::span(*bytes)));
      return;
    }
    throw_corrupt(fmt::format("unknown Checksum-Algorithm {}: {}", *algorithm, *path));
  }
};

// One element of "WAL-Ranges".
struct RangeFields {
  std::optional<Timeline> timeline{};
  std::optional<Lsn> start{};
  std::optional<Lsn> end{};

  void set(const std::string& field, const JsonToken& value) {
    if (field == "Timeline") {
      timeline = number_of<Timeline>(value, field);
    } else if (field == "Start-LSN") {
      start = lsn_of(value, field);
    } else if (field == "End-LSN") {
      end = lsn_of(value, field);
    } else {
      throw_corrupt("unknown field of a WAL range: " + field);
    }
  }

  [[nodiscard]] ManifestWalRange complete() const {
    if (!timeline || !start || !end) throw_corrupt("a WAL range is incomplete");
    return {.timeline = *timeline, .start = *start, .end = *end};
  }
};

// Follows the fixed shape of a manifest token by token.
class Grammar {
 public:
  explicit Grammar(ManifestReader::VisitFile visit) : visit_(std::move(visit)) {}

  void take(const JsonToken& token) {
    switch (expect_) {
      case Expect::kOpen:
        require(token, Kind::kOpenObject);
        expect_ = Expect::kFieldName;
        break;
      case Expect::kFieldName:
        field_ = text_of(token, "a field's name");
        expect_ = Expect::kColon;
        break;
      case Expect::kColon:
        require(token, Kind::kColon);
        expect_ = Expect::kValue;
        break;
      case Expect::kValue:
        take_value(token);
        break;
      case Expect::kCommaOrClose:
        take_comma_or_close(token);
        break;
      case Expect::kFirstElementOrClose:
        if (token.kind == Kind::kCloseArray) {
          leave_list();
          break;
        }
        [[fallthrough]];
      case Expect::kElement:
        require(token, Kind::kOpenObject);
        open_element();
        break;
      case Expect::kElementCommaOrClose:
        if (token.kind == Kind::kCloseArray) {
          leave_list();
        } else {
          require(token, Kind::kComma);
          expect_ = Expect::kElement;
        }
        break;
      case Expect::kNothing:
        throw_corrupt("text after the end");
    }
  }

  [[nodiscard]] bool complete() const { return expect_ == Expect::kNothing; }
  [[nodiscard]] const std::optional<std::string>& checksum() const { return checksum_; }
  [[nodiscard]] ManifestSummary& summary() { return summary_; }

 private:
  enum class Expect {
    kOpen,
    kFieldName,
    kColon,
    kValue,
    kCommaOrClose,
    kFirstElementOrClose,
    kElement,
    kElementCommaOrClose,
    kNothing,
  };
  enum class Within { kTop, kFiles, kRanges };

  static void require(const JsonToken& token, Kind kind) {
    if (token.kind != kind) throw_corrupt(fmt::format("unexpected \"{}\"", token.text));
  }

  void take_value(const JsonToken& token) {
    expect_ = Expect::kCommaOrClose;
    if (within_element_) {
      within_ == Within::kFiles ? file_.set(field_, token) : range_.set(field_, token);
      return;
    }
    if (field_ == "PostgreSQL-Backup-Manifest-Version") {
      summary_.version = number_of<int>(token, field_);
      if (summary_.version != 1 && summary_.version != 2) {
        throw_corrupt(fmt::format("version {} is not one that we know", summary_.version));
      }
      return;
    }
    if (summary_.version == 0) throw_corrupt("does not begin with its version");
    if (checksum_) throw_corrupt("a field after Manifest-Checksum: " + field_);
    take_top_value(token);
  }

  void take_top_value(const JsonToken& token) {
    if (field_ == "System-Identifier") {
      summary_.system_identifier = number_of<std::uint64_t>(token, field_);
    } else if (field_ == "Files" || field_ == "WAL-Ranges") {
      require(token, Kind::kOpenArray);
      within_ = field_ == "Files" ? Within::kFiles : Within::kRanges;
      bool& seen = within_ == Within::kFiles ? files_seen_ : ranges_seen_;
      if (seen) throw_corrupt("a second " + field_);
      seen = true;
      expect_ = Expect::kFirstElementOrClose;
    } else if (field_ == "Manifest-Checksum") {
      checksum_ = text_of(token, field_);
    } else {
      throw_corrupt("unknown field: " + field_);
    }
  }

  void take_comma_or_close(const JsonToken& token) {
    if (token.kind == Kind::kComma) {
      expect_ = Expect::kFieldName;
      return;
    }
    require(token, Kind::kCloseObject);
    if (within_element_) {
      close_element();
      return;
    }
    if (!files_seen_) throw_corrupt("no list of files");
    if (!checksum_) throw_corrupt("no Manifest-Checksum");
    expect_ = Expect::kNothing;
  }

  void open_element() {
    within_element_ = true;
    file_ = {};
    range_ = {};
    expect_ = Expect::kFieldName;
  }

  void close_element() {
    within_element_ = false;
    if (within_ == Within::kFiles) {
      visit_(file_.complete());
      ++summary_.files;
    } else {
      summary_.wal_ranges.push_back(range_.complete());
      if (summary_.wal_ranges.size() > kMostRanges) throw_corrupt("too many WAL ranges");
    }
    expect_ = Expect::kElementCommaOrClose;
  }

  void leave_list() {
    within_ = Within::kTop;
    expect_ = Expect::kCommaOrClose;
  }

  static constexpr std::size_t kMostRanges = 100'000;

  ManifestReader::VisitFile visit_;
  Expect expect_ = Expect::kOpen;
  Within within_ = Within::kTop;
  bool within_element_ = false;
  bool files_seen_ = false;
  bool ranges_seen_ = false;
  std::string field_;
  FileFields file_;
  RangeFields range_;
  std::optional<std::string> checksum_;
  ManifestSummary summary_;
};

}  // namespace

struct ManifestReader::State {
  explicit State(VisitFile visit)
      : grammar(std::move(visit)), scanner([this](const JsonToken& token) { grammar.take(token); }) {}

  // Digests all that cannot be the last line: `tail` keeps what may be.
  void digest_lines(std::string_view text) {
    tail += text;
    if (tail.empty()) return;
    const std::size_t end = std::string_view(tail).substr(0, tail.size() - 1).rfind('\n');
    if (end != std::string::npos) {
      checksum.update(reinterpret_cast<const std::byte*>(tail.data()), end + 1);
      tail.erase(0, end + 1);
    }
    if (tail.size() > kLongestLine) throw_corrupt("a line is longer than 256 KiB");
  }

  Grammar grammar;
  JsonScanner scanner;
  Checksum checksum{ChecksumKind::kSha256};
  std::string tail;
};

ManifestReader::ManifestReader(VisitFile visit) : state_(std::make_unique<State>(std::move(visit))) {}
ManifestReader::~ManifestReader() = default;

void ManifestReader::write(std::string_view text) {
  // In pieces, so that what is kept for the checksum stays small whatever the caller's chunks.
  constexpr std::size_t kPiece = 64 * 1024;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kPiece);
    state_->digest_lines(piece);
    state_->scanner.write(piece);
    text.remove_prefix(piece.size());
  }
}

ManifestSummary ManifestReader::finish() {
  state_->scanner.finish();
  if (!state_->grammar.complete()) throw_corrupt("cut short");
  if (state_->checksum.hex() != state_->grammar.checksum()) {
    throw_corrupt("its own checksum is wrong: the manifest was changed or damaged");
  }
  return std::move(state_->grammar.summary());
}

bool is_safe_relative_path(std::string_view path) { return barman::is_safe_relative_path(path); }

}  // namespace barman::pgformat
