// SPDX-License-Identifier: BSL-1.0
// While one fiber waits in a libc-shaped call, the others of its thread go on.
#include "integration/posix/law.hpp"

#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace coir::test;
namespace posix = coir::posix;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(posix_concurrency)

// Both ends of each connection are fibers of this thread, so that any call that blocked the thread
// would hang the test.
BOOST_DATA_TEST_CASE(both_ends_may_live_on_one_thread, data::make(stream_kinds), kind) {
    coir::run([=] {
        const auto pair = connected_sockets(kind);
        const std::string text = pattern(3'000'000);
        std::string received(text.size(), '\0');
        coir::fiber sender([&] {
            BOOST_TEST(posix::send(pair.a.get(), text.data(), text.size(), 0) ==
                       static_cast<ssize_t>(text.size()));
        });
        BOOST_TEST(posix::recv(pair.b.get(), received.data(), received.size(), MSG_WAITALL) ==
                   static_cast<ssize_t>(text.size()));
        sender.join();
        BOOST_TEST((received == text));
    });
}

BOOST_AUTO_TEST_CASE(both_ends_of_a_pipe_may_live_on_one_thread) {
    coir::run([] {
        auto pipe = pipe_ends();
        const std::string text = pattern(1'000'000);
        std::string received;
        coir::fiber writer([&] {
            BOOST_TEST(posix::write(pipe.b.get(), text.data(), text.size()) ==
                       static_cast<ssize_t>(text.size()));
            BOOST_TEST(posix::close(pipe.b.release()) == 0);
        });
        char buffer[10'000];
        for (ssize_t got; (got = posix::read(pipe.a.get(), buffer, sizeof buffer)) > 0;) {
            received.append(buffer, static_cast<std::size_t>(got));
        }
        writer.join();
        BOOST_TEST((received == text));
    });
}

BOOST_AUTO_TEST_CASE(a_server_and_its_clients_share_a_thread) {
    constexpr int clients = 50;
    coir::run([] {
        sockaddr_in address{};
        const unique_fd listener = listening_socket(address, clients);
        coir::fiber server([&] {
            std::vector<coir::fiber> sessions;
            for (int i = 0; i < clients; ++i) {
                const int fd = posix::accept(listener.get(), nullptr, nullptr);
                BOOST_REQUIRE(fd >= 0);
                sessions.emplace_back([fd] {
                    char buffer[64];
                    for (ssize_t got; (got = posix::read(fd, buffer, sizeof buffer)) > 0;) {
                        posix::usleep(2'000);
                        BOOST_TEST(posix::write(fd, buffer, static_cast<std::size_t>(got)) == got);
                    }
                    posix::close(fd);
                });
            }
            for (coir::fiber& one : sessions) {
                one.join();
            }
        });
        std::vector<coir::fiber> fibers;
        for (int i = 0; i < clients; ++i) {
            fibers.emplace_back([&address, i] {
                const unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
                BOOST_TEST(posix::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                                          sizeof address) == 0);
                for (int round = 0; round < 3; ++round) {
                    const std::string text = std::to_string(i) + ":" + std::to_string(round);
                    BOOST_TEST(posix::send(fd.get(), text.data(), text.size(), 0) ==
                               static_cast<ssize_t>(text.size()));
                    pollfd one{fd.get(), POLLIN, 0};
                    BOOST_TEST(posix::poll(&one, 1, 10'000) == 1);
                    std::string answer(text.size(), '\0');
                    BOOST_TEST(posix::recv(fd.get(), answer.data(), answer.size(), MSG_WAITALL) ==
                               static_cast<ssize_t>(answer.size()));
                    BOOST_TEST(answer == text);
                }
            });
        }
        for (coir::fiber& one : fibers) {
            one.join();
        }
        server.join();
    });
}

// Old code takes any error for a reason to try again, and does not know that it was cancelled.
BOOST_AUTO_TEST_CASE(a_cancelled_call_that_is_tried_again_for_ever_lets_others_run) {
    coir::run([] {
        auto pipe = pipe_ends();
        bool others_have_run = false;
        coir::fiber stubborn([&] {
            char byte = 0;
            for (int i = 0; i < 1'000'000 && !others_have_run; ++i) {
                BOOST_TEST_REQUIRE(posix::read(pipe.a.get(), &byte, 1) == -1);
                BOOST_TEST_REQUIRE(errno == ECANCELED);
            }
        });
        coir::this_fiber::yield();
        coir::fiber other([&] {
            coir::this_fiber::sleep_for(std::chrono::milliseconds(1));
            others_have_run = true;
        });
        stubborn.cancel();
        stubborn.join();
        BOOST_TEST(others_have_run);
    });
}

// A descriptor that is always ready, in a loop that never waits, must not starve the others.
BOOST_AUTO_TEST_CASE(calls_that_never_wait_let_others_run) {
    coir::run([] {
        bool stop = false;
        std::size_t rounds = 0;
        coir::fiber other([&] {
            posix::usleep(1'000);
            stop = true;
        });
        const auto pipe = pipe_ends();
        char letter = 'x';
        while (!stop && rounds < 10'000'000) {
            BOOST_REQUIRE(posix::write(pipe.b.get(), &letter, 1) == 1);
            BOOST_REQUIRE(posix::read(pipe.a.get(), &letter, 1) == 1);
            ++rounds;
        }
        BOOST_TEST(stop);
        other.join();
        stop = false;
        coir::fiber yet_another([&] { stop = true; });
        rounds = 0;
        while (!stop && ++rounds < 1'000'000) {  // the idiom of programs that wait by looking
            pollfd one{pipe.a.get(), POLLIN, 0};
            posix::poll(&one, 1, 0);
        }
        BOOST_TEST(stop);
    });
}

BOOST_AUTO_TEST_CASE(errno_belongs_to_the_fiber) {
    coir::run([] {
        const auto pipe = pipe_ends();
        coir::fiber other([&] {
            char letter = 0;
            errno = ERANGE;
            BOOST_TEST(posix::read(pipe.a.get(), &letter, 1) == 1);
            BOOST_TEST(errno == ERANGE);
        });
        posix::usleep(2'000);
        BOOST_TEST(posix::recv(-1, nullptr, 0, 0) == -1);
        BOOST_TEST(errno == EBADF);
        BOOST_TEST(posix::write(pipe.b.get(), "x", 1) == 1);
        BOOST_TEST(errno == EBADF);
        posix::usleep(2'000);
        BOOST_TEST(errno == EBADF);
        other.join();
    });
}

// Several fibers wait for one descriptor in both directions; each datagram goes to one of them.
BOOST_AUTO_TEST_CASE(several_fibers_share_a_descriptor) {
    coir::run([] {
        const auto pair = connected_sockets(socket_kind::unix_datagram);
        int received = 0;
        std::vector<coir::fiber> readers;
        for (int i = 0; i < 10; ++i) {
            readers.emplace_back([&] {
                char letter = 0;
                for (int round = 0; round < 20; ++round) {
                    received += posix::recv(pair.a.get(), &letter, 1, 0) == 1 ? 1 : 0;
                }
            });
        }
        for (int i = 0; i < 200; ++i) {
            BOOST_REQUIRE(posix::send(pair.b.get(), "x", 1, 0) == 1);
        }
        for (coir::fiber& one : readers) {
            one.join();
        }
        BOOST_TEST(received == 200);
    });
}

BOOST_AUTO_TEST_SUITE_END()
