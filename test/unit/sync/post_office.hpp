// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/sync/channel.hpp>
#include <coir/sync/select.hpp>
#include <coir/this_fiber.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>

namespace coir::test {

using std::chrono::microseconds;

struct letter {
    letter(int from, int count, int& all) : sender(from), number(count), alive(all) { ++alive; }
    letter(const letter&) = delete;
    letter& operator=(const letter&) = delete;
    ~letter() { --alive; }

    const int sender;
    const int number;
    int& alive;
};
// Move-only: a letter that is lost or doubled shows.
using sealed = std::unique_ptr<letter>;

enum class calls { plain, plain_and_selects };

// Six fibers that send and six that receive, on two channels of random capacity, under scopes that
// are cancelled at random, until the channels are closed under them.

class post_office {
public:
    post_office(unsigned seed, calls made)
        : random_(seed), selects_(made == calls::plain_and_selects) {
        for (auto& c : channels_) {
            const int kind = pick(5);
            c = kind == 0 ? std::make_unique<channel<sealed>>(coir::unbounded)
                          : std::make_unique<channel<sealed>>(static_cast<std::size_t>(kind - 1));
        }
    }

    void run() {
        std::deque<fiber> fibers;
        for (int i = 0; i < 6; ++i) {
            fibers.emplace_back([this, i] { live([this, i] { send_once(i); }); });
            fibers.emplace_back([this] { live([this] { receive_once(); }); });
        }
        for (int i = 0; i < 400; ++i) {
            cancel_one();
            coir::this_fiber::sleep_for(microseconds(pick(3)));
        }
        // The end: closed under those who wait, one channel after the other.
        channels_[0]->close();
        coir::this_fiber::sleep_for(microseconds(pick(20)));
        channels_[1]->close();
        stopping_ = true;
        for (fiber& f : fibers) {
            f.join();
        }
        check();
    }

private:
    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
    channel<sealed>& any_channel() { return *channels_[static_cast<std::size_t>(pick(2))]; }
    deadline any_deadline() {
        return pick(2) == 0 ? deadline::after(microseconds(pick(6) - 1)) : deadline::never();
    }

    template <class Do>
    void live(Do act) {
        while (!stopping_) {
            auto scope = std::make_shared<coir::cancel_scope>(
                pick(4) == 0 ? deadline::after(microseconds(pick(5))) : deadline::never());
            scopes_.push_back(scope);
            const bool returned = scope->run([&] {
                for (int i = pick(4); i >= 0; --i) {
                    act();
                }
            });
            cancelled_ += returned ? 0 : 1;
            // Else nobody might ever wait, and virtual time not pass.
            coir::this_fiber::sleep_for(microseconds(1));
        }
    }

    // A letter is counted as sent before it is tried, in case its receiver is faster; and taken
    // back if it was not.
    void send_once(int sender) {
        auto mine = std::make_unique<letter>(sender, ++last_number_[sender], alive_);
        ++sent_;
        bool sent = false;
        try {
            sent = selects_ && pick(2) == 0 ? send_by_select(mine) : send_by_call(mine);
        } catch (const coir::channel_closed&) {
            // It is kept.
        } catch (const coir::operation_cancelled&) {
            keep(mine, false);
            throw;
        }
        keep(mine, sent);
    }

    bool send_by_call(sealed& mine) {
        channel<sealed>& c = any_channel();
        return pick(3) == 0 ? c.try_send(std::move(mine))
                            : c.send_until(std::move(mine), any_deadline());
    }

    auto received_letter() {
        return [this](std::optional<sealed> l) {
            if (l) {
                receive(**l);
            }
        };
    }

    // One letter is offered to both channels, and one is received instead. Only one of the three
    // may happen.
    bool send_by_select(sealed& mine) {
        return coir::select(coir::on_send(*channels_[0], std::move(mine)),
                            coir::on_send(*channels_[1], std::move(mine)),
                            coir::on_receive(any_channel(), received_letter()),
                            coir::on_deadline(any_deadline())) < 2;
    }

    void receive_once() {
        if (selects_ && pick(2) == 0) {
            coir::select(coir::on_receive(*channels_[1], received_letter()),
                         coir::on_receive(*channels_[0], received_letter()),
                         coir::on_deadline(any_deadline()));
            return;
        }
        channel<sealed>& c = any_channel();
        const std::optional<sealed> l =
            pick(3) == 0 ? c.try_receive() : c.receive_until(any_deadline());
        if (l) {
            receive(**l);
        }
    }

    void receive(const letter& l) {
        ++received_[{l.sender, l.number}];
        ++received_count_;
    }

    void keep(const sealed& mine, bool sent) {
        if (!sent) {
            --sent_;
            ++kept_;
        }
        // What was sent has left, and what was not has not.
        wrong_ownership_ += (mine == nullptr) == sent ? 0 : 1;
    }

    void cancel_one() {
        if (scopes_.empty()) {
            return;
        }
        const auto number = static_cast<std::size_t>(pick(static_cast<int>(scopes_.size())));
        if (const auto scope = scopes_[number].lock(); scope && pick(3) == 0) {
            scope->cancel();
        }
        if (scopes_.size() > 30) {
            scopes_.erase(scopes_.begin(), scopes_.begin() + 15);
        }
    }

    void check() {
        // What is left is received in half of the runs, and destroyed with its channel in the rest.
        const std::size_t received_alive = received_count_;
        std::size_t left = 0;
        for (auto& c : channels_) {
            left += c->size();
            if (pick(2) == 0) {
                left -= c->size();
                for (const sealed& l : *c) {
                    receive(*l);
                }
                BOOST_TEST(c->drained());
            }
            c.reset();
        }
        BOOST_TEST(received_count_ + left == sent_);
        BOOST_TEST(received_.size() == received_count_);  // none twice
        BOOST_TEST(wrong_ownership_ == 0);
        BOOST_TEST(alive_ == 0);
        BOOST_TEST(received_alive > 0U);
        BOOST_TEST(kept_ > 0U);
        BOOST_TEST(cancelled_ > 0);
    }

    int alive_ = 0;  // letters
    std::mt19937 random_;
    const bool selects_;
    std::array<std::unique_ptr<channel<sealed>>, 2> channels_;
    std::deque<std::weak_ptr<coir::cancel_scope>> scopes_;
    bool stopping_ = false;
    std::map<int, int> last_number_;
    std::map<std::pair<int, int>, int> received_;
    std::size_t sent_ = 0;
    std::size_t kept_ = 0;
    std::size_t received_count_ = 0;
    int wrong_ownership_ = 0;
    int cancelled_ = 0;
};

}  // namespace coir::test
