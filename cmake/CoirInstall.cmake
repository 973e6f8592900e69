# SPDX-License-Identifier: BSL-1.0
# The installed coir: headers, library, coirConfig.cmake and coir.pc. All of it may be moved to
# another folder after the installation.

if(NOT COIR_INSTALL)
    return()
endif()

include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/coir" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.hpp")
install(TARGETS coir EXPORT coirTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")

if(COIR_BUILD_HOOK)
    install(TARGETS coir_hook_shared EXPORT coirTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    if(TARGET coir_hook_archive)
        install(TARGETS coir_hook_archive EXPORT coirTargets
            ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    endif()
endif()

set(coir_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/coir")
install(EXPORT coirTargets NAMESPACE coir:: DESTINATION "${coir_cmake_dir}")
configure_package_config_file(cmake/coirConfig.cmake.in
    "${PROJECT_BINARY_DIR}/coirConfig.cmake"
    INSTALL_DESTINATION "${coir_cmake_dir}"
    NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 every minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/coirConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/coirConfig.cmake"
    "${PROJECT_BINARY_DIR}/coirConfigVersion.cmake"
    DESTINATION "${coir_cmake_dir}")

# A shared library knows what it needs. Who links the static one has to name it, which is what
# `pkg-config --static` adds.
set(coir_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(BUILD_SHARED_LIBS)
    set(coir_pc_requires_private "")
    set(coir_pc_libs_private "")
else()
    set(coir_pc_requires_private "spdlog")
    set(coir_pc_libs_private "-lboost_context")
    if(COIR_HAS_IO_URING)
        string(APPEND coir_pc_libs_private " -luring")
    endif()
endif()
file(RELATIVE_PATH coir_pc_to_prefix
    "${CMAKE_INSTALL_PREFIX}/${coir_pc_dir}" "${CMAKE_INSTALL_PREFIX}")
configure_file(cmake/coir.pc.in "${PROJECT_BINARY_DIR}/coir.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/coir.pc" DESTINATION "${coir_pc_dir}")

# The hook library must be linked whole, though nobody calls it by name.
if(COIR_BUILD_HOOK)
    if(BUILD_SHARED_LIBS)
        set(coir_hook_pc_libs "-Wl,--no-as-needed -lcoir-hook -Wl,--as-needed")
    else()
        set(coir_hook_pc_libs
            "-Wl,--whole-archive \${libdir}/libcoir-hook.a -Wl,--no-whole-archive -ldl")
    endif()
    configure_file(cmake/coir-hook.pc.in "${PROJECT_BINARY_DIR}/coir-hook.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/coir-hook.pc" DESTINATION "${coir_pc_dir}")
endif()
