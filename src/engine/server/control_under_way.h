// pg_control's name in a data directory that is being restored.
#pragma once

namespace barman::engine {

// It gets its real one (pgformat::kControlFile) when everything else is durable: until then no server starts.
inline constexpr const char* kControlUnderWay = "global/pg_control.tmp";

}  // namespace barman::engine
