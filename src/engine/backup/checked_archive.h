// One archive on its way to a file, while what it holds is looked at.
#pragma once

#include <memory>

#include "stream/stream.h"

namespace barman::engine {

// Everything goes to both. The file is finished only when the contents were found good.
std::unique_ptr<stream::Sink> checked_archive(std::unique_ptr<stream::Sink> contents,
                                              std::unique_ptr<stream::Sink> file);

}  // namespace barman::engine
