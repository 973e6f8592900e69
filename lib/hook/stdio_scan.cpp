// SPDX-License-Identifier: BSL-1.0
// scanf and its like. How much they read nobody knows but libc, which does it in the middle of its
// own code. So libc scans a stream of ours, which hands it the characters of the real one singly;
// and what it does not want is put back there. Our stream has no lock, for libc would note in the
// thread how to let go of it, and a fiber may park in between.
#include "hook/argument_forwarding.hpp"
#include "hook/interpose.hpp"
#include "hook/stream_buffer.hpp"
#include "hook/stream_hold.hpp"

#include <stdio.h>
#include <stdio_ext.h>
#include <cerrno>
#include <cstdarg>

using namespace coir::hook::detail;

using scanner = int(FILE* stream, const char* format, va_list arguments);

namespace {

ssize_t hand_one(void* stream, char* to, std::size_t size) {
    auto* const real = static_cast<FILE*>(stream);
    if (size == 0) {
        return 0;
    }
    if (buffered_input(real) == 0 && !refill(real)) {
        return has_flag(real, _IO_EOF_SEEN) ? 0 : -1;
    }
    *to = *real->_IO_read_ptr++;
    return 1;
}

// A stream that reads another one, and puts back what was not consumed.
class reading_stream {
public:
    explicit reading_stream(FILE* real) noexcept
        : real_(real), stream_(::fopencookie(real, "r", {hand_one, nullptr, nullptr, nullptr})) {
        if (stream_ != nullptr) {
            COIR_ORIGINAL(setvbuf)(stream_, buffer_, _IOFBF, sizeof buffer_);
            ::__fsetlocking(stream_, FSETLOCKING_BYCALLER);
        }
    }
    reading_stream(const reading_stream&) = delete;
    reading_stream& operator=(const reading_stream&) = delete;
    ~reading_stream() {
        if (stream_ == nullptr) {
            return;
        }
        const int error = errno;
        while (buffered_input(stream_) > 0) {
            COIR_ORIGINAL(ungetc)(static_cast<unsigned char>(*--stream_->_IO_read_end), real_);
        }
        COIR_ORIGINAL(fclose)(stream_);
        errno = error;
    }

    FILE* get() const noexcept { return stream_; }

private:
    FILE* const real_;
    FILE* const stream_;
    char buffer_[64];
};

int scan(call which, FILE* stream, const char* format, va_list arguments) noexcept {
    scanner* const by_libc = original<scanner>(which);
    if (!takes_call()) {
        return by_libc(stream, format, arguments);
    }
    const stream_hold hold(stream);
    if (!may_wait(stream)) {
        return by_libc(stream, format, arguments);
    }
    const reading_stream characters(stream);
    return characters.get() != nullptr ? by_libc(characters.get(), format, arguments) : EOF;
}

}  // namespace

// libc has each function three times: as it was, as C99 has it and as C23 has it. The names that a
// header gives them depend on the language, so that here each is called by its own.
#define COIR_SCANF(prefix)                                                                      \
    COIR_HOOK int coir_##prefix##scanf(const char* format, ...) asm(#prefix "scanf");           \
    int coir_##prefix##scanf(const char* format, ...) {                                         \
        COIR_RETURN_FORWARDING(format, scan(call::prefix##vfscanf, stdin, format, arguments));  \
    }                                                                                           \
    COIR_HOOK int coir_##prefix##fscanf(FILE* stream, const char* format,                       \
                                        ...) asm(#prefix "fscanf");                             \
    int coir_##prefix##fscanf(FILE* stream, const char* format, ...) {                          \
        COIR_RETURN_FORWARDING(format, scan(call::prefix##vfscanf, stream, format, arguments)); \
    }                                                                                           \
    COIR_HOOK int coir_##prefix##vscanf(const char* format,                                     \
                                        va_list arguments) asm(#prefix "vscanf");               \
    int coir_##prefix##vscanf(const char* format, va_list arguments) {                          \
        return scan(call::prefix##vfscanf, stdin, format, arguments);                           \
    }                                                                                           \
    COIR_HOOK int coir_##prefix##vfscanf(FILE* stream, const char* format,                      \
                                         va_list arguments) asm(#prefix "vfscanf");             \
    int coir_##prefix##vfscanf(FILE* stream, const char* format, va_list arguments) {           \
        return scan(call::prefix##vfscanf, stream, format, arguments);                          \
    }

COIR_SCANF()
COIR_SCANF(__isoc99_)
COIR_SCANF(__isoc23_)

// Other names of the first.
COIR_HOOK [[gnu::alias("vfscanf")]] int __vfscanf(FILE* stream, const char* format,
                                                  va_list arguments);
COIR_HOOK [[gnu::alias("vfscanf")]] int _IO_vfscanf(FILE* stream, const char* format,
                                                    va_list arguments);
