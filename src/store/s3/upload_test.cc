#include "store/s3/upload.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "store/s3/in_a_bucket.h"
#include "stream/memory.h"

namespace barman::store {
namespace {

class AnUpload : public InABucket {
 protected:
  // By number.
  std::vector<std::size_t> sizes_of_parts() {
    std::map<int, std::size_t> sizes;
    for (const SeenRequest& request : server.seen()) {
      const std::size_t at = request.query.find("partNumber=");
      if (at != std::string::npos) sizes[std::stoi(request.query.substr(at + 11))] = request.body.size();
    }
    std::vector<std::size_t> result;
    for (const auto& [number, size] : sizes) result.push_back(size);
    return result;
  }
  static std::string text_of_length(std::size_t length) {
    std::string text(length, ' ');
    for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
  }
};

TEST(SizeOfPart, IsTheSameForNineTenthsAndGrowsAfterThem) {
  const UploadOptions options{.part_size = 5UL << 20U};
  EXPECT_EQ(size_of_part(1, options), 5UL << 20U);
  EXPECT_EQ(size_of_part(9000, options), 5UL << 20U);
  EXPECT_EQ(size_of_part(9001, options), 10UL << 20U);
  EXPECT_EQ(size_of_part(9100, options), 10UL << 20U);
  EXPECT_EQ(size_of_part(9101, options), 20UL << 20U);
  EXPECT_EQ(size_of_part(10000, options), 5UL << 30U);
  EXPECT_LE(size_of_part(10000, {.part_size = 100UL << 20U}), 5UL << 30U);
}

TEST_F(AnUpload, ThatIsLongerThanItShouldBeGetsLargerPartsAtItsEnd) {
  const std::string text = text_of_length(9 * 2 + 4 + 3);
  const auto bucket = open({.part_size = 2, .workers = 3, .most_parts = 11});
  write_text(bucket->store(), "x", text);
  EXPECT_EQ(server.objects().at("/bucket/p/x"), text);
  EXPECT_EQ(sizes_of_parts(), (std::vector<std::size_t>{2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 3}));
}

TEST_F(AnUpload, ThatNoPartIsLeftForFailsAndLeavesNothing) {
  const auto bucket = open({.part_size = 2, .workers = 3, .most_parts = 10});
  EXPECT_THROW(write_text(bucket->store(), "x", text_of_length(9 * 2 + 4 + 1)), Error);
  EXPECT_TRUE(server.objects().empty());
  EXPECT_EQ(server.unfinished(), 0U);
}

// However slow the store is, and however many archives are written at a time.
TEST_F(AnUpload, TogetherWithOthersHasNoMorePartsThanAreSent) {
  constexpr std::size_t kLargePart = 9UL << 20U;
  server.make_trouble([](int, const SeenRequest&) -> std::optional<FakeReply> {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return std::nullopt;
  });
  const std::string text = text_of_length(3 * kLargePart + 1);
  const auto bucket = open({.part_size = kLargePart, .workers = 2});
  const auto one = bucket->store().create("one");
  const auto two = bucket->store().create("two");
  for (std::size_t at = 0; at < text.size(); at += 1UL << 20U) {
    const stream::Bytes piece = stream::bytes_of(std::string_view(text).substr(at, 1UL << 20U));
    one->write(piece);
    two->write(piece);
  }
  one->finish();
  two->finish();
  EXPECT_EQ(server.objects().at("/bucket/p/one"), text);
  EXPECT_EQ(server.objects().at("/bucket/p/two"), text);
  EXPECT_EQ(bucket->store().peak_part_bytes(), 2 * kLargePart);
}

TEST_F(AnUpload, WhoseSizeIsKnownToBeSmallIsOneRequest) {
  const std::string text = text_of_length(25);
  const auto bucket = open({.part_size = 10, .workers = 2});
  const auto sink = bucket->store().create("x", {.expected_bytes = 25});
  sink->write(stream::bytes_of(text));
  sink->finish();
  EXPECT_EQ(server.objects().at("/bucket/p/x"), text);
  EXPECT_EQ(server.seen().size(), 1U);
}

class BrokenContent final : public stream::Content {
 public:
  explicit BrokenContent(std::uint64_t good) : good_(good) {}
  [[nodiscard]] std::uint64_t size() const override { return 2000000; }
  void read(std::uint64_t offset, stream::Buffer into) override {
    std::ranges::fill(into, std::byte{'x'});
    good_ -= std::min<std::uint64_t>(good_, into.size());
    if (good_ == 0) throw Error(ErrorKind::kFailed, fmt::format("it broke at {}", offset));
  }

 private:
  std::uint64_t good_;
};

TEST_F(AnUpload, OfContentIsOneRequestThatReadsItAgainIfNeedBe) {
  const auto bucket = open({.part_size = 10, .workers = 2});
  server.make_trouble([](int number, const SeenRequest&) {
    return number == 1 ? std::optional(FakeReply{.status = 500}) : std::nullopt;
  });
  const std::string text = text_of_length(1500000);
  stream::MemoryContent content(text);
  bucket->store().put("x", content);
  EXPECT_EQ(server.objects().at("/bucket/p/x"), text);
  EXPECT_EQ(server.seen().size(), 2U);
  EXPECT_EQ(bucket->store().peak_part_bytes(), 0U);
  bucket->store().put("x", content, {.must_be_new = true});  // as if the answer had been lost
}

// While its sum is made, and while it is sent.
TEST_F(AnUpload, OfContentThatBreaksStoresNothing) {
  const auto bucket = open({.part_size = 10, .workers = 2});
  for (const std::uint64_t good : {1000000U, 3000000U}) {
    BrokenContent content(good);
    EXPECT_THROW(bucket->store().put("x", content), Error);
    EXPECT_TRUE(server.objects().empty());
  }
}

// The parts that wait for a worker must not keep the writer waiting for memory.
TEST_F(AnUpload, WhoseFirstPartFailsFailsAtOnce) {
  server.make_trouble([](int, const SeenRequest& request) -> std::optional<FakeReply> {
    return request.method == "PUT" ? std::optional(FakeReply{.status = 403}) : std::nullopt;
  });
  const auto bucket = open({.part_size = 10, .workers = 1});
  const auto sink = bucket->store().create("x");
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) sink->write(stream::bytes_of("0123456789"));
        sink->finish();
      },
      Error);
}

}  // namespace
}  // namespace barman::store
