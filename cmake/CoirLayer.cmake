# SPDX-License-Identifier: BSL-1.0
# The layers of the library, lowest first, and what each one stands on. A unit test links its own
# layer and these and nothing else, so a call that goes up the house does not link.
# tools/layers.toml says the same of includes, in more detail.

set(COIR_LAYERS base context time core reactor runtime sync embed io net)
# The layers that are libraries of their own: no part of coir, and on top of all of it.
set(COIR_OPTIONAL_LAYERS hook)

set(COIR_BELOW_base)
set(COIR_BELOW_context base)
set(COIR_BELOW_time base)
set(COIR_BELOW_core base context time)
set(COIR_BELOW_reactor base context time core)
set(COIR_BELOW_runtime base context time core reactor)
set(COIR_BELOW_sync base context time core)
set(COIR_BELOW_embed base context time core reactor runtime sync)
set(COIR_BELOW_io base context time core reactor runtime sync)
set(COIR_BELOW_net base context time core reactor runtime sync io)
set(COIR_BELOW_hook ${COIR_LAYERS})

# coir_add_layer(<layer> SOURCES <file>... [LINK <target>...])
#
# Adds the object library coir_<layer>. LINK names what the layer needs from outside.
function(coir_add_layer layer)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINK")
    if(NOT layer IN_LIST COIR_LAYERS AND NOT layer IN_LIST COIR_OPTIONAL_LAYERS)
        message(FATAL_ERROR "coir_add_layer: unknown layer '${layer}' "
            "(known: ${COIR_LAYERS} ${COIR_OPTIONAL_LAYERS})")
    endif()
    if(NOT ARG_SOURCES)
        message(FATAL_ERROR "coir_add_layer(${layer}): SOURCES is empty")
    endif()
    add_library(coir_${layer} OBJECT ${ARG_SOURCES})
    target_include_directories(coir_${layer} PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/lib")
    target_compile_features(coir_${layer} PRIVATE cxx_std_20)
    target_link_libraries(coir_${layer} PRIVATE
        coir_settings Boost::headers Threads::Threads ${ARG_LINK})
    set_target_properties(coir_${layer} PROPERTIES
        POSITION_INDEPENDENT_CODE ON
        CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# coir_link_layers(<target> <layer>...)
#
# Links the layers' objects, and what they need from outside, into a program of our own.
function(coir_link_layers target)
    foreach(layer IN LISTS ARGN)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:coir_${layer}>)
    endforeach()
    target_link_libraries(${target} PRIVATE
        Boost::headers Boost::context spdlog::spdlog Threads::Threads
        $<TARGET_NAME_IF_EXISTS:coir_liburing>)
endfunction()
