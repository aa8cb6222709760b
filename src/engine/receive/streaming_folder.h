// What lies in the streaming folder and at the end of the archive, as far as a receiver has to know.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/events.h"
#include "engine/receive/start_point.h"
#include "engine/server/home.h"

namespace barman::engine {

// Segments and partials, in the order of their names. A segment of another length than the server's is
// reported and left out: it will be received again.
std::vector<ReceivedSegment> received_segments(const Home& home, pgformat::SegmentSize size, Events& events);

// The segment in the archive that comes last in the order of names; nothing if there is none.
std::optional<pgformat::Segment> newest_archived(const Home& home);

// Throws kFailed, naming the file, if a segment or partial of the folder is of another cluster.
void require_same_cluster(const Home& home, std::span<const ReceivedSegment> received,
                          const std::string& system_identifier);

std::filesystem::path path_of(const Home& home, const ReceivedSegment& received);

}  // namespace barman::engine
