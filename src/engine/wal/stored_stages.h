// Stages on the way from stored WAL to plain WAL.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pgformat/wal_name.h"
#include "stream/chain.h"

namespace barman::engine {

// Chooses the stages that follow when it has seen the first codec::kDetectBytes, or all there is. What
// choosing throws comes out of write() or finish().
using Choose = std::function<std::vector<stream::Stage>(stream::Bytes front)>;
stream::Stage by_its_front(Choose choose);

// Throws kCorrupt at the end if what has passed is a segment that says in its header that it is longer or
// shorter, or is nothing. (A compressed file may have lost its end without its format showing it.) Other
// files just pass.
stream::Stage whole_segment(const pgformat::WalName& name);

// Appends to `text`, which must outlive it. Throws kCorrupt when it becomes longer than `most`.
std::unique_ptr<stream::Sink> limited_text(std::string& text, std::size_t most);

}  // namespace barman::engine
