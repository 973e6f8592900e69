// SPDX-License-Identifier: BSL-1.0
#include "hook/broken_pipe.hpp"
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK ssize_t recv(int fd, void* data, std::size_t size, int flags) {
    return takes_call() ? posix::recv(fd, data, size, flags)
                        : COIR_ORIGINAL(recv)(fd, data, size, flags);
}

COIR_HOOK ssize_t recvfrom(int fd, void* data, std::size_t size, int flags, sockaddr* from,
                           socklen_t* from_size) {
    return takes_call() ? posix::recvfrom(fd, data, size, flags, from, from_size)
                        : COIR_ORIGINAL(recvfrom)(fd, data, size, flags, from, from_size);
}

COIR_HOOK ssize_t recvmsg(int fd, msghdr* message, int flags) {
    return takes_call() ? posix::recvmsg(fd, message, flags)
                        : COIR_ORIGINAL(recvmsg)(fd, message, flags);
}

COIR_HOOK int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags,
                       timespec* timeout) {
    return takes_call() ? posix::recvmmsg(fd, messages, count, flags, timeout)
                        : COIR_ORIGINAL(recvmmsg)(fd, messages, count, flags, timeout);
}

COIR_HOOK ssize_t send(int fd, const void* data, std::size_t size, int flags) {
    return takes_call() ? raise_if_broken(posix::send(fd, data, size, flags), flags)
                        : COIR_ORIGINAL(send)(fd, data, size, flags);
}

COIR_HOOK ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                         socklen_t to_size) {
    return takes_call() ? raise_if_broken(posix::sendto(fd, data, size, flags, to, to_size), flags)
                        : COIR_ORIGINAL(sendto)(fd, data, size, flags, to, to_size);
}

COIR_HOOK ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    return takes_call() ? raise_if_broken(posix::sendmsg(fd, message, flags), flags)
                        : COIR_ORIGINAL(sendmsg)(fd, message, flags);
}

COIR_HOOK int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags) {
    return takes_call() ? raise_if_broken(posix::sendmmsg(fd, messages, count, flags), flags)
                        : COIR_ORIGINAL(sendmmsg)(fd, messages, count, flags);
}

COIR_HOOK int connect(int fd, const sockaddr* to, socklen_t to_size) {
    return takes_call() ? posix::connect(fd, to, to_size) : COIR_ORIGINAL(connect)(fd, to, to_size);
}

COIR_HOOK int accept(int fd, sockaddr* from, socklen_t* from_size) {
    return takes_call() ? posix::accept(fd, from, from_size)
                        : COIR_ORIGINAL(accept)(fd, from, from_size);
}

COIR_HOOK int accept4(int fd, sockaddr* from, socklen_t* from_size, int flags) {
    return takes_call() ? posix::accept4(fd, from, from_size, flags)
                        : COIR_ORIGINAL(accept4)(fd, from, from_size, flags);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("send")]] ssize_t __send(int fd, const void* data, std::size_t size,
                                                int flags);
COIR_HOOK [[gnu::alias("connect")]] int __connect(int fd, const sockaddr* to, socklen_t to_size);

// What _FORTIFY_SOURCE makes of them. libc's own ends the program where the buffer is too small.
COIR_HOOK ssize_t __recv_chk(int fd, void* data, std::size_t size, std::size_t capacity,
                             int flags) {
    return size > capacity ? COIR_ORIGINAL(__recv_chk)(fd, data, size, capacity, flags)
                           : ::recv(fd, data, size, flags);
}

COIR_HOOK ssize_t __recvfrom_chk(int fd, void* data, std::size_t size, std::size_t capacity,
                                 int flags, sockaddr* from, socklen_t* from_size) {
    return size > capacity
               ? COIR_ORIGINAL(__recvfrom_chk)(fd, data, size, capacity, flags, from, from_size)
               : ::recvfrom(fd, data, size, flags, from, from_size);
}
