#include "store/s3/form.h"

#include <fmt/format.h>

#include <algorithm>

#include "os/durable_file.h"
#include "store/aws/credential_answer.h"
#include "store/aws/digest.h"
#include "store/http/url.h"

namespace barman::store {
namespace {

constexpr std::size_t kKeyBytes = 32;

}  // namespace

void check_form(const S3Form& form) {
  if (!form.kms_key.empty() && form.encryption != "aws:kms") {
    throw Error(ErrorKind::kUsage, "a KMS key needs the encryption aws:kms; choose it or leave the key out");
  }
  if (!form.customer_key.empty() && !form.encryption.empty()) {
    throw Error(ErrorKind::kUsage,
                "a customer key cannot be used together with another encryption; choose one");
  }
}

std::string read_customer_key(const std::string& url) {
  constexpr std::string_view kScheme = "file://";
  const std::string path = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  if (!path.starts_with('/')) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the customer key '{}' is not file:// and an absolute path", url));
  }
  constexpr std::size_t kMost = 4096;
  std::optional<std::string> text = os::read_file(path, kMost);
  if (!text) throw Error(ErrorKind::kUsage, fmt::format("there is no file {} with the customer key", path));
  while (!text->empty() && std::isspace(static_cast<unsigned char>(text->back())) != 0) text->pop_back();
  text->erase(0, std::min(text->find_first_not_of(" \t\r\n"), text->size()));
  const auto key = parse_base64(*text);
  if (!key || key->size() != kKeyBytes) {
    throw Error(ErrorKind::kUsage, fmt::format("{} does not hold {} bytes in base64", path, kKeyBytes));
  }
  return *key;
}

std::vector<Header> customer_headers(const S3Form& form) {
  if (form.customer_key.empty()) return {};
  const std::string name = "x-amz-server-side-encryption-customer-";
  const stream::Bytes bytes = stream::bytes_of(form.customer_key);
  return {{name + "algorithm", "AES256"},
          {name + "key", base64_text(bytes)},
          {name + "key-md5", md5_base64(bytes)}};
}

std::vector<Header> create_headers(const S3Form& form, const CreateOptions& options) {
  std::vector<Header> headers;
  if (!form.encryption.empty()) headers.emplace_back("x-amz-server-side-encryption", form.encryption);
  if (!form.kms_key.empty())
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", form.kms_key);
  std::string tags;
  for (const auto& [name, value] : options.tags) {
    if (!tags.empty()) tags += '&';
    tags += percent_encode(name) + "=" + percent_encode(value);
  }
  if (!tags.empty()) headers.emplace_back("x-amz-tagging", tags);
  for (Header& header : customer_headers(form)) headers.push_back(std::move(header));
  return headers;
}

}  // namespace barman::store
