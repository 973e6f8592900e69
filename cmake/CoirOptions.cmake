# SPDX-License-Identifier: BSL-1.0
# Everything that a user may choose at configure time.

option(BUILD_SHARED_LIBS "Build coir as a shared library" OFF)
option(COIR_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(COIR_BUILD_STRESS "Build the stress programs, and run each for a moment with the tests" ON)
option(COIR_BUILD_SAMPLES "Build the samples" ${PROJECT_IS_TOP_LEVEL})
option(COIR_BUILD_HOOK "Build coir::hook, which takes libc's blocking calls (needs glibc)" ON)
option(COIR_BUILD_BENCHMARKS "Build the benchmarks (needs Google Benchmark)" OFF)
option(COIR_BUILD_TOOLS "Build coir-hook-audit and coir-run, where what they need is installed" ${PROJECT_IS_TOP_LEVEL})
option(COIR_BUILD_DOCS "Add the target 'doc' (needs Doxygen)" OFF)
option(COIR_INSTALL "Add the install rules" ${PROJECT_IS_TOP_LEVEL})
option(COIR_WERROR "Treat compiler warnings as errors" OFF)
option(COIR_VALGRIND "Tell Valgrind about fiber stacks, and run the tests under it" OFF)

set(COIR_IO_URING AUTO CACHE STRING
    "Build the reactor backend on io_uring, which needs liburing 2.3: ON, OFF, or AUTO, if that is there")
set_property(CACHE COIR_IO_URING PROPERTY STRINGS AUTO ON OFF)

set(COIR_SANITIZE "" CACHE STRING
    "Sanitizer to build with: empty, 'address' (with undefined behaviour) or 'thread'")
set_property(CACHE COIR_SANITIZE PROPERTY STRINGS "" address thread)
if(NOT COIR_SANITIZE MATCHES "^(|address|thread)$")
    message(FATAL_ERROR
        "COIR_SANITIZE is '${COIR_SANITIZE}'; it must be empty, 'address' or 'thread'")
endif()

if(COIR_VALGRIND AND COIR_SANITIZE)
    message(FATAL_ERROR "COIR_VALGRIND and COIR_SANITIZE exclude each other: choose one")
endif()

# A build type is chosen only for ourselves: a project that adds coir as a folder decides for both.
get_property(coir_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(PROJECT_IS_TOP_LEVEL AND NOT coir_multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
