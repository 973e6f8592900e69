// SPDX-License-Identifier: BSL-1.0
// Children: to wait for them, and to become one.
#include "hook/interpose.hpp"

#include <coir/posix.hpp>

using namespace coir::hook::detail;
namespace posix = coir::posix;

COIR_HOOK pid_t waitpid(pid_t which, int* status, int options) {
    return takes_call() ? posix::waitpid(which, status, options)
                        : COIR_ORIGINAL(waitpid)(which, status, options);
}

COIR_HOOK pid_t wait(int* status) {
    return takes_call() ? posix::wait(status) : COIR_ORIGINAL(wait)(status);
}

COIR_HOOK pid_t wait3(int* status, int options, rusage* usage) noexcept {
    return takes_call() ? posix::wait3(status, options, usage)
                        : COIR_ORIGINAL(wait3)(status, options, usage);
}

COIR_HOOK pid_t wait4(pid_t which, int* status, int options, rusage* usage) noexcept {
    return takes_call() ? posix::wait4(which, status, options, usage)
                        : COIR_ORIGINAL(wait4)(which, status, options, usage);
}

COIR_HOOK int waitid(idtype_t type, id_t which, siginfo_t* info, int options) {
    return takes_call() ? posix::waitid(type, which, info, options)
                        : COIR_ORIGINAL(waitid)(type, which, info, options);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("wait")]] pid_t __wait(int* status);
COIR_HOOK [[gnu::alias("waitpid")]] pid_t __waitpid(pid_t which, int* status, int options);

COIR_HOOK int system(const char* command) {
    return takes_call() ? posix::system(command) : COIR_ORIGINAL(system)(command);
}

COIR_HOOK FILE* popen(const char* command, const char* mode) {
    return takes_call() ? posix::popen(command, mode) : COIR_ORIGINAL(popen)(command, mode);
}

COIR_HOOK [[gnu::malloc, gnu::alias("popen")]] FILE* _IO_popen(const char* command,
                                                               const char* mode);

COIR_HOOK int pclose(FILE* stream) {
    return enabled() ? posix::pclose(stream) : COIR_ORIGINAL(pclose)(stream);
}
