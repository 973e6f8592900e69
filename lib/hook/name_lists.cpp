// SPDX-License-Identifier: BSL-1.0
// The rest of the name service that programs use: users and groups one after the other, the groups
// of a user, shadow passwords, protocols. libc's own, on a thread of the blocking pool.
#include "hook/interpose.hpp"
#include "net/posix_entry.hpp"
#include "net/posix_offload.hpp"

#include <coir/cancellation.hpp>

#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <shadow.h>
#include <cerrno>
#include <string>

using namespace coir::hook::detail;
using coir::detail::found_entry;
using coir::detail::latest_entry;
using coir::detail::look_up_into;

namespace {

// One for each thread and kind of entry, as with getpwnam().
template <class Entry, class Prepare>
Entry* latest(Prepare prepare) noexcept {
    static thread_local found_entry<Entry> entry;
    return latest_entry(entry, prepare);
}

// The place in a list is the process's, and a caller that is cancelled has had its turn. Some
// services have the descriptor, or the lock, in use until then; so what begins and ends a list
// waits as well, and is made whatever is cancelled.
template <class Call>
void make_in_any_case(Call call) noexcept {
    int nothing = 0;
    coir::detail::offload_release(nothing, [call] {
        call();
        return 0;
    });
}

// For what must not be told of as failed, nor be left behind.
template <class Call>
int make_to_its_end(Call call) noexcept {
    int result = -1;
    int error = 0;
    int not_made = 0;
    coir::shield([&] {
        not_made = coir::detail::offload_and_await([&] {
            result = call();
            error = errno;
        });
    });
    if (not_made != 0) {
        return call();  // there is neither a thread nor memory
    }
    if (result < 0) {
        errno = error;
    }
    return result;
}

#define COIR_NEXT(name, entry)                                         \
    [] {                                                               \
        return [](entry* e, char* b, std::size_t s, entry** r, int*) { \
            return COIR_ORIGINAL(name)(e, b, s, r);                    \
        };                                                             \
    }

auto shadow_by_name(const char* name) {
    return [copy = std::string(name)](spwd* e, char* b, std::size_t s, spwd** r, int*) {
        return COIR_ORIGINAL(getspnam_r)(copy.c_str(), e, b, s, r);
    };
}

auto protocol_by_name(const char* name) {
    return [copy = std::string(name)](protoent* e, char* b, std::size_t s, protoent** r, int*) {
        return COIR_ORIGINAL(getprotobyname_r)(copy.c_str(), e, b, s, r);
    };
}

auto protocol_by_number(int number) {
    return [number](protoent* e, char* b, std::size_t s, protoent** r, int*) {
        return COIR_ORIGINAL(getprotobynumber_r)(number, e, b, s, r);
    };
}

}  // namespace

// Lists.

COIR_HOOK passwd* getpwent() {
    return takes_call() ? latest<passwd>(COIR_NEXT(getpwent_r, passwd)) : COIR_ORIGINAL(getpwent)();
}

COIR_HOOK int getpwent_r(passwd* entry, char* buffer, std::size_t size, passwd** result) {
    return takes_call() ? look_up_into(entry, buffer, size, result, COIR_NEXT(getpwent_r, passwd))
                        : COIR_ORIGINAL(getpwent_r)(entry, buffer, size, result);
}

COIR_HOOK group* getgrent() {
    return takes_call() ? latest<group>(COIR_NEXT(getgrent_r, group)) : COIR_ORIGINAL(getgrent)();
}

COIR_HOOK int getgrent_r(group* entry, char* buffer, std::size_t size, group** result) {
    return takes_call() ? look_up_into(entry, buffer, size, result, COIR_NEXT(getgrent_r, group))
                        : COIR_ORIGINAL(getgrent_r)(entry, buffer, size, result);
}

COIR_HOOK spwd* getspent() {
    return takes_call() ? latest<spwd>(COIR_NEXT(getspent_r, spwd)) : COIR_ORIGINAL(getspent)();
}

COIR_HOOK int getspent_r(spwd* entry, char* buffer, std::size_t size, spwd** result) {
    return takes_call() ? look_up_into(entry, buffer, size, result, COIR_NEXT(getspent_r, spwd))
                        : COIR_ORIGINAL(getspent_r)(entry, buffer, size, result);
}

#define COIR_BEGIN_OR_END(name)                              \
    COIR_HOOK void name() {                                  \
        if (takes_call()) {                                  \
            make_in_any_case([] { COIR_ORIGINAL(name)(); }); \
        } else {                                             \
            COIR_ORIGINAL(name)();                           \
        }                                                    \
    }

COIR_BEGIN_OR_END(setpwent)
COIR_BEGIN_OR_END(endpwent)
COIR_BEGIN_OR_END(setgrent)
COIR_BEGIN_OR_END(endgrent)
COIR_BEGIN_OR_END(setspent)
COIR_BEGIN_OR_END(endspent)

// A user's groups.

COIR_HOOK int getgrouplist(const char* user, gid_t first, gid_t* groups, int* count) {
    const auto call = [=] {
        return COIR_ORIGINAL(getgrouplist)(user, first, groups, count);
    };
    return takes_call() ? make_to_its_end(call) : call();
}

COIR_HOOK int initgroups(const char* user, gid_t first) {
    const auto call = [=] {
        return COIR_ORIGINAL(initgroups)(user, first);
    };
    return takes_call() ? make_to_its_end(call) : call();
}

// Shadow passwords.

COIR_HOOK spwd* getspnam(const char* name) {
    return takes_call() ? latest<spwd>([=] { return shadow_by_name(name); })
                        : COIR_ORIGINAL(getspnam)(name);
}

COIR_HOOK int getspnam_r(const char* name, spwd* entry, char* buffer, std::size_t size,
                         spwd** result) {
    return takes_call()
               ? look_up_into(entry, buffer, size, result, [=] { return shadow_by_name(name); })
               : COIR_ORIGINAL(getspnam_r)(name, entry, buffer, size, result);
}

// Protocols.

COIR_HOOK protoent* getprotobyname(const char* name) {
    return takes_call() ? latest<protoent>([=] { return protocol_by_name(name); })
                        : COIR_ORIGINAL(getprotobyname)(name);
}

COIR_HOOK protoent* getprotobynumber(int number) {
    return takes_call() ? latest<protoent>([=] { return protocol_by_number(number); })
                        : COIR_ORIGINAL(getprotobynumber)(number);
}

COIR_HOOK int getprotobyname_r(const char* name, protoent* entry, char* buffer, std::size_t size,
                               protoent** result) {
    return takes_call()
               ? look_up_into(entry, buffer, size, result, [=] { return protocol_by_name(name); })
               : COIR_ORIGINAL(getprotobyname_r)(name, entry, buffer, size, result);
}

COIR_HOOK int getprotobynumber_r(int number, protoent* entry, char* buffer, std::size_t size,
                                 protoent** result) {
    return takes_call() ? look_up_into(entry, buffer, size, result,
                                       [=] { return protocol_by_number(number); })
                        : COIR_ORIGINAL(getprotobynumber_r)(number, entry, buffer, size, result);
}
