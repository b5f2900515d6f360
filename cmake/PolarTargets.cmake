# Warnings, sanitizers and clang-tidy as functions applied to our own targets, never as global flags.

include(GNUInstallDirs)

# Names in anonymous namespaces are unique in their folder, of src/ or of tests/, so that its files can be compiled as one.
function(polar_use_unity target)
  if(POLAR_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)  # GCC takes such a file for a header
  endif()
endfunction()

function(polar_target_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # -Wrestrict: GCC 12 warns of overlapping strings that do not exist (GCC bug 105329).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wno-restrict)
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
  polar_use_unity(polar_${folder})
  if(ARG_TORCH)
    polar_use_torch_pch(polar_${folder})
  endif()
  install(TARGETS polar_${folder} EXPORT polarTargets)
endfunction()

# LibTorch headers cost 8 to 15 s a unit: compiled once, in a target of their own, and reused by every target that sees them.
function(polar_add_torch_pch)
  file(CONFIGURE OUTPUT torch_pch.cpp CONTENT "// Carries the precompiled LibTorch headers.\n")
  add_library(polar_torch_pch OBJECT ${CMAKE_CURRENT_BINARY_DIR}/torch_pch.cpp)
  target_link_libraries(polar_torch_pch PRIVATE polar::torch polar::fmt)
  target_precompile_headers(polar_torch_pch PRIVATE <torch/torch.h> <torch/script.h>)
  polar_target_options(polar_torch_pch)
  set_target_properties(polar_torch_pch PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(polar_torch_pch PRIVATE -fPIC)
endfunction()

function(polar_use_torch_pch target)
  target_link_libraries(${target} PRIVATE polar::torch)
  # A precompiled header fits only code of its own kind: programs are compiled as libraries are.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM polar_torch_pch)
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
  polar_use_unity(polar_${folder}_test)
  if(ARG_TORCH)
    polar_use_torch_pch(polar_${folder}_test)
  endif()
  add_dependencies(polar_tests polar_${folder}_test)
  gtest_discover_tests(polar_${folder}_test DISCOVERY_TIMEOUT 120 DISCOVERY_MODE POST_BUILD PROPERTIES TIMEOUT 900)
endfunction()
