// SPDX-License-Identifier: BSL-1.0
// getservbyname and its like: libc's own, on a thread of the blocking pool.
#include <coir/posix.hpp>

#ifdef __linux__

#include "net/posix_call.hpp"
#include "net/posix_entry.hpp"

#include <string>

namespace coir::detail {

namespace {

auto service_by_name(const char* name, const char* protocol) {
    return [n = std::string(name), p = copy_of(protocol)](
               servent* entry, char* buffer, std::size_t size, servent** result, int*) {
        return ::getservbyname_r(n.c_str(), pointer_to(p), entry, buffer, size, result);
    };
}

auto service_by_port(int port, const char* protocol) {
    return [port, p = copy_of(protocol)](servent* entry, char* buffer, std::size_t size,
                                         servent** result, int*) {
        return ::getservbyport_r(port, pointer_to(p), entry, buffer, size, result);
    };
}

template <class Prepare>
servent* latest_service(Prepare prepare) noexcept {
    static thread_local found_entry<servent> latest;
    posix_call call;
    if (const int error = look_up_latest(latest, prepare); error != 0) {
        errno = error;
        return nullptr;
    }
    call.end(0, true);
    return latest.found ? &latest.entry : nullptr;
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;

servent* getservbyname(const char* name, const char* protocol) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getservbyname(name, protocol);
    }
    return detail::latest_service([=] { return detail::service_by_name(name, protocol); });
}

servent* getservbyport(int port, const char* protocol) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getservbyport(port, protocol);
    }
    return detail::latest_service([=] { return detail::service_by_port(port, protocol); });
}

int getservbyname_r(const char* name, const char* protocol, servent* entry, char* buffer,
                    std::size_t size, servent** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getservbyname_r(name, protocol, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [=] { return detail::service_by_name(name, protocol); });
}

int getservbyport_r(int port, const char* protocol, servent* entry, char* buffer, std::size_t size,
                    servent** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getservbyport_r(port, protocol, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [=] { return detail::service_by_port(port, protocol); });
}

}  // namespace coir::posix

#endif
