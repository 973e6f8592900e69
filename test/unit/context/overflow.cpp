// SPDX-License-Identifier: BSL-1.0
#include "context/overflow.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "child_process.hpp"
#include "context/page_size.hpp"
#include "fiber_on_pool.hpp"
#include "guard/print_guard_kind.hpp"

using coir::detail::guard_kind;
using coir::detail::overflow_description;
using coir::detail::overflow_reporter;
using coir::detail::stack_pool;

namespace {

coir::detail::stack running;
const char* running_name = nullptr;

bool describe(const void* address, overflow_description& out) noexcept {
    out.fiber_name = running_name;
    out.stack_size_bytes = running.reserved_size();
    return running.guard_contains(address);
}

// Not recursion at the end of a call, nor without an effect, so that no compiler makes a loop of
// it.
int recurse(int depth) {
    volatile char frame[200];
    frame[0] = static_cast<char>(depth);
    if (depth == 0)
        return 0;
    return recurse(depth - 1) + frame[0];
}

void overflow_a_fiber(const char* name, guard_kind kind = guard_kind::automatic) {
    stack_pool pool({kind});
    fiber_on_pool fiber(
        pool, [](fiber_on_pool&) { recurse(1000000); }, 65536);
    running = fiber.current_stack();
    running_name = name;
    fiber.resume();
}

// A fault that has nothing to do with any fiber's stack.
void fault_elsewhere() {
    void* const page =
        ::mmap(nullptr, coir::detail::page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 1;
}

constexpr const char* application = "application's handler\n";

void say(const char* text) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

using signal_action = struct sigaction;

void say_and_exit_with_info(int, siginfo_t* info, void*) {
    say(info->si_addr != nullptr ? application : "no address\n");
    ::_exit(0);
}
void say_and_exit_plain(int) {
    say(application);
    ::_exit(0);
}

signal_action chained_to;
void chain_to_the_one_before(int number, siginfo_t* info, void* context) {
    say(application);
    if ((chained_to.sa_flags & SA_SIGINFO) != 0) {
        chained_to.sa_sigaction(number, info, context);
    } else {
        ::signal(number, SIG_DFL);
    }
}

signal_action install_handler(void (*handler)(int, siginfo_t*, void*)) {
    signal_action action{}, before{};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(SIGSEGV, &action, &before);
    return before;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(overflow)

BOOST_DATA_TEST_CASE(an_overflow_is_reported_by_name_size_and_knob,
                     boost::unit_test::data::make({guard_kind::automatic, guard_kind::mprotect}),
                     kind) {
    const child_result child = run_in_child([&] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        overflow_a_fiber("resolver 7", kind);
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages ==
               "coir: fiber 'resolver 7' overflowed its stack of 65536 bytes; "
               "raise fiber_options::stack_size (or run_options::stack_size)\n");
}

BOOST_AUTO_TEST_CASE(a_fiber_without_a_name_is_reported_too) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        overflow_a_fiber(nullptr);
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages.find("coir: fiber (unnamed) overflowed") == 0u);
}

BOOST_AUTO_TEST_CASE(an_endless_name_is_cut_off) {
    const std::string name(5000, 'n');
    const child_result child = run_in_child([&] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        overflow_a_fiber(name.c_str());
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages.find("nnn' overflowed its stack of 65536 bytes; raise") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(another_fault_dies_by_its_signal_without_a_word) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        fault_elsewhere();
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages == "");
}

BOOST_AUTO_TEST_CASE(another_fault_reaches_the_handler_that_was_there_before) {
    const child_result child = run_in_child([] {
        install_handler(say_and_exit_with_info);
        const overflow_reporter reporter(describe);
        fault_elsewhere();
    });
    BOOST_TEST(child.exited());
    BOOST_TEST(child.messages == application);
}

BOOST_AUTO_TEST_CASE(an_overflow_is_reported_and_reaches_the_handler_that_was_there_before) {
    const child_result child = run_in_child([] {
        install_handler(say_and_exit_with_info);
        const overflow_reporter reporter(describe);
        overflow_a_fiber("deep");
    });
    BOOST_TEST(child.exited());
    BOOST_TEST(count(child.messages, "fiber 'deep' overflowed") == 1u);
    BOOST_TEST(count(child.messages, application) == 1u);
}

BOOST_AUTO_TEST_CASE(a_plain_handler_from_before_is_called) {
    const child_result child = run_in_child([] {
        ::signal(SIGSEGV, say_and_exit_plain);
        const overflow_reporter reporter(describe);
        fault_elsewhere();
    });
    BOOST_TEST(child.exited());
    BOOST_TEST(child.messages == application);
}

BOOST_AUTO_TEST_CASE(a_handler_for_one_fault_only_is_called_once) {
    const child_result child = run_in_child([] {
        signal_action action{};
        action.sa_handler = [](int) {
            say(application);
        };
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        ::sigaction(SIGSEGV, &action, nullptr);
        const overflow_reporter reporter(describe);
        fault_elsewhere();
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages == application);
}

BOOST_AUTO_TEST_CASE(an_ignored_fault_is_deadly_but_an_ignored_signal_is_not) {
    const child_result fault = run_in_child([] {
        ::signal(SIGSEGV, SIG_IGN);
        const overflow_reporter reporter(describe);
        fault_elsewhere();
    });
    BOOST_TEST(fault.died_by(SIGSEGV));
    const child_result sent = run_in_child([] {
        ::signal(SIGSEGV, SIG_IGN);
        const overflow_reporter reporter(describe);
        ::raise(SIGSEGV);
    });
    BOOST_TEST(sent.exited());
}

BOOST_AUTO_TEST_CASE(a_signal_that_was_sent_is_deadly_by_default) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        ::raise(SIGBUS);
    });
    BOOST_TEST(child.died_by(SIGBUS));
}

BOOST_AUTO_TEST_CASE(a_handler_installed_later_gets_the_fault_and_may_pass_it_on) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        const overflow_reporter reporter(describe);
        chained_to = install_handler(chain_to_the_one_before);
        overflow_a_fiber("deep");
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(count(child.messages, application) == 1u);
    BOOST_TEST(count(child.messages, "fiber 'deep' overflowed") == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_installed_later_is_left_in_place_and_may_still_pass_faults_on) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        {
            const overflow_reporter reporter(describe);
            chained_to = install_handler(chain_to_the_one_before);
        }
        fault_elsewhere();
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(child.messages == application);
}

BOOST_AUTO_TEST_CASE(a_second_installation_on_top_of_such_a_handler_does_not_go_round_in_circles) {
    const child_result child = run_in_child([] {
        use_default_fault_handlers();
        {
            const overflow_reporter reporter(describe);
            chained_to = install_handler(chain_to_the_one_before);
        }
        const overflow_reporter reporter(describe);
        overflow_a_fiber("deep");
    });
    BOOST_TEST(child.died_by(SIGSEGV));
    BOOST_TEST(count(child.messages, application) == 1u);
    BOOST_TEST(count(child.messages, "fiber 'deep' overflowed") == 1u);
}

BOOST_AUTO_TEST_CASE(the_last_reporter_restores_what_was_there) {
    signal_action before{}, during{}, after{};
    stack_t stack_before{}, stack_after{};
    ::sigaltstack(nullptr, &stack_before);
    ::sigaction(SIGSEGV, nullptr, &before);
    {
        const overflow_reporter first(describe);
        const overflow_reporter second(describe);
        ::sigaction(SIGSEGV, nullptr, &during);
    }
    ::sigaction(SIGSEGV, nullptr, &after);
    ::sigaltstack(nullptr, &stack_after);
    BOOST_TEST((during.sa_sigaction != before.sa_sigaction));
    BOOST_TEST((after.sa_sigaction == before.sa_sigaction));
    BOOST_TEST(stack_after.ss_flags == stack_before.ss_flags);
}

BOOST_AUTO_TEST_CASE(the_threads_own_signal_stack_is_used_if_it_has_one) {
    stack_t before{}, own{}, during{}, after{};
    ::sigaltstack(nullptr, &before);
    std::vector<char> memory(256 * 1024);
    own.ss_sp = memory.data();
    own.ss_size = memory.size();
    ::sigaltstack(&own, nullptr);
    {
        const overflow_reporter reporter(describe);
        ::sigaltstack(nullptr, &during);
    }
    ::sigaltstack(nullptr, &after);
    ::sigaltstack(&before, nullptr);
    BOOST_TEST(during.ss_sp == own.ss_sp);
    BOOST_TEST(after.ss_sp == own.ss_sp);
}

BOOST_AUTO_TEST_SUITE_END()
