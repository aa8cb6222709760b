#include "store/s3/answers.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace barman::store {
namespace {

constexpr std::string_view kPage = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextContinuationToken>t0</NextContinuationToken>
<Contents><Key>a%2Bb/c</Key><LastModified>2026-11-22T13:38:18.000Z</LastModified><Size>16777216</Size></Contents>
<CommonPrefixes><Prefix>d%20e/</Prefix></CommonPrefixes></ListBucketResult>)";

TEST(S3Answers, APageOfAListing) {
  const ListPage page = parse_list_page(kPage);
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].key, "a+b/c");
  EXPECT_EQ(page.objects[0].size, 16777216U);
  EXPECT_EQ(page.folders, std::vector<std::string>{"d e/"});
  EXPECT_EQ(page.next, "t0");
}

TEST(S3Answers, WhatIsCutOrForeignIsAFailure) {
  for (std::size_t size = 0; size + 1 < kPage.size(); ++size) {
    EXPECT_THROW((void)parse_list_page(kPage.substr(0, size)), Error) << size;
  }
  EXPECT_THROW((void)parse_list_page("<html/>"), Error);
  EXPECT_THROW((void)parse_list_page("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
               Error);
  EXPECT_THROW((void)parse_list_page(
                   "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>"),
               Error);
  EXPECT_THROW((void)parse_upload_id("<InitiateMultipartUploadResult/>"), Error);
}

TEST(S3Answers, ThePartsOfAnUpload) {
  const PartsPage page = parse_parts_page(
      "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
      "<Part><PartNumber>1</PartNumber><Size>5</Size></Part><Part><PartNumber>2</PartNumber><Size>7</Size></"
      "Part>"
      "</ListPartsResult>");
  EXPECT_EQ(page.bytes, 12U);
  EXPECT_EQ(page.next, "2");
  EXPECT_EQ(parse_parts_page("<ListPartsResult/>").bytes, 0U);
  EXPECT_THROW((void)parse_parts_page("<html/>"), Error);
  EXPECT_THROW((void)parse_parts_page("<ListPartsResult><Part><Size>x</Size></Part></ListPartsResult>"),
               Error);
}

TEST(S3Answers, TheStateOfABucket) {
  EXPECT_EQ(parse_versioning("<VersioningConfiguration/>"), "off");
  EXPECT_EQ(parse_versioning("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
            "on");
  EXPECT_EQ(parse_object_lock("<ObjectLockConfiguration/>"), "off");
  EXPECT_EQ(
      parse_object_lock("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                        "<DefaultRetention><Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention></Rule>"
                        "</ObjectLockConfiguration>"),
      "on, 2 years (COMPLIANCE) for new objects");
  for (const char* other : {"", "<", "<html/>", "<ListBucketResult/>"}) {
    EXPECT_FALSE(parse_versioning(other)) << other;
    EXPECT_FALSE(parse_object_lock(other)) << other;
  }
}

TEST(S3Answers, AnErrorDocument) {
  const auto error = parse_s3_error("<Error><Code>NoSuchKey</Code><Message>a\x1b[31m b</Message></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "NoSuchKey");
  EXPECT_EQ(error->message.find('\x1b'), std::string::npos);
  EXPECT_FALSE(parse_s3_error(""));
  EXPECT_FALSE(parse_s3_error("<CompleteMultipartUploadResult/>"));
}

TEST(S3Answers, DocumentsThatAreSentAreEscaped) {
  EXPECT_NE(delete_document({"a&<b"}).find("<Key>a&amp;&lt;b</Key>"), std::string::npos);
  EXPECT_NE(complete_document({"\"e\""}).find("<PartNumber>1</PartNumber><ETag>&quot;e&quot;</ETag>"),
            std::string::npos);
  EXPECT_EQ(create_bucket_document("us-east-1"), "");
}

}  // namespace
}  // namespace barman::store
