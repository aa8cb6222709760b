// Puts stages together. A data path is written in the order in which the bytes pass:
//
//   auto path = chain(measure(plain), codec::compress(zstd), measure(stored), store.create(key));
//   pump(source, *path);
//   path->finish();
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "stream/filter.h"
#include "stream/stream.h"

namespace barman::stream {

// Makes the sink that does one stage's work on its way to the next sink, which it owns.
// Writing to it, finishing it and abandoning it do the same to `next`.
using Stage = std::function<std::unique_ptr<Sink>(std::unique_ptr<Sink> next)>;

inline std::unique_ptr<Sink> chain(std::unique_ptr<Sink> end) { return end; }

template <class... Rest>
std::unique_ptr<Sink> chain(const Stage& first, Rest&&... rest) {
  return first(chain(std::forward<Rest>(rest)...));
}

// The same, for stages that only the configuration knows.
std::unique_ptr<Sink> chain(const std::vector<Stage>& stages, std::unique_ptr<Sink> end);

// A stage that runs everything through a filter of its own, made anew for each chain.
Stage through(std::function<std::unique_ptr<Filter>()> make_filter);

struct Measurement {
  std::uint64_t bytes = 0;
};

// Counts what passes. `result` grows while data passes; it must outlive the chain.
Stage measure(Measurement& result);

// Runs the rest of the chain on a thread of its own, at most `depth` writes behind. What it
// throws comes out of the next write() or finish() here.
Stage on_own_thread(std::size_t depth);

// Lets through at most this many bytes a second, measured by `clock`, which must outlive the chain. All
// chains that this one stage is put into have that rate together. Waiting ends with kCancelled when `stop` is
// requested.
Stage throttle(std::uint64_t bytes_per_second, Clock& clock, std::stop_token stop = {});

}  // namespace barman::stream
