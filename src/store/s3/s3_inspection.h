// What a bucket of S3 says of itself, and uploads to it step by step.
#pragma once

#include <string>
#include <string_view>

#include "store/inspection.h"
#include "store/s3/client.h"
#include "store/s3/form.h"

namespace barman::store {

class S3Inspection final : public Inspection {
 public:
  // All outlive it. `root` is what keys are below: empty, or with "/" at the end.
  S3Inspection(S3Client& client, const std::string& root, const S3Form& form)
      : client_(client), root_(root), form_(form) {}

  [[nodiscard]] BucketState state() override;
  [[nodiscard]] std::optional<Time> time_there() override;
  [[nodiscard]] Encryption wanted_encryption() const override;
  [[nodiscard]] Encryption encryption_of(std::string_view key) override;
  [[nodiscard]] Conditional store_if_absent(std::string_view key, std::string_view text) override;
  [[nodiscard]] UnfinishedUpload begin_upload(std::string_view key) override;
  [[nodiscard]] std::string send_part(const UnfinishedUpload& upload, unsigned number,
                                      stream::Bytes part) override;
  void complete(const UnfinishedUpload& upload, const std::vector<std::string>& parts) override;
  [[nodiscard]] std::optional<std::uint64_t> uploaded_bytes(const UnfinishedUpload& upload) override;

 private:
  [[nodiscard]] std::string full(std::string_view key) const;
  // What it takes to put an object as the form wants it.
  [[nodiscard]] std::string_view put_rights() const;

  S3Client& client_;
  const std::string& root_;
  const S3Form& form_;
};

}  // namespace barman::store
