// SPDX-License-Identifier: BSL-1.0
// A deadline that does not fire, armed and cancelled while a million others are armed: a timer that
// is waited for and then cancelled, and whose handler, which every wait of Asio's has, is run.
#include "measure.h"

#include <boost/asio.hpp>
#include <chrono>
#include <vector>

namespace asio = boost::asio;

int main(int argc, char** argv) {
    using namespace std::chrono_literals;
    const auto armed = static_cast<long>(argument(argc, argv, "--armed", 1'000'000));
    const double seconds = argument(argc, argv, "--seconds", 1);
    asio::io_context context(1);
    long fired = 0;
    std::vector<asio::steady_timer> others;
    others.reserve(static_cast<std::size_t>(armed));
    for (long i = 0; i < armed; ++i) {
        others.emplace_back(context, 1h + i * 3ms);
        others.back().async_wait([&fired](boost::system::error_code) { ++fired; });
    }
    constexpr long batch = 10'000;
    asio::steady_timer timer(context);
    long cancelled = 0;
    const auto arm_and_cancel = [&] {
        for (long i = 0; i < batch; ++i) {
            timer.expires_after(30min + i * 1ms);
            timer.async_wait([&cancelled](boost::system::error_code error) {
                cancelled += error == asio::error::operation_aborted;
            });
            timer.cancel();
            if (i % 100 == 99) {
                context.poll();
            }
        }
    };
    arm_and_cancel();
    long times = 0;
    window window = open_window(seconds);
    do {
        arm_and_cancel();
        times += batch;
    } while (window_is_open(&window));
    require(cancelled == times + batch && fired == 0, "a deadline has fired");
    report_each_ns(window.spent_ns, times);
    report_checked("%ld deadlines cancelled, and %ld armed", cancelled, armed - fired);
    _exit(0);
}
