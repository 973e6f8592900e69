// SPDX-License-Identifier: BSL-1.0
#include <coir/io/error.hpp>

#include <utility>

namespace coir::io {
namespace {

class io_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "coir.io"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::end_of_stream: return "end of stream";
            case errc::limit_exceeded: return "limit exceeded";
            case errc::busy: return "another call on the same side of the stream is under way";
        }
        return "error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& error_category() noexcept {
    static const io_category category;
    return category;
}

incomplete_read::incomplete_read(const std::string& what, std::string partial,
                                 std::optional<std::size_t> expected)
    : std::system_error(make_error_code(errc::end_of_stream), what),
      partial_(std::move(partial)),
      expected_(expected) {}

incomplete_read::~incomplete_read() = default;

limit_exceeded::limit_exceeded(const std::string& what)
    : std::system_error(make_error_code(errc::limit_exceeded), what) {}

limit_exceeded::~limit_exceeded() = default;

}  // namespace coir::io
