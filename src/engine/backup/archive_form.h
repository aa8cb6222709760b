// What a backup's format means for its archives.
#pragma once

#include <optional>
#include <string>

#include "codec/gpg.h"
#include "engine/backup/archive_files.h"
#include "engine/backup/streaming.h"
#include "engine/server/backup_format.h"
#include "engine/server/tar_series.h"

namespace barman::os {
class ProcessRunner;
}

namespace barman::engine {

// What follows the name of an archive: ".tar.zst.gpg".
std::string archive_suffix(const BackupFormat& format);

// For the record: "zstd", "none" for archives as they are; nothing for plain files.
std::optional<std::string> recorded_compression(const BackupFormat& format);

std::optional<ServerCompression> server_compression(const BackupFormat& format);

// How archives get from what arrives to what is stored; nothing for plain files. `runner` outlives it.
std::optional<ArchiveForm> archive_form(const BackupFormat& format, os::ProcessRunner& runner,
                                        const codec::Gpg& gpg);

// The same for a backup in a bucket, whose archives are made here; `values` say how long they may become.
TarSeriesForm series_form(const BackupFormat& format, const config::Values& values, os::ProcessRunner& runner,
                          const codec::Gpg& gpg);

}  // namespace barman::engine
