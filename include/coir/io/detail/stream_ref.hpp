// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <system_error>

namespace coir::detail {

// A stream that is borrowed for the time of one call, so that what buffers do can live in the
// library and not in a template. Without a place for an error code, the stream's own exception is
// thrown, which knows best what failed (a socket names its peer).
class stream_ref {
public:
    template <class S>
    explicit stream_ref(S& stream) noexcept
        : stream_(&stream),
          read_([](void* s, void* data, std::size_t size, std::error_code* ec) {
              S& target = *static_cast<S*>(s);
              return ec != nullptr ? target.read_some(data, size, *ec)
                                   : target.read_some(data, size);
          }),
          write_([](void* s, const void* data, std::size_t size, std::error_code* ec) {
              S& target = *static_cast<S*>(s);
              return ec != nullptr ? target.write_some(data, size, *ec)
                                   : target.write_some(data, size);
          }) {}

    std::size_t read(void* data, std::size_t size, std::error_code* ec) const {
        return read_(stream_, data, size, ec);
    }
    std::size_t write(const void* data, std::size_t size, std::error_code* ec) const {
        return write_(stream_, data, size, ec);
    }

private:
    void* stream_;
    std::size_t (*read_)(void*, void*, std::size_t, std::error_code*);
    std::size_t (*write_)(void*, const void*, std::size_t, std::error_code*);
};

}  // namespace coir::detail
