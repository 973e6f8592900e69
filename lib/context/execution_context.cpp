// SPDX-License-Identifier: BSL-1.0
#include "context/execution_context.hpp"

#include <cstdint>
#include <new>

namespace coir::detail {
namespace {

// What a stack starts with: kept in its top line, which the first frames touch anyway, rather than
// in the context, which is part of every fiber's control block.
struct start_record {
    execution_context::entry_function entry;
    void* argument;
    const thread_globals* globals;
};

start_record* start_record_of(const stack& s) noexcept {
    return reinterpret_cast<start_record*>(static_cast<char*>(s.top) - sizeof(start_record));
}

}  // namespace

void execution_context::prepare(const stack& s, entry_function entry, void* argument,
                                const thread_globals& globals) noexcept {
    COIR_ASSERT(!stack_ && s, "an execution context is prepared twice, or without a stack");
    stack_ = s;
    sanitizer_.attach(s);
    valgrind_.attach(s);
    start_record* const record = new (start_record_of(s)) start_record{entry, argument, &globals};
    resume_point_ =
        boost::context::detail::make_fcontext(record, s.size - sizeof(start_record), &start);
}

// The first frame on every stack: the second half of a switch_to that this context never began, and
// a first half that nobody will end. The last jump is made here, and not where its target is
// chosen, so that every call on this stack has returned: see jump().
void execution_context::start(boost::context::detail::transfer_t from) noexcept {
    auto& previous = *static_cast<execution_context*>(from.data);
    execution_context& self = *previous.next_;
    self.sanitizer_.arrive_from(previous.sanitizer_);
    previous.resume_point_ = from.fctx;
    const start_record record = *start_record_of(self.stack_);
    record.globals->clear();
    execution_context& last = record.entry(record.argument);
    last.sanitizer_.leave_for_good(last.next_->sanitizer_);
    jump(last.next_->resume_point_, &last);
    COIR_PANIC("an execution context that had ended was resumed");
}

execution_context& execution_context::end_with(
    execution_context& next, [[maybe_unused]] const thread_globals& globals) noexcept {
    COIR_ASSERT(&next != this && next.resume_point_ != nullptr,
                "the next execution context is not suspended");
    COIR_ASSERT(globals.exceptions->caught_exceptions == nullptr &&
                    globals.exceptions->uncaught_exceptions == 0,
                "an execution context ends in the middle of an exception");
    next_ = &next;
    return *this;
}

void execution_context::adopt(execution_context& ended) noexcept {
    COIR_ASSERT(!stack_, "an execution context that has a stack adopts another");
    stack_ = std::exchange(ended.stack_, {});
    sanitizer_ = std::exchange(ended.sanitizer_, {});
    valgrind_ = std::exchange(ended.valgrind_, {});
    ended.resume_point_ = nullptr;
}

stack execution_context::take_stack() noexcept {
    COIR_ASSERT(stack_, "an execution context has no stack to take");
    sanitizer_.detach(stack_);
    valgrind_.detach();
    resume_point_ = nullptr;
    return std::exchange(stack_, {});
}

}  // namespace coir::detail
