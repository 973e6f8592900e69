// SPDX-License-Identifier: BSL-1.0
// gethostbyname and its like: libc's own, on a thread of the blocking pool.
#include <coir/posix.hpp>

#ifdef __linux__

#include "net/posix_call.hpp"
#include "net/posix_entry.hpp"

#include <string>

namespace coir::detail {

namespace {

auto host_by_name(const char* name, int family) {
    return [copy = std::string(name), family](hostent* entry, char* buffer, std::size_t size,
                                              hostent** result, int* host_error) {
        return ::gethostbyname2_r(copy.c_str(), family, entry, buffer, size, result, host_error);
    };
}

// gethostbyname asks for what `_res.options` says, and is not the same as one of the families.
auto host_by_name(const char* name) {
    return [copy = std::string(name)](hostent* entry, char* buffer, std::size_t size,
                                      hostent** result, int* host_error) {
        return ::gethostbyname_r(copy.c_str(), entry, buffer, size, result, host_error);
    };
}

auto host_by_address(const void* address, socklen_t length, int family) {
    return [copy = std::string(static_cast<const char*>(address), length), family](
               hostent* entry, char* buffer, std::size_t size, hostent** result, int* host_error) {
        return ::gethostbyaddr_r(copy.data(), static_cast<socklen_t>(copy.size()), family, entry,
                                 buffer, size, result, host_error);
    };
}

template <class Prepare>
hostent* latest_host(Prepare prepare) noexcept {
    static thread_local found_entry<hostent> latest;
    posix_call call;
    if (const int error = look_up_latest(latest, prepare); error != 0) {
        h_errno = NETDB_INTERNAL;
        errno = error;
        return nullptr;
    }
    if (latest.found) {
        call.end(0, true);
        return &latest.entry;
    }
    h_errno = latest.host_error;
    errno = latest.error;
    call.end(latest.host_error == NETDB_INTERNAL ? -1 : 0, true);
    return nullptr;
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;

hostent* gethostbyname(const char* name) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyname(name);
    }
    return detail::latest_host([name] { return detail::host_by_name(name); });
}

hostent* gethostbyname2(const char* name, int family) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyname2(name, family);
    }
    return detail::latest_host([=] { return detail::host_by_name(name, family); });
}

hostent* gethostbyaddr(const void* address, socklen_t length, int family) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyaddr(address, length, family);
    }
    return detail::latest_host([=] { return detail::host_by_address(address, length, family); });
}

int gethostbyname_r(const char* name, hostent* entry, char* buffer, std::size_t size,
                    hostent** result, int* host_error) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyname_r(name, entry, buffer, size, result, host_error);
    }
    return detail::look_up_into(entry, buffer, size, result, host_error,
                                [name] { return detail::host_by_name(name); });
}

int gethostbyname2_r(const char* name, int family, hostent* entry, char* buffer, std::size_t size,
                     hostent** result, int* host_error) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyname2_r(name, family, entry, buffer, size, result, host_error);
    }
    return detail::look_up_into(entry, buffer, size, result, host_error,
                                [=] { return detail::host_by_name(name, family); });
}

int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry, char* buffer,
                    std::size_t size, hostent** result, int* host_error) noexcept {
    if (posix_call::is_for_libc()) {
        return ::gethostbyaddr_r(address, length, family, entry, buffer, size, result, host_error);
    }
    return detail::look_up_into(entry, buffer, size, result, host_error,
                                [=] { return detail::host_by_address(address, length, family); });
}

}  // namespace coir::posix

#endif
