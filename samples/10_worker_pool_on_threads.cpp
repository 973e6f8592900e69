// SPDX-License-Identifier: BSL-1.0
// Fibers that compute, on all the processors: a run with four carrier threads. A fiber that has not
// started yet starts on whichever carrier has time for it, and stays there for all its life.
//
// From here on fibers do run at the same time, so what they share needs what threads need: an
// atomic, a mutex, a channel.
#include <array>
#include <atomic>
#include <coir/coir.hpp>
#include <cstddef>
#include <functional>
#include <iostream>
#include <mutex>
#include <vector>

constexpr int carriers = 4;

bool is_prime(int number) {
    for (int divisor = 2; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0)
            return false;
    return number >= 2;
}

int count_primes(int begin, int end) {
    int count = 0;
    for (int number = begin; number < end; ++number)
        count += is_prime(number) ? 1 : 0;
    return count;
}

// A hundred fibers, and no word on where each of them runs.
void spread_the_work() {
    constexpr int ranges = 100;
    constexpr int size = 2000;
    std::atomic<int> primes = 0;
    coir::mutex mutex;  // one that a fiber may hold while it waits, unlike std's
    std::array<int, carriers> ranges_of{};  // how many of them each carrier has had
    coir::task_group group;
    for (int range = 0; range < ranges; ++range) {
        group.spawn([&, range] {
            primes += count_primes(range * size, (range + 1) * size);
            const std::scoped_lock lock(mutex);
            ++ranges_of[static_cast<std::size_t>(coir::this_carrier::number())];
        });
    }
    group.join();
    std::cout << "there are " << primes << " primes below " << ranges * size << '\n';
    for (int carrier = 0; carrier < carriers; ++carrier)
        std::cout << "carrier " << carrier << " has searched "
                  << ranges_of[static_cast<std::size_t>(carrier)] << " ranges\n";
}

// What must stay with one thread (a client that is bound to its thread, a device) gets a fiber on a
// carrier that is named. Others talk to it by a channel.
void place_a_fiber() {
    struct visitor {
        int carrier;  // where it comes from
        int seen_by;  // the carrier of the keeper that has seen it
    };
    coir::channel<visitor> arriving(0);
    coir::channel<visitor> leaving(carriers);
    coir::fiber keeper(coir::fiber_options("keeper").on(2), [&] {
        for (visitor guest : arriving) {
            guest.seen_by = coir::this_carrier::number();
            leaving.send(guest);
        }
        leaving.close();
    });

    std::vector<coir::fiber> visitors;
    for (int carrier = 0; carrier < carriers; ++carrier)  // spawn_on is short for the same
        visitors.push_back(coir::spawn_on(carrier, [&] {
            arriving.send(visitor{coir::this_carrier::number(), -1});
        }));
    for (coir::fiber& each : visitors)
        each.join();
    arriving.close();
    keeper.join();

    std::array<int, carriers> keeper_of{};
    for (const visitor& guest : leaving)  // in whichever order they have come
        keeper_of[static_cast<std::size_t>(guest.carrier)] = guest.seen_by;
    for (int carrier = 0; carrier < carriers; ++carrier)
        std::cout << "the visitor from carrier " << carrier << " was seen on carrier "
                  << keeper_of[static_cast<std::size_t>(carrier)] << '\n';
}

int main() {
    coir::run_options options;
    options.threads = carriers;  // the calling thread, and three more for as long as run() lasts
    coir::run(options, [] {
        spread_the_work();
        place_a_fiber();
    });
}
