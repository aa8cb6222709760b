// The configuration's text format and the values in it: whatever the text, it is read or refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "config/ini.h"
#include "config/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace barman::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto ini = parse_ini(text, "fuzz.conf");
    for (const auto& section : ini.sections) {
      for (const auto& key : section.keys) {
        const auto value = final_value(ini, section, key, InlineComments::kStrip);
        if (const auto* option = find_option(key.name)) (void)parse_value(*option, value);
        (void)looks_like_conninfo(value);
      }
    }
  } catch (const barman::Error&) {
    // Refused.
  }
  for (const auto& option : all_options()) (void)parse_value(option, text.substr(0, 64));
  return 0;
}
