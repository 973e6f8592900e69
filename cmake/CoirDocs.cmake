# SPDX-License-Identifier: BSL-1.0
# The target 'doc' builds the API docs.

find_package(Doxygen REQUIRED)
add_custom_target(doc
    COMMAND "${PROJECT_SOURCE_DIR}/tools/check_docs" "${PROJECT_BINARY_DIR}/doc"
    COMMENT "Building the API docs"
    VERBATIM)
