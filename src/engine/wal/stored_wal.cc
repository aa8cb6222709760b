#include "engine/wal/stored_wal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "engine/wal/wal_format.h"
#include "os/durable_file.h"
#include "os/fd.h"

namespace barman::engine {

StoredForm stored_form(stream::Bytes front) {
  if (codec::is_openpgp_encrypted(front)) return {.encrypted = true};
  return {.compression = codec::detect_compression(front)};
}

std::vector<std::byte> read_front(const std::filesystem::path& path, std::size_t size) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) os::throw_errno("cannot open", path);
  std::vector<std::byte> front(size);
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        os::retry_on_signal([&] { return ::read(file.get(), &front[filled], size - filled); });
    if (got < 0) os::throw_errno("cannot read", path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  front.resize(filled);
  return front;
}

std::optional<catalog::WalEntry> describe_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    os::throw_errno("cannot look at", path);
  }
  return catalog::WalEntry{.name = path.filename(),
                           .size = static_cast<std::uint64_t>(status.st_size),
                           .time = static_cast<double>(status.st_mtim.tv_sec) +
                                   1e-9 * static_cast<double>(status.st_mtim.tv_nsec)};
}

std::optional<catalog::WalEntry> describe_stored_wal(const std::filesystem::path& path,
                                                     const WalFormat* format) {
  auto entry = describe_file(path);
  if (!entry) return std::nullopt;
  const auto front = read_front(path, codec::kDetectBytes);
  const auto name = pgformat::parse_wal_name(entry->name);
  const StoredForm form = format != nullptr && name ? format->form_of(front, *name) : stored_form(front);
  if (form.custom) entry->compression = "custom";
  if (form.compression) entry->compression = name_of(*form.compression);
  if (form.encrypted) entry->encryption = "gpg";
  return entry;
}

}  // namespace barman::engine
