# SPDX-License-Identifier: BSL-1.0
# How tests are built and registered. Every test has a label, a time limit, and the exit code 77
# for "skipped: something that it needs is missing", which it then names.

set(COIR_BACKENDS poll epoll io_uring)
set(COIR_TEST_SKIP_CODE 77)

# A limit is there to end a hang, not to measure; sanitizers and Valgrind slow everything down.
# COIR_TEST_LAUNCHER is what a test program runs under.
set(COIR_TEST_TIMEOUT 120)
set(COIR_TEST_LAUNCHER)
if(COIR_SANITIZE)
    set(COIR_TEST_TIMEOUT 300)
endif()
if(COIR_SANITIZE STREQUAL "thread")
    # ThreadSanitizer of GCC 12 and Clang 14 does not start where the kernel randomises addresses by
    # more than 28 bits, as newer ones do.
    execute_process(COMMAND setarch --addr-no-randomize true
        RESULT_VARIABLE coir_setarch_failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT coir_setarch_failed)
        set(COIR_TEST_LAUNCHER setarch --addr-no-randomize)
    endif()

    # The cases of each program that measure what ThreadSanitizer changes; they are left out under
    # it.
    #
    # Its sigaction shows its own flags and mask, its signal another handler than its sigaction; it
    # restores errno after a handler, and no handler interrupts another one.
    set(COIR_LEFT_OUT_OF_hook_signals
        handlers_of_signals/a_program_is_shown_what_it_has_asked_for
        handlers_of_signals/the_older_functions_give_what_libc_gives
        handlers_of_signals/a_handler_that_changes_errno_has_changed_it
        handlers_of_signals/a_handler_is_interrupted_by_its_own_signal_as_its_flags_say
        handlers_of_signals/a_jump_inside_a_handler_does_not_leave_it)
endif()
if(COIR_VALGRIND)
    find_program(COIR_VALGRIND_COMMAND valgrind REQUIRED)
    set(COIR_TEST_TIMEOUT 900)
    set(COIR_TEST_LAUNCHER "${COIR_VALGRIND_COMMAND}" --quiet --error-exitcode=99
        --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
        "--suppressions=${PROJECT_SOURCE_DIR}/test/valgrind.supp"
        --fair-sched=yes
        --soname-synonyms=somalloc=nouserintercepts)  # some tests count calls of operator new

    # The cases of each program that measure what Valgrind changes; they are left out under it.
    #
    # A mapping that Valgrind refuses fails with EINVAL, where Linux would have said ENOMEM.
    set(COIR_LEFT_OUT_OF_unit_runtime
        blocking_calls/a_thread_that_cannot_be_started_is_an_error_that_names_the_limits)
    # Valgrind sees to RLIMIT_NOFILE itself: it lets the kernel accept, closes what is one too many,
    # and says EMFILE. To Linux the connection would still be in the queue.
    set(COIR_LEFT_OUT_OF_integration_net_accept_limits
        accept_limits/accept_at_the_limit_fails_by_name_and_works_again_below_it
        accept_limits/a_server_at_the_limit_pauses_says_so_once_and_goes_on)
    # In one of seven runs Valgrind 3.19 takes a part of a live frame for none, after a signal that
    # came in the midst of it was handled. Only where fibers and another thread take turns, and no
    # sanitizer has anything to say there.
    set(COIR_LEFT_OUT_OF_integration_embed
        events_that_signal_handlers_set/handlers_come_in_the_midst_of_running_fibers)
    # Valgrind has uses of its own for SIGSEGV, which a tracer sees; and SIG_IGN for SIGCHLD is not
    # told to the kernel, whose wait finds a child none the less.
    set(COIR_LEFT_OUT_OF_integration_posix
        posix_wait_child/a_tracer_is_told_of_stops
        posix_wait_child/children_that_nobody_wants_to_know_of_are_awaited_in_vain)
endif()

# Boost.Test's own signal handlers would hide a crash from the sanitizers and from the tests of
# coir's stack overflow report.
set(COIR_BOOST_TEST_ARGUMENTS --catch_system_errors=no --color_output=no)

# coir_test_command(<variable> <target>)
#
# Sets <variable> to the command that runs a program of coir_add_test_program.
function(coir_test_command variable target)
    set(command ${COIR_TEST_LAUNCHER} $<TARGET_FILE:${target}> ${COIR_BOOST_TEST_ARGUMENTS})
    foreach(test_case IN LISTS COIR_LEFT_OUT_OF_${target})
        list(APPEND command "--run_test=!${test_case}")
    endforeach()
    set(${variable} ${command} PARENT_SCOPE)
endfunction()

# coir_register_test(<name> LABELS <label>... COMMAND <program> <argument>...
#                    [BACKENDS] [TIMEOUT <seconds>] [COST <seconds>] [RESOURCE_LOCK <name>...]
#                    [ENVIRONMENT <NAME=value>...])
#
# With BACKENDS the test is registered once for each reactor backend, as <name>.<backend>. COST is
# how long it takes, for tests that take long: on a machine that has not run them yet, the longest
# begin first.
function(coir_register_test name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG
        "BACKENDS" "TIMEOUT;COST" "LABELS;COMMAND;RESOURCE_LOCK;ENVIRONMENT")
    if(NOT ARG_LABELS OR NOT ARG_COMMAND)
        message(FATAL_ERROR "coir_register_test(${name}): LABELS and COMMAND are required")
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT ${COIR_TEST_TIMEOUT})
    endif()
    set(variants any)
    if(ARG_BACKENDS)
        set(variants ${COIR_BACKENDS})
    endif()
    foreach(variant IN LISTS variants)
        set(test_name ${name})
        set(environment ${ARG_ENVIRONMENT})
        if(NOT variant STREQUAL "any")
            string(APPEND test_name ".${variant}")
            list(APPEND environment "COIR_REACTOR=${variant}")
        endif()
        add_test(NAME ${test_name} COMMAND ${ARG_COMMAND})
        set_tests_properties(${test_name} PROPERTIES
            LABELS "${ARG_LABELS}"
            TIMEOUT ${ARG_TIMEOUT}
            SKIP_RETURN_CODE ${COIR_TEST_SKIP_CODE}
            ENVIRONMENT "${environment}"
            RESOURCE_LOCK "${ARG_RESOURCE_LOCK}")
        if(ARG_COST)
            set_tests_properties(${test_name} PROPERTIES COST ${ARG_COST})
        endif()
    endforeach()
endfunction()

# coir_add_test_main()
#
# Adds the main() of every program of Boost.Test cases.
function(coir_add_test_main)
    add_library(coir_test_main OBJECT "${PROJECT_SOURCE_DIR}/test/unit_test_main.cpp")
    target_compile_features(coir_test_main PUBLIC cxx_std_20)
    target_compile_definitions(coir_test_main PUBLIC
        $<$<BOOL:${COIR_HAS_IO_URING}>:COIR_HAS_IO_URING>)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # GCC 12 warns of overlapping copies inside std::string's operator+ (its bug 105651), which
        # Boost.Test's data cases use, and only when optimising.
        target_compile_options(coir_test_main PUBLIC -Wno-restrict)
    endif()
    target_link_libraries(coir_test_main PUBLIC coir_settings Boost::unit_test_framework)
    set_target_properties(coir_test_main PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# coir_add_test_program(<target> SOURCES <file>... LINK <target>...)
#
# Adds a program of Boost.Test cases.
function(coir_add_test_program target)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINK")
    if(NOT ARG_SOURCES)
        message(FATAL_ERROR "coir_add_test_program(${target}): SOURCES is empty")
    endif()
    add_executable(${target} ${ARG_SOURCES})
    target_include_directories(${target} PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/lib" "${PROJECT_SOURCE_DIR}/test")
    target_link_libraries(${target} PRIVATE coir_test_main ${ARG_LINK})
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# coir_add_test_support(SOURCES <file>...)
#
# Adds what the tests of several layers share, from test/support.
function(coir_add_test_support)
    cmake_parse_arguments(PARSE_ARGV 0 ARG "" "" "SOURCES")
    add_library(coir_test_support STATIC ${ARG_SOURCES})
    target_compile_features(coir_test_support PRIVATE cxx_std_20)
    target_include_directories(coir_test_support PRIVATE
        "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/lib" "${PROJECT_SOURCE_DIR}/test")
    target_link_libraries(coir_test_support
        PRIVATE coir_settings
        PUBLIC Boost::unit_test_framework)
    set_target_properties(coir_test_support PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# coir_add_unit_test(<layer> SOURCES <file>... [BACKENDS] [LINK <target>...])
#
# Adds the program unit_<layer> and the test unit.<layer>. It sees the internals of its layer and of
# the layers below, and has test/support from the layer core on, which is what that stands on.
function(coir_add_unit_test layer)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "BACKENDS" "" "SOURCES;LINK")
    if(NOT TARGET coir_${layer})
        message(FATAL_ERROR "coir_add_unit_test: there is no layer '${layer}'")
    endif()
    coir_add_test_program(unit_${layer} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK})
    if(TARGET coir_test_support AND (layer STREQUAL "core" OR "core" IN_LIST COIR_BELOW_${layer}))
        target_link_libraries(unit_${layer} PRIVATE coir_test_support)
    endif()
    coir_link_layers(unit_${layer} ${layer} ${COIR_BELOW_${layer}})
    set(backends)
    if(ARG_BACKENDS)
        set(backends BACKENDS)
    endif()
    coir_test_command(command unit_${layer})
    coir_register_test(unit.${layer} ${backends} LABELS unit COMMAND ${command})
endfunction()

# coir_add_integration_test(<name> SOURCES <file>... [LABELS <label>...] [NO_BACKENDS] [LINK <target>...]
#                           [TIMEOUT <seconds>] [RESOURCE_LOCK <name>...] [ENVIRONMENT <NAME=value>...])
#
# Adds the program integration_<name> and the test integration.<name>, once for each reactor backend
# unless NO_BACKENDS is given. It links every layer with its internals. LABELS adds to 'integration'.
function(coir_add_integration_test name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG
        "NO_BACKENDS" "TIMEOUT" "SOURCES;LABELS;LINK;RESOURCE_LOCK;ENVIRONMENT")
    coir_add_test_program(integration_${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK})
    if(TARGET coir_test_support)
        target_link_libraries(integration_${name} PRIVATE coir_test_support)
    endif()
    coir_link_layers(integration_${name} ${COIR_LAYERS})
    set(backends BACKENDS)
    if(ARG_NO_BACKENDS)
        set(backends)
    endif()
    coir_test_command(command integration_${name})
    coir_register_test(integration.${name} ${backends}
        LABELS integration ${ARG_LABELS}
        TIMEOUT ${ARG_TIMEOUT}
        RESOURCE_LOCK ${ARG_RESOURCE_LOCK}
        ENVIRONMENT ${ARG_ENVIRONMENT}
        COMMAND ${command})
endfunction()

# coir_add_hook_test(<name> SOURCES <file>... [NO_BACKENDS] [LINK <target>...] [TIMEOUT <seconds>]
#                    [RESOURCE_LOCK <name>...] [ENVIRONMENT <NAME=value>...])
#
# Adds the program hook_<name> and the test hook.<name>, once for each reactor backend unless
# NO_BACKENDS is given. libc's blocking calls are taken in it.
function(coir_add_hook_test name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG
        "NO_BACKENDS" "TIMEOUT" "SOURCES;LINK;RESOURCE_LOCK;ENVIRONMENT")
    coir_add_test_program(hook_${name} SOURCES ${ARG_SOURCES} LINK ${ARG_LINK})
    target_link_libraries(hook_${name} PRIVATE coir_test_support)
    target_compile_options(hook_${name} PRIVATE -U_FORTIFY_SOURCE)
    coir_link_layers(hook_${name} ${COIR_LAYERS} hook)
    set(backends BACKENDS)
    if(ARG_NO_BACKENDS)
        set(backends)
    endif()
    coir_test_command(command hook_${name})
    coir_register_test(hook.${name} ${backends}
        LABELS hook
        TIMEOUT ${ARG_TIMEOUT}
        RESOURCE_LOCK ${ARG_RESOURCE_LOCK}
        ENVIRONMENT ${ARG_ENVIRONMENT}
        COMMAND ${command})
endfunction()
