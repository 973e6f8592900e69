// SPDX-License-Identifier: BSL-1.0
// fopen of a FIFO: it waits for the other end to be opened, and only in the kernel. So a thread of
// the blocking pool opens it. Who is cancelled goes on at once, and what is opened after that is
// closed.
#include "hook/cancelled.hpp"
#include "hook/interpose.hpp"
#include "net/posix_offload.hpp"

#include <stdio.h>
#include <sys/stat.h>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>

using namespace coir::hook::detail;

namespace {

struct closing {
    void operator()(FILE* stream) const noexcept { COIR_ORIGINAL(fclose)(stream); }
};

struct opening {
    std::unique_ptr<FILE, closing> stream;
    int error = 0;
};

bool is_fifo(const char* name) noexcept {
    const int before = errno;
    struct stat status {};
    const bool result = ::stat(name, &status) == 0 && S_ISFIFO(status.st_mode);
    errno = before;
    return result;
}

FILE* open_fifo(const char* name, const char* mode) noexcept {
    if (is_cancelled()) {
        errno = error_of_cancellation();
        return nullptr;
    }
    const int before = errno;
    opening opened;
    const int error = coir::detail::offload(opened, [name, mode] {
        return [name = std::string(name), mode = std::string(mode)] {
            opening result;
            result.stream.reset(COIR_ORIGINAL(fopen)(name.c_str(), mode.c_str()));
            result.error = errno;
            return result;
        };
    });
    errno = error != 0 ? error : opened.stream == nullptr ? opened.error : before;
    return opened.stream.release();
}

}  // namespace

COIR_HOOK FILE* fopen(const char* name, const char* mode) {
    return takes_call() && is_fifo(name) ? open_fifo(name, mode) : COIR_ORIGINAL(fopen)(name, mode);
}

// Other names of the same.
static_assert(sizeof(off_t) == sizeof(off64_t), "fopen64 is a function of its own here");
COIR_HOOK [[gnu::malloc, gnu::alias("fopen")]] FILE* fopen64(const char* name, const char* mode);
COIR_HOOK [[gnu::malloc, gnu::alias("fopen")]] FILE* _IO_fopen(const char* name, const char* mode);
