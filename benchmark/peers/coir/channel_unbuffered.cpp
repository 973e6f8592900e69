// SPDX-License-Identifier: BSL-1.0
// A question and its answer through two channels without a buffer. What is counted is both.
#include "measure.h"

#include <coir/coir.hpp>

int main(int argc, char** argv) {
    const double seconds = argument(argc, argv, "--seconds", 1);
    coir::run([&] {
        coir::channel<long> questions(0);
        coir::channel<long> answers(0);
        coir::fiber other([&] {
            for (const long question : questions) {
                answers.send(question + 1);
            }
        });
        constexpr long batch = 10'000;
        long asked = 0;
        long sum = 0;
        const auto ask = [&] {
            for (long i = 0; i < batch; ++i) {
                questions.send(asked++);
                sum += *answers.receive();
            }
        };
        ask();
        window window = open_window(seconds);
        do {
            ask();
        } while (window_is_open(&window));
        questions.close();
        other.join();
        require(sum == asked * (asked + 1) / 2, "an answer is wrong");
        report_each_ns(window.spent_ns, asked - batch);
        report_checked("the sum of %ld answers", asked);
    });
}
