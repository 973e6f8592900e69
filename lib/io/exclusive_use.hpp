// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coir::detail {

// Marks one side of a stream as used for as long as a call lasts. A second call in the middle of
// the first, which waits, would take bytes away from under it; it sees `taken` and fails instead.
class exclusive_use {
public:
    explicit exclusive_use(bool& busy) noexcept : busy_(busy), had_(!busy) { busy = true; }
    exclusive_use(const exclusive_use&) = delete;
    exclusive_use& operator=(const exclusive_use&) = delete;
    ~exclusive_use() {
        if (had_) {
            busy_ = false;
        }
    }

    bool taken() const noexcept { return !had_; }

private:
    bool& busy_;
    const bool had_;
};

}  // namespace coir::detail
