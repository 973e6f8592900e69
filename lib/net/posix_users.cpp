// SPDX-License-Identifier: BSL-1.0
// getpwnam_r and its like: libc's own, on a thread of the blocking pool.
#include <coir/posix.hpp>

#include "net/posix_call.hpp"
#include "net/posix_entry.hpp"

#include <string>

namespace coir::posix {

using detail::posix_call;

int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
               passwd** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwnam_r(name, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result, [name] {
        return [copy = std::string(name)](passwd* e, char* b, std::size_t s, passwd** r, int*) {
            return ::getpwnam_r(copy.c_str(), e, b, s, r);
        };
    });
}

int getpwuid_r(uid_t user, passwd* entry, char* buffer, std::size_t size,
               passwd** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwuid_r(user, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result, [user] {
        return [user](passwd* e, char* b, std::size_t s, passwd** r, int*) {
            return ::getpwuid_r(user, e, b, s, r);
        };
    });
}

int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size,
               group** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrnam_r(name, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result, [name] {
        return [copy = std::string(name)](group* e, char* b, std::size_t s, group** r, int*) {
            return ::getgrnam_r(copy.c_str(), e, b, s, r);
        };
    });
}

int getgrgid_r(gid_t number, group* entry, char* buffer, std::size_t size,
               group** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrgid_r(number, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result, [number] {
        return [number](group* e, char* b, std::size_t s, group** r, int*) {
            return ::getgrgid_r(number, e, b, s, r);
        };
    });
}

}  // namespace coir::posix
