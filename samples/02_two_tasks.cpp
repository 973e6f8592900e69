// SPDX-License-Identifier: BSL-1.0
// Two tasks at once on one thread: each sleeps for a second, and both together take one second.
//
// A fiber is used as a std::thread is. It starts when the main fiber first waits, here in join().
// Both print the same thread's id, since run() has no thread but the one that called it.
#include <chrono>
#include <coir/coir.hpp>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

void task(const std::string& name) {
    std::cout << name << " starts on thread " << std::this_thread::get_id() << std::endl;
    coir::this_fiber::sleep_for(1s);
    std::cout << name << " ends on thread " << std::this_thread::get_id() << std::endl;
}

int main() {
    const auto start = std::chrono::steady_clock::now();
    coir::run([] {
        coir::fiber first(task, "first");
        coir::fiber second(task, "second");
        first.join();
        second.join();
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << "both took " << took.count() << " s" << std::endl;
}
