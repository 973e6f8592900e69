# SPDX-License-Identifier: BSL-1.0
# How our own code is compiled. Users of coir::coir inherit none of it.

include(CheckCXXCompilerFlag)

set(COIR_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual)

add_library(coir_settings INTERFACE)
target_compile_options(coir_settings INTERFACE
    ${COIR_WARNINGS} $<$<BOOL:${COIR_WERROR}>:-Werror>)

# A fiber's stack ends in a guard of one page. A frame that is larger than a page could step over it
# without touching it; this option makes the compiler touch every page of a large frame in turn.
check_cxx_compiler_flag("-Werror -fstack-clash-protection" COIR_HAS_STACK_CLASH_PROTECTION)
if(COIR_HAS_STACK_CLASH_PROTECTION)
    target_compile_options(coir_settings INTERFACE -fstack-clash-protection)
endif()

# Assertions are on where somebody looks for mistakes, off where somebody looks for speed.
if(COIR_SANITIZE OR COIR_VALGRIND)
    target_compile_definitions(coir_settings INTERFACE COIR_ASSERTIONS=1)
else()
    target_compile_definitions(coir_settings INTERFACE COIR_ASSERTIONS=$<CONFIG:Debug>)
endif()

if(COIR_VALGRIND)
    target_compile_definitions(coir_settings INTERFACE COIR_VALGRIND=1)
endif()

# Sanitizers change the ABI of the standard library's containers, so the whole tree gets them.
if(COIR_SANITIZE STREQUAL "address")
    set(coir_sanitizer_flags -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(COIR_SANITIZE STREQUAL "thread")
    set(coir_sanitizer_flags -fsanitize=thread)
endif()
if(COIR_SANITIZE)
    add_compile_options(${coir_sanitizer_flags} -fno-omit-frame-pointer)
    add_link_options(${coir_sanitizer_flags})
endif()
