// The text format of the configuration files: sections of keys, each key with the line where it stands.
//
// It is the dialect of Python's configparser (strict=False, basic interpolation), plus inline comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace barman::config {

struct IniKey {
  std::string name;     // lower case
  std::string value{};  // as written: continuation lines joined by '\n', comments and quotes still in it
  int line = 0;         // where the key stands, from 1
};

struct IniSection {
  std::string name;
  int line = 0;                // of its first header
  std::vector<IniKey> keys{};  // in order of first appearance, none twice: the last one wins

  [[nodiscard]] const IniKey* find(std::string_view key) const;
};

struct IniFile {
  std::string file;
  std::vector<IniSection> sections;  // in order of first appearance, none twice
  IniSection defaults;               // [DEFAULT]: values for every section of this file

  [[nodiscard]] const IniSection* find(std::string_view section) const;
};

// Throws kUsage, naming `file` and every line that cannot be understood.
IniFile parse_ini(std::string_view text, std::string file);

// What to do with " ;" and " #" in a value. Shell commands keep them: to a shell they mean something.
enum class InlineComments { kStrip, kKeep };

// The value of `key` ready to be parsed: inline comments removed, %(other)s replaced by the value of that key
// of `section` (or of the file's defaults), "%%" (and "%%%%", as the original needs it) turned into "%", and
// one pair of quotes around the whole taken off. Throws kUsage for a bad substitution.
std::string final_value(const IniFile& ini, const IniSection& section, const IniKey& key,
                        InlineComments comments);

// Removes from each line what follows a blank and ';' or '#', unless a pair of quotes holds it.
std::string without_inline_comments(std::string_view value);

}  // namespace barman::config
