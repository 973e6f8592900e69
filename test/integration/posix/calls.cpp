// SPDX-License-Identifier: BSL-1.0
// The calls that are held against libc's. test/hook has others in place of this file.
#include "integration/posix/law.hpp"

namespace coir::test {

const posix_calls coir_calls{
    posix::sleep,   posix::usleep,   posix::nanosleep, posix::clock_nanosleep,
    posix::read,    posix::readv,    posix::write,     posix::writev,
    posix::recv,    posix::recvfrom, posix::recvmsg,   posix::send,
    posix::sendto,  posix::sendmsg,  posix::recvmmsg,  posix::sendmmsg,
    posix::connect, posix::accept,   posix::accept4,   posix::close,
    posix::dup2,    posix::poll,     posix::ppoll,     posix::select,
    posix::pselect, posix::wait,     posix::waitpid,   posix::waitid,
    posix::wait3,   posix::wait4,    posix::system,    posix::popen,
    posix::pclose,  posix::flock,    posix::lockf,     posix::fcntl};

}  // namespace coir::test
