#include "store/s3/answers.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <pugixml.hpp>

#include "base/error.h"
#include "store/aws/credential_answer.h"
#include "store/http/url.h"

namespace barman::store {
namespace {

constexpr std::size_t kMostMessage = 300;

[[noreturn]] void throw_unknown(const char* expected) {
  throw Error(ErrorKind::kFailed,
              fmt::format("the server's answer is no {}; check that the endpoint speaks S3", expected));
}

pugi::xml_node root_named(pugi::xml_document& document, std::string_view xml, const char* name) {
  const auto result = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.document_element();
  if (!result || std::strcmp(root.name(), name) != 0) throw_unknown(name);
  return root;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMostMessage))
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  return out;
}

std::uint64_t number_in(const pugi::xml_node& node) {
  const std::string_view text = node.text().get();
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size())
    throw_unknown("listing: a size is no number");
  return value;
}

Time time_in(const pugi::xml_node& node) { return parse_utc_time(node.text().get()).value_or(Time{}); }

S3Error error_in(const pugi::xml_node& node) {
  return {.code = printable(node.child_value("Code")),
          .message = printable(node.child_value("Message")),
          .region = printable(node.child_value("Region"))};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool is_true(const pugi::xml_node& node) { return std::strcmp(node.text().get(), "true") == 0; }

}  // namespace

std::optional<S3Error> parse_s3_error(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node root = document.document_element();
  if (std::strcmp(root.name(), "Error") != 0) return std::nullopt;
  return error_in(root);
}

ListPage parse_list_page(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_named(document, xml, "ListBucketResult");
  const bool encoded = std::strcmp(root.child_value("EncodingType"), "url") == 0;
  const auto name = [&](const char* text) { return encoded ? percent_decode(text) : std::string(text); };
  ListPage page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    page.objects.push_back({.key = name(node.child_value("Key")),
                            .size = number_in(node.child("Size")),
                            .modified = time_in(node.child("LastModified"))});
  }
  for (const pugi::xml_node& node : root.children("CommonPrefixes")) {
    page.folders.push_back(name(node.child_value("Prefix")));
  }
  if (is_true(root.child("IsTruncated"))) {
    page.next = root.child_value("NextContinuationToken");
    if (page.next.empty()) throw_unknown("listing: it is cut, and says not how to go on");
  }
  return page;
}

std::string parse_upload_id(std::string_view xml) {
  pugi::xml_document document;
  std::string id = root_named(document, xml, "InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty()) throw_unknown("UploadId");
  return id;
}

std::string reason_text(const S3Error& error) {
  return error.message.empty() ? error.code : fmt::format("{}: {}", error.code, error.message);
}

std::vector<NotRemoved> parse_delete_result(std::string_view xml) {
  pugi::xml_document document;
  std::vector<NotRemoved> result;
  for (const pugi::xml_node& node : root_named(document, xml, "DeleteResult").children("Error")) {
    result.push_back({.key = node.child_value("Key"), .reason = reason_text(error_in(node))});
  }
  return result;
}

UploadsPage parse_uploads_page(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_named(document, xml, "ListMultipartUploadsResult");
  UploadsPage page;
  for (const pugi::xml_node& node : root.children("Upload")) {
    page.uploads.push_back({.key = node.child_value("Key"),
                            .id = node.child_value("UploadId"),
                            .begun = time_in(node.child("Initiated"))});
  }
  if (is_true(root.child("IsTruncated"))) {
    page.next_key = root.child_value("NextKeyMarker");
    page.next_id = root.child_value("NextUploadIdMarker");
  }
  return page;
}

PartsPage parse_parts_page(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_named(document, xml, "ListPartsResult");
  PartsPage page;
  for (const pugi::xml_node& node : root.children("Part")) page.bytes += number_in(node.child("Size"));
  if (is_true(root.child("IsTruncated"))) page.next = root.child_value("NextPartNumberMarker");
  return page;
}

std::optional<std::string> parse_versioning(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node root = document.document_element();
  if (std::strcmp(root.name(), "VersioningConfiguration") != 0) return std::nullopt;
  const std::string_view status = root.child_value("Status");
  if (status == "Enabled") return "on";
  return status == "Suspended" ? "suspended" : "off";
}

std::optional<std::string> parse_object_lock(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return std::nullopt;
  const pugi::xml_node root = document.document_element();
  if (std::strcmp(root.name(), "ObjectLockConfiguration") != 0) return std::nullopt;
  if (std::strcmp(root.child_value("ObjectLockEnabled"), "Enabled") != 0) return "off";
  const pugi::xml_node retention = root.child("Rule").child("DefaultRetention");
  const std::string mode = printable(retention.child_value("Mode"));
  for (const auto& [name, unit] : {std::pair("Days", "day"), std::pair("Years", "year")}) {
    const std::string length = printable(retention.child_value(name));
    if (!length.empty())
      return fmt::format("on, {} {}{} ({}) for new objects", length, unit, length == "1" ? "" : "s", mode);
  }
  return "on";
}

std::string complete_document(const std::vector<std::string>& etags) {
  std::string text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    text += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, escaped(etags[i]));
  }
  return text + "</CompleteMultipartUpload>";
}

std::string delete_document(const std::vector<std::string>& keys) {
  std::string text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const std::string& key : keys) text += fmt::format("<Object><Key>{}</Key></Object>", escaped(key));
  return text + "</Delete>";
}

std::string create_bucket_document(std::string_view region) {
  if (region == "us-east-1") return {};
  return fmt::format(
      "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}"
      "</LocationConstraint></CreateBucketConfiguration>",
      escaped(region));
}

}  // namespace barman::store
