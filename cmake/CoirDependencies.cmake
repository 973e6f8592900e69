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
