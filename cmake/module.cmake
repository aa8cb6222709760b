# module(NAME [USES module...] [LIBRARIES target...])
#
# One folder under src/ is one static library. USES both links the modules and is what
# tests/layers/check_layers.py holds the folder's #include lines against. LIBRARIES are foreign
# libraries that only this module sees. Files named *_test.cc become the module's test program.
#
# With CMAKE_UNITY_BUILD (presets dev, thread) a folder is compiled as one: five times as fast from nothing. With
# BARMAN_UNITE_MODULES (preset tidy) it is all of a module.
define_property(GLOBAL PROPERTY BARMAN_LAYERS BRIEF_DOCS "layers" FULL_DOCS "name: used modules, a line each")

# What the module os does with files is tried on a disk, though other tests may have memory.
function(keep_on_disk test module)
  if(module STREQUAL os)
    set_tests_properties(${test} PROPERTIES ENVIRONMENT TMPDIR=/var/tmp)
  endif()
endfunction()

# Files of one folder make one translation unit of `target`.
function(unite_folders target)
  if(BARMAN_UNITE_MODULES)
    set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE 0)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  foreach(file IN LISTS ARGN)
    get_filename_component(folder ${file} DIRECTORY)
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${folder})
    string(REPLACE / _ group ${folder})
    set_source_files_properties(${file} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endfunction()

function(module name)
  cmake_parse_arguments(M "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  if(sources)
    add_library(barman_${name} STATIC ${sources})
    unite_folders(barman_${name} ${sources})
    use_precompiled(barman_${name} barman_precompiled)
    set(scope PUBLIC)
    target_link_libraries(barman_${name} PRIVATE ${M_LIBRARIES})
  else()
    add_library(barman_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(barman_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(barman_${name} ${scope} barman_options)
  foreach(used IN LISTS M_USES)
    target_link_libraries(barman_${name} ${scope} barman_${used})
  endforeach()
  set_property(GLOBAL APPEND_STRING PROPERTY BARMAN_LAYERS "${name}: ${M_USES}\n")

  if(BARMAN_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    unite_folders(${name}_test ${tests})
    set_sanitizer_defaults(${name}_test)
    use_precompiled(${name}_test barman_precompiled_tests)
    target_link_libraries(${name}_test PRIVATE barman_${name} ${M_LIBRARIES} GTest::gmock GTest::gtest_main)
    add_test(NAME unit/${name} COMMAND ${name}_test)
    set(seconds 20)
    if(name STREQUAL engine)
      set(seconds 100)
    endif()
    set_tests_properties(unit/${name} PROPERTIES LABELS unit COST ${seconds})
    keep_on_disk(unit/${name} ${name})
  endif()
endfunction()
