// SPDX-License-Identifier: BSL-1.0
// Fibers on different carriers of one run that wait for each other. Goal of each: nothing is lost,
// nothing comes twice, and nobody waits for ever. Method: counts that must come out even.
#include "support/law_seed.hpp"

#include <coir/async.hpp>
#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/sync.hpp>
#include <coir/task_group.hpp>
#include <coir/this_fiber.hpp>
#include <coir/timeout.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <random>
#include <shared_mutex>
#include <thread>
#include <tuple>
#include <vector>

using coir::fiber_options;
using coir::run;
using coir::task_group;
using namespace std::chrono_literals;

namespace {

constexpr int carrier_count = 3;

coir::run_options several() {
    coir::run_options options;
    options.threads = carrier_count;
    return options;
}

using locks = std::tuple<coir::mutex, coir::shared_mutex>;

fiber_options on(int carrier) { return fiber_options("placed").on(carrier); }

}  // namespace

BOOST_AUTO_TEST_SUITE(synchronisation_of_carriers)

BOOST_AUTO_TEST_CASE(a_mutex_lets_one_in_at_a_time) {
    run(several(), [] {
        coir::mutex m;
        int count = 0;  // plain: the mutex is what guards it
        task_group group;
        for (int i = 0; i < 12; ++i) {
            group.spawn(on(i % carrier_count), [&] {
                for (int k = 0; k < 300; ++k) {
                    const std::lock_guard guard(m);
                    const int before = count;
                    if (k % 16 == 0) {
                        coir::this_fiber::yield();
                    }
                    count = before + 1;
                }
            });
        }
        group.join();
        BOOST_TEST(count == 12 * 300);
    });
}

// What readers see is whole, and neither they nor the writers are kept from going on: all of them
// come to their end.
BOOST_AUTO_TEST_CASE(a_shared_mutex_keeps_readers_and_writers_apart) {
    run(several(), [] {
        constexpr int rounds = 400;
        coir::shared_mutex m;
        int left = 0;  // plain, and always the same
        int right = 0;
        std::atomic<int> torn{0};
        task_group group;
        for (int i = 0; i < 12; ++i) {
            group.spawn(on(i % carrier_count), [&, i] {
                for (int k = 0; k < rounds; ++k) {
                    if ((k + i) % 4 == 0) {
                        const std::unique_lock alone(m);
                        ++left;
                        if (k % 16 == 0) {
                            coir::this_fiber::yield();
                        }
                        ++right;
                    } else {
                        const std::shared_lock shared(m);
                        const int before = left;
                        if (k % 16 == 1) {
                            coir::this_fiber::yield();
                        }
                        torn += before == right ? 0 : 1;
                    }
                }
            });
        }
        group.join();
        BOOST_TEST(torn == 0);
        BOOST_TEST(left == 12 * rounds / 4);
    });
}

// Those in line are told that they wait for fibers of their run alone, so that a deadlock among
// them is seen. A thread that took the mutex now could keep it, and they would pass for such.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_does_not_overtake_fibers_that_count_on_each_other, Lock,
                              locks) {
    run(several(), [] {
        Lock m;
        std::atomic<bool> in_line{false};
        std::atomic<bool> may_go_on{false};
        const auto locks = [&] {
            const bool got = m.try_lock();
            if (got) {
                m.unlock();
            }
            return got;
        };
        task_group group;
        m.lock();
        group.spawn(on(1), [&] {
            bool has_run = false;
            coir::fiber waiting(on(1), [&] {
                has_run = true;
                const std::lock_guard guard(m);
                in_line = false;
            });
            while (!has_run) {
                coir::this_fiber::yield();
            }
            in_line = true;
            // As long as this fiber stays here the other one cannot answer the call.
            while (!may_go_on) {
                std::this_thread::yield();
            }
            waiting.join();
        });
        while (!in_line) {
            coir::this_fiber::yield();
        }
        m.unlock();
        BOOST_TEST(locks());
        bool got = true;
        std::thread([&] { got = locks(); }).join();
        BOOST_TEST(!got);
        BOOST_TEST(in_line);
        may_go_on = true;
        group.join();
        std::thread([&] { got = locks(); }).join();
        BOOST_TEST(got);
    });
}

BOOST_AUTO_TEST_CASE(a_semaphore_lets_as_many_in_as_it_has_permits) {
    run(several(), [] {
        coir::counting_semaphore<4> permits(4);
        std::atomic<int> inside{0};
        std::atomic<int> most{0};
        task_group group;
        for (int i = 0; i < 24; ++i) {
            group.spawn(on(i % carrier_count), [&] {
                for (int k = 0; k < 50; ++k) {
                    permits.acquire();
                    const int now = ++inside;
                    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                    }
                    coir::this_fiber::yield();
                    --inside;
                    permits.release();
                }
            });
        }
        group.join();
        BOOST_TEST(most <= 4);
        for (int i = 0; i < 4; ++i) {
            BOOST_TEST(permits.try_acquire());
        }
        BOOST_TEST(!permits.try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(a_condition_variable_takes_turns_round_all_carriers) {
    run(several(), [] {
        coir::mutex m;
        coir::condition_variable changed;
        int turn = 0;
        task_group group;
        for (int carrier = 0; carrier < carrier_count; ++carrier) {
            group.spawn(on(carrier), [&, carrier] {
                for (int k = 0; k < 200; ++k) {
                    std::unique_lock guard(m);
                    changed.wait(guard, [&] { return turn % carrier_count == carrier; });
                    ++turn;
                    changed.notify_all();
                }
            });
        }
        group.join();
        BOOST_TEST(turn == carrier_count * 200);
    });
}

// Receivers give up and are cancelled in between; what a receive has not returned stays.
BOOST_AUTO_TEST_CASE(a_channel_loses_nothing_between_carriers) {
    for (const std::size_t capacity : {0U, 1U, 5U}) {
        run(several(), [&] {
            constexpr int per_sender = 400;
            const unsigned seed = coir::test::law_seed(static_cast<int>(capacity));
            coir::channel<int> numbers(capacity);
            std::vector<std::atomic<int>> seen(per_sender * carrier_count);
            task_group receivers;
            for (int i = 0; i < 2 * carrier_count; ++i) {
                receivers.spawn(on(i % carrier_count), [&, i] {
                    std::minstd_rand random(seed + static_cast<unsigned>(i));
                    while (!numbers.drained()) {
                        std::optional<int> got;
                        if (random() % 2 == 0) {
                            got = numbers.receive_for(std::chrono::microseconds(random() % 50));
                        } else {
                            coir::try_for(std::chrono::microseconds(random() % 50),
                                          [&] { got = numbers.receive(); });
                        }
                        if (got) {
                            ++seen[static_cast<std::size_t>(*got)];
                        }
                    }
                });
            }
            task_group senders;
            for (int carrier = 0; carrier < carrier_count; ++carrier) {
                senders.spawn(on(carrier), [&, carrier] {
                    for (int i = 0; i < per_sender; ++i) {
                        numbers.send(carrier * per_sender + i);
                    }
                });
            }
            senders.join();
            numbers.close();
            receivers.join();
            int wrong = 0;
            for (const auto& count : seen) {
                wrong += count == 1 ? 0 : 1;
            }
            BOOST_TEST(wrong == 0,
                       "capacity " << capacity << ", COIR_TEST_SEED " << seed << ": " << wrong);
        });
    }
}

// Each select can take from the one or give to the other; both go round all carriers.
BOOST_AUTO_TEST_CASE(selects_on_all_carriers_neither_lose_nor_double) {
    run(several(), [] {
        constexpr int rounds = 300;
        coir::channel<int> a(0);
        coir::channel<int> b(2);
        std::atomic<int> sent{0};
        std::atomic<int> received{0};
        std::atomic<long> sum{0};
        task_group group;
        for (int i = 0; i < 2 * carrier_count; ++i) {
            group.spawn(on(i % carrier_count), [&, i] {
                for (int k = 0; k < rounds; ++k) {
                    const auto take = [&](std::optional<int> value) {
                        ++received;
                        sum -= *value;
                    };
                    const auto gave = [&, k] {
                        ++sent;
                        sum += k;
                    };
                    if (i % 2 == 0) {
                        coir::select(coir::on_receive(a, take), coir::on_send(b, k, gave),
                                     coir::on_timeout(100us));
                    } else {
                        coir::select(coir::on_receive(b, take), coir::on_send(a, k, gave),
                                     coir::on_timeout(100us));
                    }
                }
            });
        }
        group.join();
        while (const auto left = b.try_receive()) {
            ++received;
            sum -= *left;
        }
        BOOST_TEST(sent > 0);
        BOOST_TEST(sent == received);
        BOOST_TEST(sum == 0);
    });
}

// A wait for a plain thread is never taken for a deadlock, whatever all the other carriers do.
BOOST_AUTO_TEST_CASE(waits_for_a_plain_thread_and_for_another_run_are_no_deadlock) {
    for (int round = 0; round < 20; ++round) {
        coir::promise<int> question;
        coir::promise<int> answer;
        std::thread other([&] {
            run(several(), [&] {
                const int asked =
                    coir::async(on(1), [&] { return question.get_future().get(); }).get();
                coir::async(on(2), [&] { answer.set_value(asked + 1); }).get();
            });
        });
        coir::event told;
        std::thread plain([&] { told.set(); });
        run(several(), [&] {
            coir::async(on(1), [&] { told.wait(); }).get();
            coir::async(on(2), [&] { question.set_value(round); }).get();
            BOOST_TEST(coir::async(on(1), [&] { return answer.get_future().get(); }).get() ==
                       round + 1);
        });
        other.join();
        plain.join();
    }
}

BOOST_AUTO_TEST_SUITE_END()
