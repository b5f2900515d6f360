# Warnings, sanitizers and clang-tidy as functions applied to our own targets, never as global flags.

include(GNUInstallDirs)

function(polar_target_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
  if(POLAR_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(POLAR_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${POLAR_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${POLAR_SANITIZE})
    if(NOT POLAR_SANITIZE STREQUAL "thread")
      target_compile_options(${target} PRIVATE -fno-sanitize-recover=all)
    endif()
  endif()
  if(POLAR_TIDY)
    set_target_properties(${target} PROPERTIES CXX_CLANG_TIDY "${POLAR_CLANG_TIDY};--quiet")
  endif()
endfunction()

# One library per folder of src/: polar_<folder>, alias polar::<folder>. TORCH marks folders that see LibTorch:
# they share the precompiled header of the first one.
function(polar_add_folder folder)
  cmake_parse_arguments(ARG "TORCH" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)  # a folder that has only headers, or nothing yet
    add_library(polar_${folder} INTERFACE)
    add_library(polar::${folder} ALIAS polar_${folder})
    target_link_libraries(polar_${folder} INTERFACE ${ARG_DEPENDS})
    return()
  endif()
  add_library(polar_${folder} STATIC ${sources})
  add_library(polar::${folder} ALIAS polar_${folder})
  target_include_directories(polar_${folder} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/polar>)
  target_link_libraries(polar_${folder} PUBLIC ${ARG_DEPENDS})
  set_target_properties(polar_${folder} PROPERTIES EXPORT_NAME ${folder})
  polar_target_options(polar_${folder})
  if(ARG_TORCH)
    polar_use_torch_pch(polar_${folder})
  endif()
endfunction()

# LibTorch headers cost 8 to 15 s a unit: compiled once, reused by every target that sees them.
function(polar_use_torch_pch target)
  target_link_libraries(${target} PRIVATE polar::torch)
  target_precompile_headers(${target} PRIVATE <torch/torch.h> <torch/script.h>)
endfunction()

# One test program per folder of tests/, mirroring src/.
function(polar_add_tests folder)
  cmake_parse_arguments(ARG "TORCH" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(polar_${folder}_test ${sources})
  target_include_directories(polar_${folder}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(polar_${folder}_test PRIVATE polar::${folder} ${ARG_DEPENDS} GTest::gtest_main)
  polar_target_options(polar_${folder}_test)
  if(ARG_TORCH)
    polar_use_torch_pch(polar_${folder}_test)
  endif()
  gtest_discover_tests(polar_${folder}_test DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 900
                       ENVIRONMENT "POLAR_TEST_POOL=${POLAR_TEST_POOL}")
endfunction()
