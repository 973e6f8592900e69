// SPDX-License-Identifier: BSL-1.0
// A name service that takes its time, for the tests: libnss_coirslow.so.2, which libc calls for a
// database that is set to "coirslow". It knows whatever it is asked for, and takes as long as the
// name says: "after-500-ms".
#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

void take_time(const char* name) noexcept {
    unsigned milliseconds = 200;
    std::sscanf(name, "after-%u-ms", &milliseconds);
    ::usleep(milliseconds * 1000);
}

// Deals out the caller's memory.
class memory {
public:
    memory(char* begin, std::size_t size) noexcept : next_(begin), end_(begin + size) {}

    template <class T>
    T* take(std::size_t count) noexcept {
        while (reinterpret_cast<std::uintptr_t>(next_) % alignof(T) != 0) {
            ++next_;
        }
        auto* const taken = reinterpret_cast<T*>(next_);
        next_ += count * sizeof(T);
        return next_ <= end_ ? taken : nullptr;
    }

    char* copy(const char* text) noexcept {
        const std::size_t size = std::strlen(text) + 1;
        char* const place = take<char>(size);
        return place != nullptr ? static_cast<char*>(std::memcpy(place, text, size)) : nullptr;
    }

private:
    char* next_;
    char* const end_;
};

nss_status too_small(int* error) noexcept {
    *error = ERANGE;
    return NSS_STATUS_TRYAGAIN;
}

nss_status fill(passwd* entry, const char* name, uid_t number, char* buffer, std::size_t size,
                int* error) noexcept {
    take_time(name);
    char* const copy = memory(buffer, size).copy(name);
    if (copy == nullptr) {
        return too_small(error);
    }
    *entry = {copy, copy, number, number, copy, copy, copy};
    return NSS_STATUS_SUCCESS;
}

nss_status fill(group* entry, const char* name, gid_t number, char* buffer, std::size_t size,
                int* error) noexcept {
    take_time(name);
    memory dealer(buffer, size);
    char** const members = dealer.take<char*>(2);
    char* const copy = members != nullptr ? dealer.copy(name) : nullptr;
    if (copy == nullptr) {
        return too_small(error);
    }
    members[0] = copy;
    members[1] = nullptr;
    *entry = {copy, copy, number, members};
    return NSS_STATUS_SUCCESS;
}

nss_status fill(spwd* entry, const char* name, char* buffer, std::size_t size,
                int* error) noexcept {
    take_time(name);
    char* const copy = memory(buffer, size).copy(name);
    if (copy == nullptr) {
        return too_small(error);
    }
    *entry = {copy, copy, 1, 2, 3, 4, 5, 6, 0};
    return NSS_STATUS_SUCCESS;
}

nss_status fill(protoent* entry, const char* name, int number, char* buffer, std::size_t size,
                int* error) noexcept {
    take_time(name);
    memory dealer(buffer, size);
    char** const aliases = dealer.take<char*>(1);
    char* const copy = aliases != nullptr ? dealer.copy(name) : nullptr;
    if (copy == nullptr) {
        return too_small(error);
    }
    aliases[0] = nullptr;
    *entry = {copy, aliases, number};
    return NSS_STATUS_SUCCESS;
}

// The lists have three entries: "name0" to "name2".
class list {
public:
    nss_status begin() noexcept {
        take_time("after-20-ms");
        next_ = 0;
        return NSS_STATUS_SUCCESS;
    }

    template <class Fill>
    nss_status go_on(Fill fill_entry, int* error) noexcept {
        const int number = next_++;
        if (number >= 3) {
            *error = ENOENT;
            return NSS_STATUS_NOTFOUND;
        }
        char name[20];
        std::snprintf(name, sizeof name, "name%d", number);
        return fill_entry(name, static_cast<unsigned>(number));
    }

private:
    std::atomic<int> next_{0};
};

constinit list users;
constinit list groups;
constinit list shadows;

nss_status fill(servent* entry, const char* name, int port, const char* protocol, char* buffer,
                std::size_t size, int* error) noexcept {
    take_time(name);
    memory dealer(buffer, size);
    char** const aliases = dealer.take<char*>(1);
    char* const copy = aliases != nullptr ? dealer.copy(name) : nullptr;
    char* const protocol_copy = copy != nullptr ? dealer.copy(protocol) : nullptr;
    if (protocol_copy == nullptr) {
        return too_small(error);
    }
    aliases[0] = nullptr;
    *entry = {copy, aliases, port, protocol_copy};
    return NSS_STATUS_SUCCESS;
}

nss_status fill(hostent* entry, const char* name, in_addr address, char* buffer, std::size_t size,
                int* error, int* host_error) noexcept {
    take_time(name);
    memory dealer(buffer, size);
    char** const lists = dealer.take<char*>(3);
    auto* const place = lists != nullptr ? dealer.take<in_addr>(1) : nullptr;
    char* const copy = place != nullptr ? dealer.copy(name) : nullptr;
    if (copy == nullptr) {
        *host_error = NETDB_INTERNAL;
        return too_small(error);
    }
    *place = address;
    lists[0] = reinterpret_cast<char*>(place);
    lists[1] = nullptr;
    lists[2] = nullptr;
    *entry = {copy, lists + 2, AF_INET, sizeof address, lists};
    return NSS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

nss_status _nss_coirslow_getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
                                    int* error) {
    return fill(entry, name, 42, buffer, size, error);
}
nss_status _nss_coirslow_getpwuid_r(uid_t number, passwd* entry, char* buffer, std::size_t size,
                                    int* error) {
    return fill(entry, "somebody", number, buffer, size, error);
}
nss_status _nss_coirslow_getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size,
                                    int* error) {
    return fill(entry, name, 42, buffer, size, error);
}
nss_status _nss_coirslow_getgrgid_r(gid_t number, group* entry, char* buffer, std::size_t size,
                                    int* error) {
    return fill(entry, "some people", number, buffer, size, error);
}
nss_status _nss_coirslow_getservbyname_r(const char* name, const char* protocol, servent* entry,
                                         char* buffer, std::size_t size, int* error) {
    return fill(entry, name, htons(42), protocol, buffer, size, error);
}
nss_status _nss_coirslow_getservbyport_r(int port, const char* protocol, servent* entry,
                                         char* buffer, std::size_t size, int* error) {
    return fill(entry, "something", port, protocol, buffer, size, error);
}
nss_status _nss_coirslow_gethostbyname2_r(const char* name, int family, hostent* entry,
                                          char* buffer, std::size_t size, int* error,
                                          int* host_error) {
    if (family != AF_INET) {
        *host_error = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
    }
    return fill(entry, name, {htonl(0x0a000001)}, buffer, size, error, host_error);
}
nss_status _nss_coirslow_gethostbyname_r(const char* name, hostent* entry, char* buffer,
                                         std::size_t size, int* error, int* host_error) {
    return _nss_coirslow_gethostbyname2_r(name, AF_INET, entry, buffer, size, error, host_error);
}
nss_status _nss_coirslow_gethostbyaddr_r(const void* address, socklen_t, int, hostent* entry,
                                         char* buffer, std::size_t size, int* error,
                                         int* host_error) {
    return fill(entry, "some.host", *static_cast<const in_addr*>(address), buffer, size, error,
                host_error);
}

nss_status _nss_coirslow_getspnam_r(const char* name, spwd* entry, char* buffer, std::size_t size,
                                    int* error) {
    return fill(entry, name, buffer, size, error);
}
nss_status _nss_coirslow_getprotobyname_r(const char* name, protoent* entry, char* buffer,
                                          std::size_t size, int* error) {
    return fill(entry, name, 42, buffer, size, error);
}
nss_status _nss_coirslow_getprotobynumber_r(int number, protoent* entry, char* buffer,
                                            std::size_t size, int* error) {
    return fill(entry, "something", number, buffer, size, error);
}

nss_status _nss_coirslow_setpwent(int) { return users.begin(); }
nss_status _nss_coirslow_endpwent() { return users.begin(); }
nss_status _nss_coirslow_getpwent_r(passwd* entry, char* buffer, std::size_t size, int* error) {
    return users.go_on(
        [=](const char* name, unsigned number) {
            return fill(entry, name, number, buffer, size, error);
        },
        error);
}
nss_status _nss_coirslow_setgrent(int) { return groups.begin(); }
nss_status _nss_coirslow_endgrent() { return groups.begin(); }
nss_status _nss_coirslow_getgrent_r(group* entry, char* buffer, std::size_t size, int* error) {
    return groups.go_on(
        [=](const char* name, unsigned number) {
            return fill(entry, name, number, buffer, size, error);
        },
        error);
}
nss_status _nss_coirslow_setspent(int) { return shadows.begin(); }
nss_status _nss_coirslow_endspent() { return shadows.begin(); }
nss_status _nss_coirslow_getspent_r(spwd* entry, char* buffer, std::size_t size, int* error) {
    return shadows.go_on(
        [=](const char* name, unsigned) { return fill(entry, name, buffer, size, error); }, error);
}
nss_status _nss_coirslow_initgroups_dyn(const char* user, gid_t, long int* start, long int* size,
                                        gid_t** list_of_groups, long int, int*) {
    take_time(user);
    for (const gid_t one : {gid_t(7), gid_t(8)}) {
        if (*start < *size) {
            (*list_of_groups)[(*start)++] = one;
        }
    }
    return NSS_STATUS_SUCCESS;
}

}  // extern "C"
