# cmake --install: the program, the libraries, their headers, and a package that find_package(polar) finds.
include(CMakePackageConfigHelpers)

set(polar_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/polar)
install(EXPORT polarTargets NAMESPACE polar:: DESTINATION ${polar_package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/third_party/CMakeLists.txt DESTINATION ${polar_package_dir} RENAME polarDependencies.cmake)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/polar FILES_MATCHING PATTERN "*.h")
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/polarConfig.cmake.in ${PROJECT_BINARY_DIR}/polarConfig.cmake
                              INSTALL_DESTINATION ${polar_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/polarConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/polarConfig.cmake ${PROJECT_BINARY_DIR}/polarConfigVersion.cmake
        DESTINATION ${polar_package_dir})
