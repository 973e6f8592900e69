// SPDX-License-Identifier: BSL-1.0
// libc's conversions are libc's matter. Its code for streams of wide characters asks a stream's
// table of functions for bytes, and hands them to it; and of the streams that can be had, those of
// fopencookie() have functions of ours there, and no part for wide characters. So for the length of
// one step (to have a character to read, to put one) such a stream stands in for the real one: it
// has the real one's buffers, state and flags, and the real one has them back when the step is
// done, or when a fiber is about to wait in it.
//
// The steps are the three functions that libc has in the table of a file's stream, called by their
// names, since the stand-in's own table is not for wide characters. All else that a call does is
// made of them, as it is with bytes.
#include "hook/wide_stream.hpp"

#include "hook/interpose.hpp"

#include <coir/posix.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdint>

extern "C" {

// Exported by libc, and in none of its headers.
void _IO_doallocbuf(FILE* stream) noexcept;
void _IO_un_link(struct _IO_FILE_plus* stream) noexcept;
wint_t _IO_wfile_underflow(FILE* stream);
wint_t _IO_wfile_overflow(FILE* stream, wint_t character);
std::size_t _IO_wfile_xsputn(FILE* stream, const void* text, std::size_t size);
wint_t __wunderflow(FILE* stream);

}  // extern "C"

namespace coir::hook::detail {

namespace {

// Flags that libc's header has shown once, and programs have compiled into them.
constexpr int has_users_buffer = 0x0001;
constexpr int is_unbuffered = 0x0002;
constexpr int is_by_line = 0x0200;
constexpr int is_for_output_now = 0x0800;

// A scan takes what is in the buffer of wide characters, and nothing from the one of bytes.
enum class use : std::uint8_t { reading, writing, scanning };

constexpr int flags_kept_when(use how) noexcept {
    switch (how) {
        case use::writing: return _IO_USER_LOCK;
        // They would have libc write out the standard output, which is done before.
        case use::reading: return _IO_USER_LOCK | is_unbuffered | is_by_line;
        default:
            return _IO_USER_LOCK | is_unbuffered | is_by_line | _IO_EOF_SEEN | _IO_ERR_SEEN |
                   has_users_buffer;
    }
}

class stand_in {
public:
    stand_in(FILE* real, use how) noexcept
        : real_(real),
          how_(how),
          kept_(flags_kept_when(how)),
          stream_(::fopencookie(this, "r+", {read, write, seek, nullptr})) {
        if (stream_ != nullptr) {
            // From the list of all streams, whose users would take it for one.
            ::_IO_un_link(reinterpret_cast<_IO_FILE_plus*>(stream_));
            if (how == use::scanning) {
                COIR_ORIGINAL(setvbuf)(stream_, buffer_, _IOFBF, sizeof buffer_);
            } else if (real->_IO_buf_base == nullptr) {
                ::_IO_doallocbuf(real);  // of the size that suits its descriptor
            }
            own_ = *stream_;
            begin();
        }
    }
    stand_in(const stand_in&) = delete;
    stand_in& operator=(const stand_in&) = delete;
    ~stand_in() {
        if (stream_ == nullptr) {
            return;
        }
        const int error = errno;
        end();
        *stream_ = own_;
        COIR_ORIGINAL(fclose)(stream_);
        if (is_lost_) {
            ::__fpurge(real_);  // or the next call would wait in libc to write it
        }
        errno = error;
    }

    // Null: there is no memory.
    FILE* get() const noexcept { return stream_; }

    // A scan would have gone on with more characters.
    bool wants_more() const noexcept { return wants_more_; }

private:
    void move_state(const FILE& from, FILE& to) const noexcept {
        if (how_ != use::scanning) {
            move_bytes(from, to);
        }
        to._markers = from._markers;
        to._flags2 = from._flags2;
        to._codecvt = from._codecvt;
        to._wide_data = from._wide_data;
        to._mode = from._mode;
    }
    static void move_bytes(const FILE& from, FILE& to) noexcept {
        to._IO_read_ptr = from._IO_read_ptr;
        to._IO_read_end = from._IO_read_end;
        to._IO_read_base = from._IO_read_base;
        to._IO_write_base = from._IO_write_base;
        to._IO_write_ptr = from._IO_write_ptr;
        to._IO_write_end = from._IO_write_end;
        to._IO_buf_base = from._IO_buf_base;
        to._IO_buf_end = from._IO_buf_end;
        to._IO_save_base = from._IO_save_base;
        to._IO_backup_base = from._IO_backup_base;
        to._IO_save_end = from._IO_save_end;
        to._old_offset = from._old_offset;
        to._cur_column = from._cur_column;
        to._offset = from._offset;
    }

    // It does not lock: libc would note in the thread how to let go of it.
    void begin() noexcept {
        move_state(*real_, *stream_);
        stream_->_flags = (real_->_flags & ~kept_) | (own_._flags & kept_) | _IO_USER_LOCK;
    }
    void end() noexcept {
        move_state(*stream_, *real_);
        real_->_flags = (stream_->_flags & ~kept_) | (real_->_flags & kept_);
    }

    static stand_in& self(void* cookie) noexcept { return *static_cast<stand_in*>(cookie); }

    static ssize_t read(void* cookie, char* data, std::size_t size) noexcept {
        stand_in& s = self(cookie);
        if (s.how_ == use::scanning) {
            s.wants_more_ = true;
            return -1;
        }
        s.end();
        const ssize_t got = posix::read(s.real_->_fileno, data, size);
        s.begin();
        return got;
    }

    static ssize_t write(void* cookie, const char* data, std::size_t size) noexcept {
        stand_in& s = self(cookie);
        s.end();
        const std::size_t written = write_out(s.real_, data, size);
        s.is_lost_ = written < size && (errno == ECANCELED || errno == ETIMEDOUT);
        s.begin();
        return static_cast<ssize_t>(written);
    }

    static int seek(void* cookie, off64_t* offset, int from) noexcept {
        *offset = ::lseek64(self(cookie).real_->_fileno, *offset, from);
        return *offset < 0 ? -1 : 0;
    }

    FILE* const real_;
    const use how_;
    const int kept_;  // flags that are each one's own
    FILE* const stream_;
    FILE own_{};
    char buffer_[16];
    bool wants_more_ = false;
    bool is_lost_ = false;  // what was to be written: a scope has ended the wait
};

std::size_t room(FILE* stream) noexcept {
    const std::size_t size = ::__fbufsize(stream);
    return size - std::min(size, pending_wide_output(stream));
}

bool has_newline(const wchar_t* text, std::size_t size) noexcept {
    return std::wmemchr(text, L'\n', size) != nullptr;
}

// Whether it only goes into the buffer, which is for output now.
bool is_buffered_only(FILE* stream, const wchar_t* text, std::size_t size) noexcept {
    return pending_wide_output(stream) > 0 && !has_flag(stream, is_unbuffered) &&
           size <= room(stream) && (!has_flag(stream, is_by_line) || !has_newline(text, size));
}

// How much of a text fits into the buffer of a stream that is not written by line.
std::size_t piece_of(FILE* stream, std::size_t size) noexcept {
    return has_flag(stream, is_unbuffered | is_by_line) || pending_wide_output(stream) == 0
               ? 0
               : std::min(size, room(stream));
}

std::size_t put_each(FILE* stream, const wchar_t* text, std::size_t size) noexcept {
    std::size_t done = 0;
    while (done < size) {
        if (const std::size_t piece = piece_of(stream, size - done); piece > 0) {
            done += ::_IO_wfile_xsputn(stream, text + done, piece);
        } else if (::_IO_wfile_overflow(stream, static_cast<wint_t>(text[done])) != WEOF) {
            ++done;
        } else {
            break;
        }
    }
    return done;
}

// Lines that fit into the buffer leave it together with what follows them; whether they could be
// written is nobody's concern, says libc.
std::size_t put_lines(FILE* stream, const wchar_t* text, std::size_t size) noexcept {
    clear_flag(stream, is_by_line);
    for (std::size_t i = 0; i < size; ++i) {
        ::_IO_wfile_overflow(stream, static_cast<wint_t>(text[i]));
    }
    set_flag(stream, is_by_line);
    ::_IO_wfile_overflow(stream, WEOF);
    return size;
}

bool refill_wide(FILE* stream) noexcept {
    if (!has_waiting_descriptor(stream)) {
        return COIR_ORIGINAL(__wunderflow)(stream) != WEOF;
    }
    if (has_flag(stream, _IO_EOF_SEEN)) {  // which is sticky
        return false;
    }
    if (::__freadable(stream) == 0) {
        COIR_ORIGINAL(__wunderflow)(stream);  // says so
        return false;
    }
    flush_standard_output(stream);
    const stand_in standing(stream, use::reading);
    return standing.get() != nullptr && ::_IO_wfile_underflow(standing.get()) != WEOF;
}

}  // namespace

bool becomes_wide(FILE* stream) noexcept { return ::fwide(stream, 1) > 0; }

// libc stops short of the read itself where the end of the file was seen.
wint_t next_wide(FILE* stream) noexcept {
    const bool was_seen = has_flag(stream, _IO_EOF_SEEN);
    set_flag(stream, _IO_EOF_SEEN);
    const wint_t next = COIR_ORIGINAL(__wunderflow)(stream);
    if (!was_seen) {
        clear_flag(stream, _IO_EOF_SEEN);
    }
    return next;
}

bool has_wide_input(FILE* stream) noexcept {
    if (pending_wide_output(stream) > 0 && !settle(stream)) {
        return false;
    }
    return next_wide(stream) != WEOF || refill_wide(stream);
}

bool is_put_by_libc(FILE* stream, const wchar_t* text, std::size_t size) noexcept {
    return is_buffered_only(stream, text, size) || !has_waiting_descriptor(stream);
}

wint_t put_wide(FILE* stream, wchar_t character) noexcept {
    const stand_in standing(stream, use::writing);
    return standing.get() != nullptr
               ? ::_IO_wfile_overflow(standing.get(), static_cast<wint_t>(character))
               : WEOF;
}

std::size_t put_wide(FILE* stream, const wchar_t* text, std::size_t size) noexcept {
    const stand_in standing(stream, use::writing);
    FILE* const out = standing.get();
    if (out == nullptr) {
        return 0;
    }
    const bool writes_lines = has_flag(out, is_by_line) && has_flag(out, is_for_output_now) &&
                              size <= room(out) && has_newline(text, size);
    return writes_lines ? put_lines(out, text, size) : put_each(out, text, size);
}

scan_result scan_what_is_there(FILE* stream, wide_scanner* by_libc, const wchar_t* format,
                               va_list arguments) noexcept {
    const stand_in standing(stream, use::scanning);
    if (standing.get() == nullptr) {
        return {EOF, false};
    }
    const int result = by_libc(standing.get(), format, arguments);
    return {result, standing.wants_more()};
}

bool flush_wide(FILE* stream) noexcept {
    const stand_in standing(stream, use::writing);
    return standing.get() != nullptr && ::_IO_wfile_overflow(standing.get(), WEOF) != WEOF;
}

}  // namespace coir::hook::detail
