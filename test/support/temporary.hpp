// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace coir::test {

// Files of a test, where the system keeps such (TMPDIR, or else /tmp), and gone with it.

// For mkdtemp(3) and mkstemp(3).
inline std::string temporary_name() {
    return (std::filesystem::temp_directory_path() / "coir-test-XXXXXX").string();
}

// An open file with no name.
inline detail::unique_fd temporary_file() {
    std::string name = temporary_name();
    detail::unique_fd file(::mkostemp(name.data(), O_CLOEXEC));
    if (file.get() < 0) {
        throw std::system_error(errno, std::generic_category(), name);
    }
    ::unlink(name.c_str());
    return file;
}

class temporary_folder {
public:
    temporary_folder() : path_(temporary_name()) {
        if (::mkdtemp(path_.data()) == nullptr) {
            throw std::system_error(errno, std::generic_category(), path_);
        }
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace coir::test
