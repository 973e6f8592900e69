// SPDX-License-Identifier: BSL-1.0
#include <coir/detail/interposition.hpp>

#include "base/libc_only.hpp"
#include "base/system_calls.hpp"
#include "core/scheduler.hpp"
#include "core/scope.hpp"

#include <type_traits>

namespace coir::detail {

namespace {

// Null on a plain thread, and while the scheduler works on the stack of a fiber that has stopped
// running: nothing can switch there.
fiber_control* fiber_of_the_code() noexcept {
    fiber_control* const fiber = scheduler::calling_fiber();
    return fiber != nullptr && fiber->place == fiber_place::running ? fiber : nullptr;
}

// Not where it goes on as a plain thread, in the child of a fork(2).
bool may_park(const fiber_control& fiber) noexcept {
    return fiber.passthroughs == 0 && !libc_only::now() && scheduler::current() != nullptr;
}

}  // namespace

void take_system_calls_from(void* (*look_up)(const char* name)) noexcept {
    const auto take = [look_up](auto& member, const char* name) {
        if (void* const found = look_up(name); found != nullptr) {
            member = reinterpret_cast<std::remove_reference_t<decltype(member)>>(found);
        }
    };
    // What the hook layer takes of the table; the rest has no other name than libc's.
    take(sys.read, "read");
    take(sys.write, "write");
    take(sys.readv, "readv");
    take(sys.writev, "writev");
    take(sys.recv, "recv");
    take(sys.recvfrom, "recvfrom");
    take(sys.recvmsg, "recvmsg");
    take(sys.send, "send");
    take(sys.sendto, "sendto");
    take(sys.sendmsg, "sendmsg");
    take(sys.connect, "connect");
    take(sys.accept4, "accept4");
    take(sys.close, "close");
    take(sys.dup2, "dup2");
    take(sys.fcntl, "fcntl");
    take(sys.flock, "flock");
    take(sys.lockf, "lockf");
    take(sys.poll, "poll");
    take(sys.ppoll, "ppoll");
    take(sys.nanosleep, "nanosleep");
    take(sys.clock_nanosleep, "clock_nanosleep");
    take(sys.sched_yield, "sched_yield");
    take(sys.waitpid, "waitpid");
    take(sys.waitid, "waitid");
    take(sys.system, "system");
    take(sys.popen, "popen");
    take(sys.pclose, "pclose");
    take(sys.getaddrinfo, "getaddrinfo");
    take(sys.getnameinfo, "getnameinfo");
#ifdef __linux__
    take(sys.dup3, "dup3");
    take(sys.epoll_wait, "epoll_wait");
    take(sys.sendfile, "sendfile");
    take(sys.splice, "splice");
    take(sys.preadv2, "preadv2");
    take(sys.pwritev2, "pwritev2");
    take(sys.wait4, "wait4");
#endif
}

bool calls_may_park() noexcept {
    if (const fiber_control* const fiber = fiber_of_the_code(); fiber != nullptr) {
        return may_park(*fiber);
    }
    return scheduler::current() == nullptr && !libc_only::now() && innermost_scope() != nullptr;
}

calling_fiber who_calls() noexcept {
    const fiber_control* const fiber = fiber_of_the_code();
    if (fiber == nullptr) {
        return {0, false};
    }
    return {fiber->id, may_park(*fiber)};
}

void call_before_parks(void (*fn)() noexcept) noexcept { scheduler::call_before_parks(fn); }

void call_for_carriers(void (*begin)(const scheduler&) noexcept,
                       void (*end)(const scheduler&) noexcept) noexcept {
    scheduler::call_for_carriers(begin, end);
}

carrier_progress progress_of(const scheduler& carrier) noexcept {
    return {carrier.turns(), carrier.inbox_asleep()};
}

const scheduler* calling_carrier() noexcept { return scheduler::current(); }

running_fiber who_runs() noexcept {
    const scheduler* const carrier = scheduler::current();
    const fiber_control* const fiber = fiber_of_the_code();
    if (carrier == nullptr || fiber == nullptr) {
        return {0, "", 0};
    }
    return {fiber->id, fiber->options.name.c_str(), carrier->turns()};
}

bool may_jump_to(const void* frame) noexcept {
    if (scheduler::current() == nullptr) {
        return true;
    }
    const fiber_control* const fiber = fiber_of_the_code();
    return fiber != nullptr && fiber->waiters.load(std::memory_order_relaxed) == 0 &&
           (!fiber->context.current_stack() || fiber->context.current_stack().contains(frame));
}

void begin_passthrough() noexcept {
    if (fiber_control* const fiber = scheduler::calling_fiber(); fiber != nullptr) {
        ++fiber->passthroughs;
    } else {
        begin_signal_handler();
    }
}

void end_passthrough() noexcept {
    if (fiber_control* const fiber = scheduler::calling_fiber(); fiber != nullptr) {
        --fiber->passthroughs;
    } else {
        end_signal_handler();
    }
}

void begin_signal_handler() noexcept { libc_only::begin(); }
void end_signal_handler() noexcept { libc_only::end(); }

}  // namespace coir::detail
