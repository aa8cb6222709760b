# The one target that every part of ours links: warnings, sanitizers, compile definitions.
add_library(barman_options INTERFACE)
target_compile_options(barman_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wundef
  $<$<BOOL:${BARMAN_WERROR}>:-Werror>)
target_compile_definitions(barman_options INTERFACE
  BARMAN_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${BARMAN_FAULT_POINTS}>:BARMAN_FAULT_POINTS=1>)
if(BARMAN_SANITIZE)
  target_compile_options(barman_options INTERFACE -fsanitize=${BARMAN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # gcc 12 sees uninitialised variants and optionals where sanitizers add branches; other builds keep the warning
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(barman_options INTERFACE -fsanitize=${BARMAN_SANITIZE})
  if(BARMAN_SANITIZE MATCHES undefined)
    # The address sanitizer stops at what is null; looking at every pointer is a fifth of all code.
    target_compile_options(barman_options INTERFACE -fno-sanitize=null,vptr)
    # Its tables hold a million pointers: relocating them was half of the time that a program took to start.
    target_link_options(barman_options INTERFACE -no-pie)
  endif()
endif()

# For programs that load libraries while they run.
function(set_sanitizer_defaults program)
  if(BARMAN_SANITIZE MATCHES address AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/sanitizer_defaults.cc)
  endif()
endfunction()

if(CMAKE_UNITY_BUILD)
  # What is private to one source seems to gcc to be private to a header.
  target_compile_options(barman_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(BARMAN_UNITE_MODULES)
  # One file's `using namespace std::chrono` is all files' here. The other builds keep the warning.
  target_compile_options(barman_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-shadow>)
endif()

find_program(BARMAN_CCACHE ccache)
if(BARMAN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${BARMAN_CCACHE})
endif()
find_program(BARMAN_MOLD mold)
if(BARMAN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
