// Named places at which a test can kill the program: BARMAN_FAULT_POINT=<name> in the environment of a build
// with BARMAN_FAULT_POINTS ends it there as kill -9 would. Nothing is left of it in other builds.
#pragma once

namespace barman::os {

#ifdef BARMAN_FAULT_POINTS
void fault_point(const char* name) noexcept;
#else
inline void fault_point(const char* /*name*/) noexcept {}
#endif

}  // namespace barman::os
