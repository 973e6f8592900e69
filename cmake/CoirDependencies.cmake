# SPDX-License-Identifier: BSL-1.0
# What the library itself needs. coirConfig.cmake.in and CoirInstall.cmake name the same packages
# for the users of an installed coir.

set(COIR_BOOST_MINIMUM 1.70)

# Without this Boost would follow BUILD_SHARED_LIBS, which speaks of coir alone.
if(NOT DEFINED Boost_USE_STATIC_LIBS)
    set(Boost_USE_STATIC_LIBS OFF)
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost ${COIR_BOOST_MINIMUM} CONFIG REQUIRED COMPONENTS context)
find_package(spdlog CONFIG REQUIRED)
if(COIR_BUILD_TESTS)
    find_package(Boost ${COIR_BOOST_MINIMUM} CONFIG REQUIRED COMPONENTS unit_test_framework)
endif()

# liburing of version 2.3, the first that knows IORING_SETUP_DEFER_TASKRUN. It has no CMake package;
# an installed coir names it by its plain name.
set(COIR_HAS_IO_URING OFF)
if(COIR_VALGRIND)
    if(COIR_IO_URING AND NOT COIR_IO_URING STREQUAL "AUTO")
        message(FATAL_ERROR "COIR_VALGRIND and COIR_IO_URING exclude each other: "
            "Valgrind does not see what the kernel writes for io_uring")
    endif()
elseif(COIR_IO_URING AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    include(CheckCXXSourceCompiles)
    set(CMAKE_REQUIRED_LIBRARIES uring)
    check_cxx_source_compiles("
        #include <liburing.h>
        int main() {
            io_uring_params params{};
            io_uring ring{};
            params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
            return io_uring_queue_mmap(-1, &params, &ring);
        }" COIR_LIBURING_FOUND)
    unset(CMAKE_REQUIRED_LIBRARIES)
    if(COIR_LIBURING_FOUND)
        set(COIR_HAS_IO_URING ON)
        add_library(coir_liburing INTERFACE)
        target_link_libraries(coir_liburing INTERFACE uring)
    elseif(NOT COIR_IO_URING STREQUAL "AUTO")
        message(FATAL_ERROR "COIR_IO_URING is ${COIR_IO_URING}, but liburing 2.3 was not found")
    else()
        message(STATUS "liburing 2.3 was not found, so there is no reactor backend on io_uring")
    endif()
endif()
