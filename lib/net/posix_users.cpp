// SPDX-License-Identifier: BSL-1.0
// getpwnam, getpwnam_r and their like: libc's own, on a thread of the blocking pool.
#include <coir/posix.hpp>

#include "net/posix_call.hpp"
#include "net/posix_entry.hpp"

#include <string>

namespace coir::detail {

namespace {

auto user_by_name(const char* name) {
    return [copy = std::string(name)](passwd* e, char* b, std::size_t s, passwd** r, int*) {
        return ::getpwnam_r(copy.c_str(), e, b, s, r);
    };
}

auto user_by_number(uid_t user) {
    return [user](passwd* e, char* b, std::size_t s, passwd** r, int*) {
        return ::getpwuid_r(user, e, b, s, r);
    };
}

auto group_by_name(const char* name) {
    return [copy = std::string(name)](group* e, char* b, std::size_t s, group** r, int*) {
        return ::getgrnam_r(copy.c_str(), e, b, s, r);
    };
}

auto group_by_number(gid_t number) {
    return [number](group* e, char* b, std::size_t s, group** r, int*) {
        return ::getgrgid_r(number, e, b, s, r);
    };
}

template <class Prepare>
passwd* latest_user(Prepare prepare) noexcept {
    static thread_local found_entry<passwd> latest;
    return latest_entry(latest, prepare);
}

template <class Prepare>
group* latest_group(Prepare prepare) noexcept {
    static thread_local found_entry<group> latest;
    return latest_entry(latest, prepare);
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;

passwd* getpwnam(const char* name) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwnam(name);
    }
    return detail::latest_user([name] { return detail::user_by_name(name); });
}

passwd* getpwuid(uid_t user) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwuid(user);
    }
    return detail::latest_user([user] { return detail::user_by_number(user); });
}

group* getgrnam(const char* name) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrnam(name);
    }
    return detail::latest_group([name] { return detail::group_by_name(name); });
}

group* getgrgid(gid_t number) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrgid(number);
    }
    return detail::latest_group([number] { return detail::group_by_number(number); });
}

int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
               passwd** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwnam_r(name, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [name] { return detail::user_by_name(name); });
}

int getpwuid_r(uid_t user, passwd* entry, char* buffer, std::size_t size,
               passwd** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getpwuid_r(user, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [user] { return detail::user_by_number(user); });
}

int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size,
               group** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrnam_r(name, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [name] { return detail::group_by_name(name); });
}

int getgrgid_r(gid_t number, group* entry, char* buffer, std::size_t size,
               group** result) noexcept {
    if (posix_call::is_for_libc()) {
        return ::getgrgid_r(number, entry, buffer, size, result);
    }
    return detail::look_up_into(entry, buffer, size, result,
                                [number] { return detail::group_by_number(number); });
}

}  // namespace coir::posix
