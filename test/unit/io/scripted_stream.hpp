// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace coir::test {

// A stream in memory that does what a script says: each step is one call's outcome. When the script
// for reading ends, so does the stream; a write past the end of its script takes everything.
class scripted_stream {
public:
    struct step {
        std::string data;                 // of a read
        std::size_t takes = SIZE_MAX;     // of a write: at most so many bytes
        std::error_code error;            // instead
        bool cancelled = false;           // instead
        std::function<void()> meanwhile;  // while the call waits
    };

    struct record {
        std::deque<step> reads;
        std::deque<step> writes;
        std::string written;
        std::size_t read_calls = 0;
        std::size_t write_calls = 0;
        std::size_t largest_read = 0;  // the most room that a call has offered
    };

    explicit scripted_stream(std::shared_ptr<record> r) : record_(std::move(r)) {}

    std::size_t read_some(void* data, std::size_t size, std::error_code& ec) {
        ec.clear();
        ++record_->read_calls;
        record_->largest_read = std::max(record_->largest_read, size);
        if (record_->reads.empty()) {
            return 0;
        }
        step next = std::move(record_->reads.front());
        record_->reads.pop_front();
        if (act(next, ec)) {
            return 0;
        }
        const std::size_t count = std::min(size, next.data.size());
        std::memcpy(data, next.data.data(), count);
        if (count < next.data.size()) {
            next.data.erase(0, count);
            record_->reads.push_front(std::move(next));
        }
        return count;
    }

    std::size_t write_some(const void* data, std::size_t size, std::error_code& ec) {
        ec.clear();
        ++record_->write_calls;
        step next;
        if (!record_->writes.empty()) {
            next = record_->writes.front();
            record_->writes.pop_front();
        }
        if (act(next, ec)) {
            return 0;
        }
        const std::size_t count = std::min(size, next.takes);
        record_->written.append(static_cast<const char*>(data), count);
        return count;
    }

    std::size_t read_some(void* data, std::size_t size) {
        std::error_code ec;
        const std::size_t count = read_some(data, size, ec);
        if (ec) {
            throw std::system_error(ec, "scripted read");
        }
        return count;
    }

    std::size_t write_some(const void* data, std::size_t size) {
        std::error_code ec;
        const std::size_t count = write_some(data, size, ec);
        if (ec) {
            throw std::system_error(ec, "scripted write");
        }
        return count;
    }

private:
    // Whether the step moves no data.
    static bool act(const step& s, std::error_code& ec) {
        if (s.meanwhile) {
            s.meanwhile();
        }
        if (s.cancelled) {
            throw coir::operation_cancelled();
        }
        ec = s.error;
        return static_cast<bool>(ec);
    }

    std::shared_ptr<record> record_;
};

}  // namespace coir::test
