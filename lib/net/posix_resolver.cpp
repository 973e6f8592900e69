// SPDX-License-Identifier: BSL-1.0
// res_query and its like: libc's own, on a thread of the blocking pool. What the caller's thread
// has chosen in its `_res` counts.
#include <coir/posix.hpp>

#ifdef __linux__

#include "net/posix_call.hpp"
#include "net/posix_offload.hpp"

#include <netinet/in.h>
// The order is that of resolver(3).
#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace coir::detail {

namespace {

using resolver_state = struct __res_state;  // there is a function of that name, too

// What a program may choose in its `_res`.
class resolver_settings {
public:
    // The calling thread's; of a thread that has not used its own there are none.
    resolver_settings() noexcept : chosen_(_res), any_((_res.options & RES_INIT) != 0) {}

    void apply_to(resolver_state& state) const noexcept {
        if (!any_) {
            return;
        }
        state.retrans = chosen_.retrans;
        state.retry = chosen_.retry;
        state.options = chosen_.options;
        state.nscount = chosen_.nscount;
        std::copy(std::begin(chosen_.nsaddr_list), std::end(chosen_.nsaddr_list),
                  state.nsaddr_list);
        state.ndots = chosen_.ndots;
    }

private:
    const resolver_state chosen_;  // but for the pointers, which are the thread's
    const bool any_;
};

// A state of the resolver for one call.
class resolver {
public:
    explicit resolver(const resolver_settings& chosen) noexcept {
        usable_ = ::res_ninit(&state_) == 0;
        if (usable_) {
            chosen.apply_to(state_);
        }
    }
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    ~resolver() {
        if (usable_) {
            ::res_nclose(&state_);
        }
    }

    bool usable() const noexcept { return usable_; }
    resolver_state* state() noexcept { return &state_; }

private:
    resolver_state state_{};
    bool usable_;
};

struct resolver_outcome {
    int size = -1;
    int error = 0;
    int host_error = NETDB_INTERNAL;
    std::vector<unsigned char> answer;
};

// Makes ask(state, answer, capacity), which `prepare` returns, with a state of its own.
template <class Prepare>
int ask_resolver(unsigned char* answer, int capacity, Prepare prepare) noexcept {
    posix_call call;
    if (!call.begin()) {
        h_errno = NETDB_INTERNAL;
        return -1;
    }
    resolver_outcome found;
    const int error = offload(found, [&] {
        std::vector<unsigned char> before(answer, answer + std::max(capacity, 0));
        return [ask = prepare(), before = std::move(before), capacity,
                chosen = resolver_settings()]() mutable {
            resolver_outcome outcome;
            outcome.answer = std::move(before);
            resolver with(chosen);
            if (with.usable()) {
                outcome.size = ask(with.state(), outcome.answer.data(), capacity);
                outcome.host_error = h_errno;
            }
            outcome.error = errno;
            return outcome;
        };
    });
    h_errno = found.host_error;
    if (error != 0) {
        errno = error;
        return call.end(-1, true);
    }
    if (!found.answer.empty()) {
        std::memcpy(answer, found.answer.data(), found.answer.size());
    }
    errno = found.error;
    return call.end(found.size, true);
}

// The same with a state of the caller's, who therefore waits to the end.
template <class Ask>
int ask_resolver_with(Ask ask) noexcept {
    posix_call call;
    if (!call.begin()) {
        h_errno = NETDB_INTERNAL;
        return -1;
    }
    resolver_outcome found;
    const int error = offload_and_await([&] {
        found.size = ask();
        found.error = errno;
        found.host_error = h_errno;
    });
    h_errno = found.host_error;
    errno = error != 0 ? error : found.error;
    return call.end(found.size, true);
}

auto query(const char* name, int net, int type) {
    return [copy = std::string(name), net, type](resolver_state* state, unsigned char* answer,
                                                 int capacity) {
        return ::res_nquery(state, copy.c_str(), net, type, answer, capacity);
    };
}

auto search(const char* name, int net, int type) {
    return [copy = std::string(name), net, type](resolver_state* state, unsigned char* answer,
                                                 int capacity) {
        return ::res_nsearch(state, copy.c_str(), net, type, answer, capacity);
    };
}

auto send(const unsigned char* message, int size) {
    return [copy = std::vector<unsigned char>(message, message + std::max(size, 0))](
               resolver_state* state, unsigned char* answer, int capacity) {
        return ::res_nsend(state, copy.data(), static_cast<int>(copy.size()), answer, capacity);
    };
}

// The thread's own, which other fibers of it may use meanwhile.
bool is_threads_own(const resolver_state* state) noexcept { return state == &_res; }

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;

int res_query(const char* name, int net, int type, unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_query(name, net, type, answer, capacity);
    }
    return detail::ask_resolver(answer, capacity, [=] { return detail::query(name, net, type); });
}

int res_search(const char* name, int net, int type, unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_search(name, net, type, answer, capacity);
    }
    return detail::ask_resolver(answer, capacity, [=] { return detail::search(name, net, type); });
}

int res_send(const unsigned char* message, int size, unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_send(message, size, answer, capacity);
    }
    return detail::ask_resolver(answer, capacity, [=] { return detail::send(message, size); });
}

int res_nquery(struct __res_state* state, const char* name, int net, int type,
               unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_nquery(state, name, net, type, answer, capacity);
    }
    if (detail::is_threads_own(state)) {
        return posix::res_query(name, net, type, answer, capacity);
    }
    return detail::ask_resolver_with(
        [=] { return ::res_nquery(state, name, net, type, answer, capacity); });
}

int res_nsearch(struct __res_state* state, const char* name, int net, int type,
                unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_nsearch(state, name, net, type, answer, capacity);
    }
    if (detail::is_threads_own(state)) {
        return posix::res_search(name, net, type, answer, capacity);
    }
    return detail::ask_resolver_with(
        [=] { return ::res_nsearch(state, name, net, type, answer, capacity); });
}

int res_nsend(struct __res_state* state, const unsigned char* message, int size,
              unsigned char* answer, int capacity) noexcept {
    if (posix_call::is_for_libc()) {
        return ::res_nsend(state, message, size, answer, capacity);
    }
    if (detail::is_threads_own(state)) {
        return posix::res_send(message, size, answer, capacity);
    }
    return detail::ask_resolver_with(
        [=] { return ::res_nsend(state, message, size, answer, capacity); });
}

}  // namespace coir::posix

#endif
