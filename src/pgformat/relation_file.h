// Names of the files that hold relations.
//
//   global/1262                          shared by all databases
//   base/5/1259, base/5/1259.1           the second gigabyte
//   base/5/1259_fsm, _vm, _init          other forks
//   base/5/t3_16401                      of one session
//   pg_tblspc/16400/PG_15_202209061/5/16401, or from PG_15_202209061 on, as the tablespace's folder has it
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace barman::pgformat {

struct RelationFile {
  std::uint32_t segment = 0;
  bool is_temporary = false;

  bool operator==(const RelationFile&) const = default;
};

// Nothing if a relation cannot be there.
std::optional<RelationFile> parse_relation_path(std::string_view path);

}  // namespace barman::pgformat
