// SPDX-License-Identifier: BSL-1.0
#include "base/system_calls.hpp"
#include "reactor/poll_timeout.hpp"
#include "reactor/poller.hpp"
#include "reactor/wake_channel.hpp"

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <new>
#include <vector>

namespace coir::detail {

namespace {

// poll(2): the reference backend. All interest is one-shot, and the array that the kernel reads is
// kept from call to call; an entry leaves it when its event is reported. A call looks at every
// descriptor, so what it has found and there was no room for is reported by the next wait(), with
// no call.
class poll_poller final : public poller {
public:
    poll_poller() { add({wake_.descriptor(), 0}, POLLIN); }

    const char* name() const noexcept override { return "poll"; }
    bool has_standing_interest() const noexcept override { return false; }
    int set_standing(poller_key) noexcept override { return EPERM; }
    int set_one_shot(poller_key key, direction_set wanted) noexcept override;
    bool renew_standing(poller_key) noexcept override { return false; }
    bool renew_one_shot(poller_key key, direction_set wanted) noexcept override {
        return set_one_shot(key, wanted) == 0;
    }
    void forget(int descriptor) noexcept override { remove(descriptor); }
    std::size_t wait(deadline until, poller_event* events, std::size_t capacity) noexcept override;
    void wake() noexcept override { wake_.raise(); }

private:
    static constexpr std::size_t wake_slot = 0;
    static constexpr std::size_t no_slot = 0;  // of a descriptor; the first slot is never one's

    std::size_t slot_of(int descriptor) const noexcept {
        const auto number = static_cast<std::size_t>(descriptor);
        return number < slot_of_.size() ? slot_of_[number] : no_slot;
    }
    void add(poller_key key, short events);
    void remove(int descriptor) noexcept;
    int ask_kernel(deadline until) noexcept;
    std::size_t report(poller_event* events, std::size_t capacity) const noexcept;

    wake_channel wake_;
    std::vector<pollfd> polled_;             // the wake channel, then those somebody waits for
    std::vector<std::uint32_t> generation_;  // beside polled_
    std::vector<std::size_t> slot_of_;       // by descriptor: its place in polled_
    int found_ = 0;  // how many slots have events that are still to be reported
};

void poll_poller::add(poller_key key, short events) {
    const auto number = static_cast<std::size_t>(key.descriptor);
    if (number >= slot_of_.size()) {
        slot_of_.resize(std::max(number + 1, 2 * slot_of_.size()), no_slot);
    }
    generation_.reserve(polled_.size() + 1);  // so that the second push_back cannot fail
    polled_.push_back({key.descriptor, events, 0});
    generation_.push_back(key.generation);
    slot_of_[number] = polled_.size() - 1;
}

void poll_poller::remove(int descriptor) noexcept {
    const std::size_t slot = slot_of(descriptor);
    if (slot == no_slot) {
        return;
    }
    if (polled_[slot].revents != 0) {
        --found_;
    }
    polled_[slot] = polled_.back();
    generation_[slot] = generation_.back();
    slot_of_[static_cast<std::size_t>(polled_[slot].fd)] = slot;
    slot_of_[static_cast<std::size_t>(descriptor)] = no_slot;
    polled_.pop_back();
    generation_.pop_back();
}

int poll_poller::set_one_shot(poller_key key, direction_set wanted) noexcept {
    if (wanted == direction_set{}) {
        remove(key.descriptor);
        return 0;
    }
    const auto events =
        static_cast<short>((wanted.read ? POLLIN | POLLPRI : 0) | (wanted.write ? POLLOUT : 0));
    if (const std::size_t slot = slot_of(key.descriptor); slot != no_slot) {
        polled_[slot].events = events;
        generation_[slot] = key.generation;
        return 0;
    }
    try {
        add(key, events);
        return 0;
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
}

// From the front: what is asked for again goes to the back, so descriptors that are always ready do
// not keep the others out, though there are more of them than there is room.
std::size_t poll_poller::report(poller_event* events, std::size_t capacity) const noexcept {
    std::size_t used = 0;
    int left = found_;
    for (std::size_t slot = wake_slot + 1; slot < polled_.size() && left > 0 && used < capacity;
         ++slot) {
        const pollfd& one = polled_[slot];
        if (one.revents == 0) {
            continue;
        }
        --left;
        events[used++] = {{one.fd, generation_[slot]},
                          (one.revents & (POLLIN | POLLPRI)) != 0,
                          (one.revents & POLLOUT) != 0,
                          false,
                          (one.revents & (POLLERR | POLLHUP)) != 0,
                          (one.revents & POLLNVAL) != 0};
    }
    return used;
}

// @returns how many descriptors have events, the wake channel apart.
int poll_poller::ask_kernel(deadline until) noexcept {
    const int saved = errno;
    const poll_timeout timeout(until);
    int found = sys.ppoll(polled_.data(), polled_.size(), timeout.as_timespec(), nullptr);
    errno = saved;
    if (found > 0 && polled_[wake_slot].revents != 0) {
        wake_.clear();
        --found;
    }
    return std::max(found, 0);
}

std::size_t poll_poller::wait(deadline until, poller_event* events, std::size_t capacity) noexcept {
    if (found_ == 0) {
        found_ = ask_kernel(until);
    }
    const std::size_t used = report(events, capacity);
    for (std::size_t i = 0; i < used; ++i) {
        remove(events[i].key.descriptor);
    }
    return used;
}

}  // namespace

std::unique_ptr<poller> make_poll_poller() { return std::make_unique<poll_poller>(); }

}  // namespace coir::detail
