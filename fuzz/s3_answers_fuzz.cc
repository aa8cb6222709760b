#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "store/aws/credential_answer.h"
#include "store/aws/profiles.h"
#include "store/s3/answers.h"
#include "store/s3/place.h"

namespace {

// What a document is no instance of is refused in one way only.
template <class Parse>
void try_parse(const Parse& parse) {
  try {
    (void)parse();
  } catch (const barman::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  using namespace barman::store;
  try_parse([&] { return parse_list_page(text).objects.size(); });
  try_parse([&] { return parse_delete_result(text).size(); });
  try_parse([&] { return parse_uploads_page(text).uploads.size(); });
  try_parse([&] { return parse_upload_id(text); });
  try_parse([&] { return parse_s3_error(text).has_value(); });
  try_parse([&] { return parse_service_credentials(text).has_value(); });
  try_parse([&] { return parse_sts_credentials(text).has_value(); });
  try_parse([&] { return parse_profile_file(text).size(); });
  try_parse([&] { return split_words(text).has_value(); });
  try_parse([&] { return parse_utc_time(text).has_value() || parse_http_time(text).has_value(); });
  try_parse([&] { return parse_s3_url(text).bucket; });
  return 0;
}
