// SPDX-License-Identifier: BSL-1.0
#include "reactor/poller.hpp"
#include "reactor/uring.hpp"
#include "reactor/wake_channel.hpp"

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <vector>

namespace coir::detail {

namespace {

// Younger than liburing 2.3. Linux 6.6.
constexpr unsigned cancel_by_data_too = 1U << 4;  // IORING_ASYNC_CANCEL_USERDATA

constexpr unsigned standing_mask = POLLIN | POLLOUT | POLLRDHUP;

unsigned one_shot_mask(direction_set wanted) noexcept {
    return (wanted.read ? POLLIN | POLLPRI | POLLRDHUP : 0U) | (wanted.write ? POLLOUT : 0U);
}

// What a completion is about, in the 64 bits that the kernel hands back.
constexpr std::uint64_t of_nothing = 0;
constexpr std::uint64_t of_question = 2;
constexpr std::uint64_t of_wake_channel = 4;

// The serial number tells a request for a descriptor from the earlier ones. The lowest bit is
// unlike that of all others.
std::uint64_t of_watch(int descriptor, std::uint32_t serial) noexcept {
    return std::uint64_t{serial} << 32 | static_cast<std::uint32_t>(descriptor) << 1 | 1U;
}

// An operation's is its address, which is even and no small number.
std::uint64_t of_operation(const io_operation& operation) noexcept {
    return reinterpret_cast<std::uintptr_t>(&operation);
}
static_assert(alignof(io_operation) > 1);

// io_uring(7), for interest used as poll(2) is. Interest is a request, IORING_OP_POLL_ADD: for
// standing interest one that reports until it is taken back, else one that ends with its event.
// Requests are made without a system call, and go to the kernel with the next wait.
//
// The kernel takes the file that the number has at that moment, and a request keeps it open. So
// what is about to be closed is taken back at once, by a system call, and not with the next wait:
// the peer is to see the end when it comes.
class uring_poller final : public poller, private completion_port {
public:
    explicit uring_poller(watched_by watcher);
    ~uring_poller() override;

    const char* name() const noexcept override { return "io_uring"; }
    bool has_standing_interest() const noexcept override { return true; }
    int set_standing(poller_key key) noexcept override {
        return set(key, interest::standing, {true, true});
    }
    int set_one_shot(poller_key key, direction_set wanted) noexcept override;
    bool renew_standing(poller_key key) noexcept override {
        return renew(key, interest::standing, {true, true});
    }
    bool renew_one_shot(poller_key key, direction_set wanted) noexcept override {
        return renew(key, interest::one_shot, wanted);
    }
    void forget(int descriptor) noexcept override;
    std::size_t wait(deadline until, poller_event* events, std::size_t capacity) noexcept override;
    void submit() noexcept override { ring_.enter(deadline::immediately()); }
    int descriptor() const noexcept override { return ring_.descriptor(); }
    completion_port* completions() noexcept override { return this; }
    void wake() noexcept override { wake_.raise(); }

private:
    bool start(io_operation& operation) noexcept override;
    void ask_for_end(io_operation& operation) noexcept override;
    void ask_for_end_of_all(int descriptor) noexcept override;
    bool has_requests() const noexcept override { return ring_.has_requests(); }

    enum class interest : std::uint8_t { none, one_shot, standing };

    // The request for one descriptor.
    struct watch {
        std::uint32_t serial = 0;  // of the one that is under way, or else of the last one
        std::uint32_t generation = 0;
        interest kind = interest::none;
        direction_set wanted;
    };

    watch* watch_of(int descriptor) noexcept {
        const auto number = static_cast<std::size_t>(descriptor);
        return number < watches_.size() ? &watches_[number] : nullptr;
    }
    int set(poller_key key, interest kind, direction_set wanted) noexcept;
    bool renew(poller_key key, interest kind, direction_set wanted) noexcept;
    bool ask(int descriptor, watch& w, bool edges_only) noexcept;
    void ask_back(std::uint64_t data) noexcept;
    void take_back(int descriptor, watch& w) noexcept;
    int ask_for_file(int descriptor, const watch& w) noexcept;
    bool watch_wake_channel() noexcept;
    bool translate(const io_uring_cqe& completion, poller_event& event) noexcept;
    bool report(int descriptor, watch& w, const io_uring_cqe& completion,
                poller_event& event) noexcept;

    wake_channel wake_;  // never read: each raise() is an edge
    uring ring_;
    std::vector<watch> watches_;  // by descriptor
    std::size_t under_way_ = 0;   // requests that have not reported for the last time
    bool hears_wake_ups_ = false;
};

uring_poller::uring_poller(watched_by watcher) : ring_(watcher) {
    watch_wake_channel();
    submit();  // from here on descriptor() tells of wake-ups
}

// The kernel would end what is left some time after the ring has been closed, and keep the files of
// a program until then.
uring_poller::~uring_poller() {
    if (ring_.in_child_of_fork()) {
        return;
    }
    for (std::size_t number = 0; number < watches_.size(); ++number) {
        if (watches_[number].kind != interest::none) {
            ask_back(of_watch(static_cast<int>(number), watches_[number].serial));
        }
    }
    ask_back(of_wake_channel);
    const auto patience = deadline::after(std::chrono::seconds(1));
    submit();
    while (under_way_ != 0 && !patience.has_passed()) {
        while (const io_uring_cqe* const completion = ring_.next()) {
            under_way_ -= completion->user_data != of_nothing &&
                                  completion->user_data != of_question &&
                                  (completion->flags & IORING_CQE_F_MORE) == 0
                              ? 1
                              : 0;
            ring_.take();
        }
        ring_.enter(under_way_ != 0 ? patience : deadline::immediately());
    }
}

bool uring_poller::watch_wake_channel() noexcept {
    io_uring_sqe* const request = ring_.request();
    hears_wake_ups_ = request != nullptr;
    if (hears_wake_ups_) {
        io_uring_prep_poll_multishot(request, wake_.descriptor(), POLLIN);
        request->user_data = of_wake_channel;
        ++under_way_;
    }
    return hears_wake_ups_;
}

// Makes the request that `w` stands for. `edges_only`: what is the case already is not reported
// over and over.
bool uring_poller::ask(int descriptor, watch& w, bool edges_only) noexcept {
    io_uring_sqe* const request = ring_.request();
    if (request == nullptr) {
        w.kind = interest::none;
        return false;
    }
    const unsigned mask = w.kind == interest::standing ? standing_mask : one_shot_mask(w.wanted);
    if (edges_only) {
        io_uring_prep_poll_multishot(request, descriptor, mask);
    } else {
        io_uring_prep_poll_add(request, descriptor, mask);
    }
    request->user_data = of_watch(descriptor, ++w.serial);
    ++under_way_;
    return true;
}

// By IORING_OP_ASYNC_CANCEL. IORING_OP_POLL_REMOVE refuses, with EALREADY, what is about to report,
// and would leave it where it is to stand.
void uring_poller::ask_back(std::uint64_t data) noexcept {
    if (io_uring_sqe* const request = ring_.request()) {
        io_uring_prep_cancel64(request, data, 0);
        request->user_data = of_nothing;
    }
}

// Returns when the kernel has let go of the file. What the request had to say before that is of no
// interest any more.
void uring_poller::take_back(int descriptor, watch& w) noexcept {
    ask_back(of_watch(descriptor, w.serial));
    submit();
    ++w.serial;
    w.kind = interest::none;
}

int uring_poller::set(poller_key key, interest kind, direction_set wanted) noexcept {
    try {
        if (const auto number = static_cast<std::size_t>(key.descriptor);
            number >= watches_.size()) {
            watches_.resize(std::max(number + 1, 2 * watches_.size()));
        }
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    watch& w = *watch_of(key.descriptor);
    if (w.kind != interest::none) {
        take_back(key.descriptor, w);
    }
    w.kind = kind;
    w.generation = key.generation;
    w.wanted = wanted;
    return ask(key.descriptor, w, kind == interest::standing) ? 0 : ENOMEM;
}

int uring_poller::set_one_shot(poller_key key, direction_set wanted) noexcept {
    if (wanted == direction_set{}) {
        forget(key.descriptor);
        return 0;
    }
    return set(key, interest::one_shot, wanted);
}

void uring_poller::forget(int descriptor) noexcept {
    if (watch* const w = watch_of(descriptor); w != nullptr && w->kind != interest::none) {
        take_back(descriptor, *w);
    }
}

// Cancels the request if it is about the file that the number has now, and says how that went, as
// errno does: ENOENT if there is no such request.
int uring_poller::ask_for_file(int descriptor, const watch& w) noexcept {
    io_uring_sqe* const request = ring_.request();
    if (request == nullptr) {
        return ENOMEM;
    }
    io_uring_prep_cancel_fd(request, descriptor, cancel_by_data_too);
    request->addr = of_watch(descriptor, w.serial);
    request->user_data = of_question;
    submit();
    int error = ENOMEM;  // the answer is not there: too much else is
    ring_.for_each([&](const io_uring_cqe& completion) {
        if (completion.user_data == of_question) {
            error = completion.res < 0 ? -completion.res : 0;
        }
    });
    return error;
}

// A request that has ended, or been told of none but its number, can't tell the number's file from
// an earlier one.
bool uring_poller::renew(poller_key key, interest kind, direction_set wanted) noexcept {
    watch* const w = watch_of(key.descriptor);
    if (w != nullptr && w->kind != interest::none) {
        const std::uint64_t data = of_watch(key.descriptor, w->serial);
        const int error = ask_for_file(key.descriptor, *w);
        bool has_ended = false;
        ring_.for_each([&](const io_uring_cqe& completion) {
            has_ended |=
                completion.user_data == data && (completion.flags & IORING_CQE_F_MORE) == 0;
        });
        if (!has_ended) {
            take_back(key.descriptor, *w);
            if (error == ENOENT || error == EBADF) {
                return false;
            }
        }
        w->kind = interest::none;
    }
    return set(key, kind, wanted) == 0;
}

// --- Operations --------------------------------------------------------------------------------

bool uring_poller::start(io_operation& operation) noexcept {
    io_uring_sqe* const request = ring_.request();
    if (request == nullptr) {
        return false;
    }
    const int fd = operation.descriptor;
    switch (operation.what) {
        case io_operation::call::receive:
            io_uring_prep_recv(request, fd, operation.data, operation.size, operation.flags);
            request->ioprio = operation.later ? IORING_RECVSEND_POLL_FIRST : 0;
            break;
        case io_operation::call::send:
            io_uring_prep_send(request, fd, operation.data, operation.size, operation.flags);
            break;
        case io_operation::call::accept:
            io_uring_prep_accept(request, fd, static_cast<sockaddr*>(operation.data),
                                 operation.address_size, operation.flags);
            break;
        case io_operation::call::connect:
            io_uring_prep_connect(request, fd, static_cast<const sockaddr*>(operation.data),
                                  static_cast<socklen_t>(operation.size));
            break;
    }
    request->user_data = of_operation(operation);
    operation.place = ring_.next_place() - 1;
    return true;
}

void uring_poller::ask_for_end(io_operation& operation) noexcept {
    io_uring_sqe* const unsent = ring_.still_here(operation.place);
    if (unsent == nullptr || unsent->user_data != of_operation(operation) ||
        operation.what == io_operation::call::send) {
        ask_back(of_operation(operation));
        return;
    }
    io_uring_prep_nop(unsent);
    unsent->user_data = of_nothing;
    operation.result = -ECANCELED;
    end(operation);
}

void uring_poller::ask_for_end_of_all(int descriptor) noexcept {
    if (io_uring_sqe* const request = ring_.request()) {
        io_uring_prep_cancel_fd(request, descriptor, IORING_ASYNC_CANCEL_ALL);
        request->user_data = of_nothing;
    }
    submit();
}

// --- What comes back ---------------------------------------------------------------------------

// What a request has reported. False: nothing that anybody wants to know.
bool uring_poller::report(int descriptor, watch& w, const io_uring_cqe& completion,
                          poller_event& event) noexcept {
    const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (completion.res == -EBADF) {
        w.kind = interest::none;
        event = {{descriptor, w.generation}, false, false, false, false, true};
        return true;
    }
    // If the kernel could not watch it, the next call may tell why.
    const auto mask =
        completion.res >= 0 ? static_cast<unsigned>(completion.res) : unsigned{POLLIN | POLLOUT};
    event = {{descriptor, w.generation}, (mask & (POLLIN | POLLPRI)) != 0,  (mask & POLLOUT) != 0,
             (mask & POLLRDHUP) != 0,    (mask & (POLLERR | POLLHUP)) != 0, false};
    if (w.kind == interest::standing) {
        if (!goes_on && !ask(descriptor, w, true)) {
            event.readable = event.writable = true;
        }
        return true;
    }
    // An end of input is reported to who has not asked for it, too, and stays.
    if (!w.wanted.read && !event.writable && !event.failed) {
        return !goes_on && !ask(descriptor, w, true);
    }
    if (goes_on) {
        take_back(descriptor, w);
    }
    w.kind = interest::none;
    return true;
}

// False: it is no event.
bool uring_poller::translate(const io_uring_cqe& completion, poller_event& event) noexcept {
    const std::uint64_t data = completion.user_data;
    if (data == of_nothing || data == of_question) {
        return false;
    }
    if (data > of_wake_channel && data % 2 == 0) {
        auto& operation = *reinterpret_cast<io_operation*>(static_cast<std::uintptr_t>(data));
        operation.result = completion.res;
        operation.more_to_read = (completion.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
        end(operation);
        return false;
    }
    const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    under_way_ -= goes_on ? 0 : 1;
    if (data == of_wake_channel) {
        hears_wake_ups_ = goes_on;
        return false;
    }
    const auto descriptor = static_cast<int>(static_cast<std::uint32_t>(data) >> 1);
    watch* const w = watch_of(descriptor);
    if (w == nullptr || w->kind == interest::none || data != of_watch(descriptor, w->serial)) {
        return false;  // of a request that was taken back
    }
    return report(descriptor, *w, completion, event);
}

std::size_t uring_poller::wait(deadline until, poller_event* events,
                               std::size_t capacity) noexcept {
    if (!hears_wake_ups_ && !watch_wake_channel()) {
        until = std::min(until, deadline::after(std::chrono::milliseconds(10)));
    }
    ring_.enter(until);
    std::size_t used = 0;
    while (used < capacity) {
        const io_uring_cqe* const next = ring_.next();
        if (next == nullptr) {
            break;
        }
        const io_uring_cqe completion = *next;  // what follows may need the place
        ring_.take();
        used += translate(completion, events[used]) ? 1 : 0;
    }
    return used;
}

}  // namespace

std::unique_ptr<poller> make_uring_poller(watched_by watcher) {
    return std::make_unique<uring_poller>(watcher);
}

}  // namespace coir::detail
