# SPDX-License-Identifier: BSL-1.0
# Where coir::hook cannot work, nobody should find out by calls that are not taken.

include(CheckCXXSourceCompiles)

if(NOT COIR_BUILD_HOOK)
    return()
endif()

# musl calls its own functions without asking the dynamic linker, and others have other names.
check_cxx_source_compiles("
    #include <features.h>
    #ifndef __GLIBC__
    #error
    #endif
    int main() {}" COIR_HAS_GLIBC)
if(NOT COIR_HAS_GLIBC)
    message(FATAL_ERROR
        "coir::hook takes the calls of glibc, and this libc is another. -DCOIR_BUILD_HOOK=OFF builds "
        "coir without it.")
endif()
if("${CMAKE_EXE_LINKER_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "(^| )-static(-pie)?( |$)")
    message(FATAL_ERROR
        "coir::hook puts itself before a libc that is linked dynamically; the linker's flags say "
        "${CMAKE_MATCH_0}. -DCOIR_BUILD_HOOK=OFF builds coir without it.")
endif()
