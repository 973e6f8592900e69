// SPDX-License-Identifier: BSL-1.0
// A stream of messages through a channel with a buffer, which must be a power of 2 and holds one
// message less. What is counted is one message.
#include "measure.h"

#include <boost/fiber/all.hpp>
#include <cstddef>

int main(int argc, char** argv) {
    const auto capacity = static_cast<std::size_t>(argument(argc, argv, "--capacity", 128));
    const double seconds = argument(argc, argv, "--seconds", 1);
    boost::fibers::buffered_channel<long> messages(capacity);
    long received = 0;
    boost::fibers::fiber other([&] {
        for (const long message : messages) {
            require(message == received, "a message is out of order");
            ++received;
        }
    });
    constexpr long batch = 100'000;
    long sent = 0;
    const auto send = [&] {
        for (long i = 0; i < batch; ++i) {
            messages.push(sent++);
        }
    };
    send();
    window window = open_window(seconds);
    do {
        send();
    } while (window_is_open(&window));
    messages.close();
    other.join();
    require(received == sent, "a message was lost");
    report_each_ns(window.spent_ns, sent - batch);
    report_checked("the order of %ld messages", received);
}
