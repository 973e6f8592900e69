// SPDX-License-Identifier: BSL-1.0
#include "reactor/uring.hpp"

#include "base/sanitizers.hpp"
#include "base/system_calls.hpp"
#include "reactor/poll_timeout.hpp"

#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace coir::detail {

namespace {

constexpr unsigned requests = 512;
constexpr unsigned completions = 4096;  // more than those are kept by the kernel, at a cost

// io_uring_setup(2). The first set is the one that is meant: with DEFER_TASKRUN nothing happens to
// this thread before it asks, and then everything in one go; the kernel demands SINGLE_ISSUER for
// it. Linux has both since 6.1. But it wakes nobody who waits for the ring's descriptor elsewhere
// than in io_uring_enter(2); for those is COOP_TASKRUN, of 5.19, which at least spares interrupts.
constexpr unsigned always = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr unsigned sets_of_flags[] = {
    always | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SINGLE_ISSUER |
        IORING_SETUP_DEFER_TASKRUN,
    always | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_COOP_TASKRUN,
    always,
};

// Without them there is no waiting with a time limit in the same call, or completions get lost.
constexpr unsigned needed_features =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;

[[noreturn]] void fail(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

int set_up(io_uring_params& params, watched_by watcher) {
#ifdef COIR_THREAD_SANITIZER
    watcher = watched_by::another_loop;  // which ppoll(2) is: see lib/base/system_calls.cpp
#endif
    for (const unsigned flags : sets_of_flags) {
        if (watcher == watched_by::another_loop && (flags & IORING_SETUP_DEFER_TASKRUN) != 0) {
            continue;
        }
        params = {};
        params.flags = flags;
        params.cq_entries = completions;
        const int fd = sys.io_uring_setup(requests, &params);
        if (fd >= 0) {
            return fd;
        }
        if (errno != EINVAL) {
            break;
        }
    }
    return -1;
}

std::size_t whole_pages(std::size_t bytes) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

}  // namespace

uring::uring(watched_by watcher) : process_(::getpid()) {
    io_uring_params params{};
    descriptor_ = own_descriptor(set_up(params, watcher));
    if (!descriptor_) {
        fail(errno, "coir: io_uring_setup (limits: ulimit -n, ulimit -l)");
    }
    if ((params.features & needed_features) != needed_features) {
        fail(ENOSYS, "coir: io_uring_setup (Linux 5.11 is needed)");
    }
    if (const int error = io_uring_queue_mmap(descriptor_.get(), &params, &ring_); error != 0) {
        fail(-error, "coir: the rings of io_uring cannot be mapped");
    }
    ring_.features = params.features;
    for (unsigned i = 0; i < ring_.sq.ring_entries; ++i) {
        ring_.sq.array[i] = i;
    }
}

uring::~uring() {
    // By coir's own calls, which ThreadSanitizer sees, and in whole pages, or it would remember who
    // wrote to the rest. One mapping has both rings: see needed_features.
    sys.munmap(ring_.sq.sqes, whole_pages(ring_.sq.ring_entries * sizeof(io_uring_sqe)));
    sys.munmap(ring_.sq.ring_ptr, whole_pages(ring_.sq.ring_sz));
}

bool uring::in_child_of_fork() const noexcept { return ::getpid() != process_; }

io_uring_sqe* uring::request() noexcept {
    io_uring_sqe* place = io_uring_get_sqe(&ring_);
    if (place == nullptr) {
        const int saved = errno;
        while (enter_kernel(0, 0, nullptr, 0) < 0 && errno == EINTR) {
        }
        errno = saved;
        place = io_uring_get_sqe(&ring_);
    }
    return place;
}

io_uring_sqe* uring::still_here(unsigned place) noexcept {
    const unsigned from_the_end = ring_.sq.sqe_tail - place;
    return from_the_end <= io_uring_sq_ready(&ring_) ? &ring_.sq.sqes[place & ring_.sq.ring_mask]
                                                     : nullptr;
}

// One call of io_uring_enter(2), which also takes the requests that have accumulated.
int uring::enter_kernel(unsigned least, unsigned flags, void* argument, std::size_t size) noexcept {
    // Release: with the entries that the new tail makes the kernel's.
    std::atomic_ref(*ring_.sq.ktail).store(ring_.sq.sqe_tail, std::memory_order_release);
    return sys.io_uring_enter(descriptor_.get(), io_uring_sq_ready(&ring_), least, flags, argument,
                              size);
}

// Whether the kernel has anything to do but wait: the ring's flags say so without a call.
bool uring::wants_to_enter() const noexcept {
    return io_uring_sq_ready(&ring_) != 0 ||
           (std::atomic_ref(*ring_.sq.kflags).load(std::memory_order_relaxed) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

void uring::enter(deadline until) noexcept {
    const bool look_only = until == deadline::immediately() || io_uring_cq_ready(&ring_) != 0;
    if (look_only && !wants_to_enter()) {
        return;
    }
    const int saved = errno;
    if (look_only) {
        enter_kernel(0, IORING_ENTER_GETEVENTS, nullptr, 0);
    } else {
        const poll_timeout timeout(until);
        __kernel_timespec limit{};
        io_uring_getevents_arg argument{};
        argument.sigmask_sz = _NSIG / 8;
        if (const timespec* const left = timeout.as_timespec()) {
            limit = {left->tv_sec, left->tv_nsec};
            argument.ts = reinterpret_cast<std::uintptr_t>(&limit);
        }
        enter_kernel(1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
    }
    errno = saved;
}

const io_uring_cqe* uring::next() noexcept {
    const unsigned head = *ring_.cq.khead;  // written by nobody else
    // Acquire: with what the kernel wrote before it moved its tail.
    if (head == std::atomic_ref(*ring_.cq.ktail).load(std::memory_order_acquire)) {
        return nullptr;
    }
    return &ring_.cq.cqes[head & ring_.cq.ring_mask];
}

}  // namespace coir::detail
