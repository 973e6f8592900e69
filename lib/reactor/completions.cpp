// SPDX-License-Identifier: BSL-1.0
#include "reactor/completions.hpp"

#include "base/sanitizers.hpp"
#include "base/system_calls.hpp"
#include "core/scheduler.hpp"
#include "core/waiter.hpp"
#include "reactor/descriptor_records.hpp"
#include "reactor/reactor.hpp"

#include <cerrno>

namespace coir::detail {

namespace {

wait_label label_of(const io_operation& operation) noexcept {
    return {
        operation.which() == direction::read ? "reading from descriptor" : "writing to descriptor",
        operation.descriptor, true};
}

#ifdef COIR_THREAD_SANITIZER
// ThreadSanitizer takes a socket for what orders the threads that use it, if it sees the calls.
// These do nothing else, and it sees them.
void before(const io_operation& operation) noexcept {
    if (operation.what == io_operation::call::send) {
        const int saved = errno;
        sys.send(operation.descriptor, nullptr, 0, MSG_NOSIGNAL | MSG_DONTWAIT);
        errno = saved;
    }
}
void after(const io_operation& operation) noexcept {
    if (operation.what == io_operation::call::receive) {
        const int saved = errno;
        sys.read(operation.descriptor, nullptr, 0);
        errno = saved;
    }
}
#else
void before(const io_operation&) noexcept {}
void after(const io_operation&) noexcept {}
#endif

// Parks the calling fiber until the operation is over, or something disturbs it.
wait_status await(io_operation& operation, cancellable cancel) noexcept {
    waiter w(false);
    operation.who = &w;
    const wait_status status = park(w, deadline::never(), label_of(operation), cancel);
    operation.who = nullptr;
    return status;
}

}  // namespace

void completion_port::end(io_operation& operation) noexcept {
    ++ends_;
    operation.over = true;
    operation.disturb();
}

void io_operation::disturb() noexcept {
    if (who != nullptr && who->claim(wait_status::notified)) {
        who->deliver();
    }
}

bool reactor::in_company() const noexcept {
    return scheduler::current()->anyone_ready() || completions_->has_requests();
}

io_result reactor::perform(io_operation& operation) noexcept {
    interest_entry* const entry = entry_at(operation.descriptor);
    if (entry == nullptr) {
        return {wait_status::notified, ENOMEM};
    }
    // As begin_wait(), for a file of our own.
    const std::uint32_t life =
        descriptor_record::of(operation.descriptor).begin_wait(registration_.number());
    if (entry->life != life) {
        forget_life(*entry, operation.descriptor, life);
    }
    const std::uint32_t generation = entry->generation;
    before(operation);
    if (!completions_->start(operation)) {
        return {wait_status::notified, ENOMEM};
    }
    entry->operation_for(operation.which()) = &operation;
    ++waits_;
    const wait_status status = await(operation, cancellable::yes);
    if (!operation.over) {
        completions_->ask_for_end(operation);
    }
    if (!operation.over) {
        await(operation, cancellable::no);
    }
    --waits_;
    if (entry->operation_for(operation.which()) == &operation) {
        entry->operation_for(operation.which()) = nullptr;
    }
    after(operation);
    // The end of a stream is there the next time, too.
    const bool found_the_end = operation.what == io_operation::call::receive &&
                               operation.result == 0 && operation.size != 0;
    if (operation.result != -ECANCELED && !(found_the_end && status == wait_status::cancelled)) {
        return {wait_status::notified, 0};
    }
    return entry->generation != generation ? io_result{wait_status::notified, EBADF}
                                           : io_result{status, 0};
}

void reactor::submit_operations(int descriptor) noexcept {
    if (interest_entry* const entry = table_.find(descriptor);
        entry != nullptr && entry->operations != std::array<io_operation*, 2>{}) {
        submit();
    }
}

bool reactor::completes(const io_operation& operation) const noexcept {
    if (completions_ == nullptr) {
        return false;
    }
    interest_entry* const entry = table_.find(operation.descriptor);
    return entry == nullptr || entry->operation_for(operation.which()) == nullptr;
}

bool io_completes() noexcept {
    const reactor* const here = reactor::current();
    return here != nullptr && here->completes();
}

bool io_completes(const io_operation& operation) noexcept {
    const reactor* const here = reactor::current();
#ifdef COIR_THREAD_SANITIZER
    // It knows descriptors by the calls that make them.
    if (operation.what == io_operation::call::accept ||
        operation.what == io_operation::call::connect) {
        return false;
    }
#endif
    return here != nullptr && here->completes(operation);
}

void io_submit(int descriptor) noexcept {
    if (reactor* const here = reactor::current()) {
        here->submit_operations(descriptor);
    }
}

bool io_in_company() noexcept { return reactor::current()->in_company(); }

io_result io_perform(io_operation& operation) noexcept {
    return reactor::current()->perform(operation);
}

}  // namespace coir::detail
