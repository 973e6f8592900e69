// SPDX-License-Identifier: BSL-1.0
// Fibers in a pipeline: one makes numbers, three work on them, one adds up what comes out. They
// share nothing but the channels in between, as in Go.
#include <chrono>
#include <coir/coir.hpp>
#include <functional>
#include <iostream>
#include <optional>
#include <string>

using namespace std::chrono_literals;

// A channel of capacity 2 holds two numbers that nobody has taken yet. With a third, send() waits:
// whoever is ahead is held back, and a long pipeline needs no more memory than a short one.
void generate(coir::channel<int>& numbers) {
    for (int number = 1; number <= 12; ++number)
        numbers.send(number);
    numbers.close();  // "that was the last one"; by the sender, as sending is an error from now on
}

// The loop ends when the channel is closed and nothing is left in it. Each number goes to one of
// the workers, whichever has time for it.
void square(coir::channel<int>& numbers, coir::channel<int>& squares) {
    for (const int number : numbers) {
        coir::this_fiber::sleep_for(10ms);  // stands for a question to a server
        squares.send(number * number);
    }
}

void pipeline() {
    coir::channel<int> numbers(2);
    coir::channel<int> squares(2);

    coir::fiber generator(generate, std::ref(numbers));
    coir::fiber workers([&] {
        coir::task_group group;
        for (int worker = 0; worker < 3; ++worker)
            group.spawn(square, std::ref(numbers), std::ref(squares));
        group.join();
        squares.close();  // when the last of the senders has stopped
    });

    int count = 0;
    int sum = 0;
    for (const int result : squares) {
        ++count;
        sum += result;
    }
    std::cout << count << " squares, their sum is " << sum << std::endl;
    generator.join();
    workers.join();
}

// select() waits for the first of several things, here a value or the end of patience. What was
// not chosen has not happened: no value is lost by a timeout.
void select_with_a_timeout() {
    coir::channel<std::string> questions(0);  // no room at all: send() waits for a receiver
    coir::channel<std::string> answers(1);
    coir::fiber oracle([&] {
        for (const std::string& question : questions)
            if (question != "why")  // there is no answer to that
                answers.send(question == "who" ? "the butler" : "in the library");
    });

    for (const char* question : {"who", "why", "where"}) {
        questions.send(question);
        coir::select(coir::on_receive(answers,
                                      [&](const std::optional<std::string>& answer) {
                                          std::cout << question << ": " << *answer << std::endl;
                                      }),
                     coir::on_timeout(200ms, [&] {
                         std::cout << question << ": no answer in time" << std::endl;
                     }));
    }
    questions.close();
    oracle.join();
}

int main() {
    coir::run([] {
        pipeline();
        select_with_a_timeout();
    });
}
