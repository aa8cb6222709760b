#include "config/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "config/option.h"

namespace barman::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration reference

<!-- Written by the program `barman-docs` from the table of options in src/config/option.cc. Do not edit. -->

## Files

The main file is the one given with `-c FILE`, else the one that the environment variable `BARMAN_CONFIG_FILE`
names, else the first of `~/.barman.conf`, `/etc/barman.conf` and `/etc/barman/barman.conf` that can be read.
After it come the `*.conf` files of the folder `configuration_files_directory`, in order of their names, and then
`.barman.auto.conf` in `barman_home`. A later file overrides an earlier one, option by option. Only the main file
may hold the section `[barman]`.

```ini
[barman]
barman_home = /var/lib/barman
configuration_files_directory = /etc/barman.d
log_file = /var/log/barman/barman.log
compression = gzip              ; for all servers

[main]
description = Orders
conninfo = host=pg user=barman dbname=postgres
streaming_conninfo = host=pg user=streaming_barman
backup_method = postgres
streaming_archiver = on
slot_name = barman
create_slot = auto
```

- `[barman]` holds what concerns the program as a whole, and values for all servers.
- A section with `model = true` is a model: values that a server of the same `cluster` can be switched to.
- Every other section is a server. `all` is not allowed as a name.

A server takes a value from its own section, else from `[barman]` (where the table says that it may stand there),
else the default. An empty value, or the word `None`, is "unset": a server thereby does without a value of
`[barman]`.

## Syntax

- `key = value` or `key: value`. Keys are not case-sensitive. A line that is indented deeper continues the value.
- A line that begins with `#` or `;` is a comment. So is the rest of a line after a blank and `#` or `;`, except
  within quotes and in options that hold a command, where those characters mean something to the shell.
- One pair of quotes around a whole value is taken off.
- `%(key)s` is replaced by the value of another key of the same section and file. A percent sign is written `%%`.
- Keys of a section `[DEFAULT]` stand in every section of the same file.
- The last assignment of a key wins.

An option that does not exist and a value that cannot be used are reported by every command; the value is then
treated as absent. A file that cannot be understood stops the program.

## Types

| Type | What it looks like |
|---|---|
| text, path | any text |
| flag | `true` `t` `yes` `1` `on`, or `false` `f` `no` `0` `off`, in any case |
| number | a whole number |
| choice, set | one of the words listed; a set is some of them, parted by commas |
| interval | a number and `HOURS`, `DAYS`, `WEEKS` or `MONTHS` (31 days), such as `2 days` |
| size | digits and perhaps `k` `M` `G` `T` (powers of 1000) or `Ki` `Mi` `Gi` `Ti` (powers of 1024) |
| connection | `key=value` words as libpq takes them, or a `postgresql://` URI |
| command | a command line |

In the tables, G: may stand in `[barman]`; S: in a server; M: in a model. Options marked † still work, but have a
better successor.
)";

constexpr std::string_view kConclusion = R"(
## What disables a server

These are found when the configuration is read. Commands that would touch the server refuse with the first of
them, `check` lists all of them, and the other servers work on. They do not apply to inactive and passive servers.

- `conninfo` is missing or is not a connection string; or `streaming_conninfo` is, where
  `backup_method = postgres` or `streaming_archiver = on` needs it.
- Only `streaming_archiver` is on, and there is no `slot_name`.
- `backup_method` is `rsync` or `snapshot` without `ssh_command`, or `local-rsync` with it.
- An option that the `backup_method` does not support: `tablespace_bandwidth_limit`, `reuse_backup` and
  `network_compression` with `postgres` and `snapshot`; `backup_compression` with `rsync`, `local-rsync` and
  `snapshot`; `bandwidth_limit` with `snapshot`.
- `backup_compression_level`, `_workers` or `_format` do not fit `backup_compression`.
- `backup_method = snapshot` lacks `snapshot_provider`, `snapshot_instance`, `snapshot_disks` or what the provider
  needs.

Inactive and passive servers too are disabled by these:

- Two purposes share a folder. (If two servers share a folder, that is an error of the whole configuration.)
- The active model does not exist or belongs to another cluster.
- The name of the section cannot be used in file names.

Put right with a warning: no archiver is on (`archiver` is turned on), and no backup strategy is set for an rsync
method (`concurrent_backup` is used).
)";

std::string_view type_name(OptionType type) {
  switch (type) {
    case OptionType::kText:
    case OptionType::kSlotName:
      return "text";
    case OptionType::kPath:
      return "path";
    case OptionType::kAbsolutePath:
      return "absolute path";
    case OptionType::kPathOrUrl:
      return "path or URL";
    case OptionType::kFlag:
      return "flag";
    case OptionType::kNumber:
    case OptionType::kBandwidth:
    case OptionType::kRedundancy:
      return "number";
    case OptionType::kChoice:
    case OptionType::kExactChoice:
      return "choice";
    case OptionType::kChoiceSet:
      return "set";
    case OptionType::kInterval:
      return "interval";
    case OptionType::kSize:
      return "size";
    case OptionType::kTextList:
      return "list";
    case OptionType::kCompressionLevel:
      return "level";
    case OptionType::kTablespaceLimits:
      return "limits";
    case OptionType::kConninfo:
      return "connection";
    case OptionType::kCommand:
      return "command";
    case OptionType::kRetentionPolicy:
      return "policy";
  }
  std::abort();
}

std::string scope_of(const Option& option) {
  return fmt::format("{}{}{}", option.scope.global ? "G" : "", option.scope.server ? "S" : "",
                     option.scope.model ? "M" : "");
}

std::string type_of(const Option& option) {
  if (option.choices.empty()) return std::string(type_name(option.type));
  return fmt::format("{}: `{}`", type_name(option.type), fmt::join(option.choices, "` `"));
}

std::string default_of(const Option& option) {
  if (option.required) return "required";
  if (option.default_text.empty()) return "";
  std::string text;
  for (auto rest = option.default_text; !rest.empty();) {
    const bool reference = rest.starts_with("%(");
    text += reference ? "‹" : rest.substr(0, rest.find("%("));
    rest.remove_prefix(reference ? 2 : std::min(rest.find("%("), rest.size()));
    if (!reference) continue;
    const auto end = rest.find(")s");
    text.append(rest.substr(0, end)).append("›");
    rest.remove_prefix(end + 2);
  }
  return fmt::format("`{}`", text);
}

}  // namespace

std::string configuration_reference() {
  std::string text(kIntroduction);
  std::string_view group;
  for (const auto& option : all_options()) {
    if (option.group != group) {
      group = option.group;
      text += fmt::format("\n## {}\n\n| Option | In | Type | Default | Meaning |\n|---|---|---|---|---|\n",
                          group);
    }
    text += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", option.name, option.deprecated ? " †" : "",
                        scope_of(option), type_of(option), default_of(option), option.meaning);
  }
  text += kConclusion;
  return text;
}

}  // namespace barman::config
