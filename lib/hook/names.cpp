// SPDX-License-Identifier: BSL-1.0
// The name service.
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <resolv.h>

using namespace coir::hook::detail;
namespace posix = coir::posix;

// In one line what is the same for all: a call of coir::posix with the same arguments.
#define COIR_FORWARD(name, ...) \
    (takes_call() ? posix::name(__VA_ARGS__) : COIR_ORIGINAL(name)(__VA_ARGS__))

COIR_HOOK int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                          addrinfo** result) {
    return COIR_FORWARD(getaddrinfo, host, service, hints, result);
}

COIR_HOOK int getnameinfo(const sockaddr* address, socklen_t address_size, char* host,
                          socklen_t host_size, char* service, socklen_t service_size, int flags) {
    return COIR_FORWARD(getnameinfo, address, address_size, host, host_size, service, service_size,
                        flags);
}

// Hosts.

COIR_HOOK hostent* gethostbyname(const char* name) { return COIR_FORWARD(gethostbyname, name); }

COIR_HOOK hostent* gethostbyname2(const char* name, int family) {
    return COIR_FORWARD(gethostbyname2, name, family);
}

COIR_HOOK hostent* gethostbyaddr(const void* address, socklen_t length, int family) {
    return COIR_FORWARD(gethostbyaddr, address, length, family);
}

COIR_HOOK int gethostbyname_r(const char* name, hostent* entry, char* buffer, std::size_t size,
                              hostent** result, int* host_error) {
    return COIR_FORWARD(gethostbyname_r, name, entry, buffer, size, result, host_error);
}

COIR_HOOK int gethostbyname2_r(const char* name, int family, hostent* entry, char* buffer,
                               std::size_t size, hostent** result, int* host_error) {
    return COIR_FORWARD(gethostbyname2_r, name, family, entry, buffer, size, result, host_error);
}

COIR_HOOK int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry,
                              char* buffer, std::size_t size, hostent** result, int* host_error) {
    return COIR_FORWARD(gethostbyaddr_r, address, length, family, entry, buffer, size, result,
                        host_error);
}

// Services.

COIR_HOOK servent* getservbyname(const char* name, const char* protocol) {
    return COIR_FORWARD(getservbyname, name, protocol);
}

COIR_HOOK servent* getservbyport(int port, const char* protocol) {
    return COIR_FORWARD(getservbyport, port, protocol);
}

COIR_HOOK int getservbyname_r(const char* name, const char* protocol, servent* entry, char* buffer,
                              std::size_t size, servent** result) {
    return COIR_FORWARD(getservbyname_r, name, protocol, entry, buffer, size, result);
}

COIR_HOOK int getservbyport_r(int port, const char* protocol, servent* entry, char* buffer,
                              std::size_t size, servent** result) {
    return COIR_FORWARD(getservbyport_r, port, protocol, entry, buffer, size, result);
}

// Users and groups. name_lists.cpp has more of them.

COIR_HOOK passwd* getpwnam(const char* name) { return COIR_FORWARD(getpwnam, name); }

COIR_HOOK passwd* getpwuid(uid_t user) { return COIR_FORWARD(getpwuid, user); }

COIR_HOOK group* getgrnam(const char* name) { return COIR_FORWARD(getgrnam, name); }

COIR_HOOK group* getgrgid(gid_t number) { return COIR_FORWARD(getgrgid, number); }

COIR_HOOK int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
                         passwd** result) {
    return COIR_FORWARD(getpwnam_r, name, entry, buffer, size, result);
}

COIR_HOOK int getpwuid_r(uid_t user, passwd* entry, char* buffer, std::size_t size,
                         passwd** result) {
    return COIR_FORWARD(getpwuid_r, user, entry, buffer, size, result);
}

COIR_HOOK int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size,
                         group** result) {
    return COIR_FORWARD(getgrnam_r, name, entry, buffer, size, result);
}

COIR_HOOK int getgrgid_r(gid_t number, group* entry, char* buffer, std::size_t size,
                         group** result) {
    return COIR_FORWARD(getgrgid_r, number, entry, buffer, size, result);
}

// The resolver. libc has each function by two names, the second from when it was in libresolv.

COIR_HOOK int res_query(const char* name, int net, int type, unsigned char* answer,
                        int capacity) noexcept {
    return COIR_FORWARD(res_query, name, net, type, answer, capacity);
}

COIR_HOOK int res_search(const char* name, int net, int type, unsigned char* answer,
                         int capacity) noexcept {
    return COIR_FORWARD(res_search, name, net, type, answer, capacity);
}

COIR_HOOK int res_send(const unsigned char* message, int size, unsigned char* answer,
                       int capacity) noexcept {
    return COIR_FORWARD(res_send, message, size, answer, capacity);
}

COIR_HOOK int res_nquery(res_state state, const char* name, int net, int type,
                         unsigned char* answer, int capacity) noexcept {
    return COIR_FORWARD(res_nquery, state, name, net, type, answer, capacity);
}

COIR_HOOK int res_nsearch(res_state state, const char* name, int net, int type,
                          unsigned char* answer, int capacity) noexcept {
    return COIR_FORWARD(res_nsearch, state, name, net, type, answer, capacity);
}

COIR_HOOK int res_nsend(res_state state, const unsigned char* message, int size,
                        unsigned char* answer, int capacity) noexcept {
    return COIR_FORWARD(res_nsend, state, message, size, answer, capacity);
}

COIR_HOOK [[gnu::alias("res_query")]] int __res_query(const char* name, int net, int type,
                                                      unsigned char* answer, int capacity) noexcept;
COIR_HOOK [[gnu::alias("res_search")]] int __res_search(const char* name, int net, int type,
                                                        unsigned char* answer,
                                                        int capacity) noexcept;
COIR_HOOK [[gnu::alias("res_send")]] int __res_send(const unsigned char* message, int size,
                                                    unsigned char* answer, int capacity) noexcept;
COIR_HOOK [[gnu::alias("res_nquery")]] int __res_nquery(res_state state, const char* name, int net,
                                                        int type, unsigned char* answer,
                                                        int capacity) noexcept;
COIR_HOOK [[gnu::alias("res_nsearch")]] int __res_nsearch(res_state state, const char* name,
                                                          int net, int type, unsigned char* answer,
                                                          int capacity) noexcept;
COIR_HOOK [[gnu::alias("res_nsend")]] int __res_nsend(res_state state, const unsigned char* message,
                                                      int size, unsigned char* answer,
                                                      int capacity) noexcept;
