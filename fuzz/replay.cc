// Feeds a harness without libFuzzer: the seeds of a directory, each of their beginnings, and mutations of
// them that are the same in every run.   <name>_fuzz SEED_DIRECTORY [MUTATIONS]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::string;
constexpr std::size_t kLargestSeed = 64 * 1024;
constexpr std::size_t kMostBeginnings = 4096;
constexpr auto kLongest = std::chrono::seconds(15);

class Feeder {
 public:
  void feed(const Input& input) {
    ++fed_;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  [[nodiscard]] bool tired() const { return std::chrono::steady_clock::now() > end_; }
  [[nodiscard]] std::size_t fed() const { return fed_; }

 private:
  std::size_t fed_ = 0;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kLongest;
};

std::vector<Input> read_seeds(const std::filesystem::path& directory) {
  std::vector<Input> seeds;
  if (std::filesystem::is_directory(directory)) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      std::ifstream file(entry.path(), std::ios::binary);
      Input text{std::istreambuf_iterator<char>(file), {}};
      text.resize(std::min(text.size(), kLargestSeed));
      seeds.push_back(std::move(text));
    }
  }
  std::sort(seeds.begin(), seeds.end());  // the directory's order differs between machines
  seeds.insert(seeds.end(), {"", Input(1, '\0'), Input(600, '\xff'), "a=b\n[c]\n{\"d\": [1]}\n"});
  return seeds;
}

void feed_beginnings(Feeder& feeder, const Input& seed) {
  const std::size_t step = std::max<std::size_t>(1, seed.size() / kMostBeginnings);
  for (std::size_t length = 0; length <= seed.size() && !feeder.tired(); length += step) {
    feeder.feed(seed.substr(0, length));
  }
}

class Mutator {
 public:
  Input mutate(const std::vector<Input>& seeds) {
    Input input = seeds[below(seeds.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(input, seeds);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  void change(Input& input, const std::vector<Input>& seeds) {
    const std::size_t at = below(input.size() + 1);
    switch (below(6)) {
      case 0:  // a byte that parsers care about
        input.insert(at, 1, kTelling[below(kTelling.size())]);
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(below(256));
        break;
      case 2:
        input.erase(at, below(16));
        break;
      case 3:
        input.insert(at, input.substr(below(input.size() + 1), below(64)));
        break;
      case 4: {  // from here on another seed
        const Input& other = seeds[below(seeds.size())];
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      default:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
    }
  }

  static constexpr std::string_view kTelling{"\0\n\r\t =[]{}\"'\\%;#/.-0:9Aaf\xff", 27};
  std::mt19937_64 random_{20260101};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: <name>_fuzz SEED_DIRECTORY [MUTATIONS]\n", stderr);
    return 2;
  }
  const std::size_t mutations = argc > 2 ? std::stoul(argv[2]) : 20000;
  const std::vector<Input> seeds = read_seeds(argv[1]);
  Feeder feeder;
  for (const Input& seed : seeds) feed_beginnings(feeder, seed);
  Mutator mutator;
  for (std::size_t n = 0; n < mutations && !feeder.tired(); ++n) feeder.feed(mutator.mutate(seeds));
  std::printf("%zu inputs\n", feeder.fed());
  return 0;
}
