// SPDX-License-Identifier: BSL-1.0
// Channels and select: every value that was sent is received, once, and in order; one that was not
// sent is still with its sender. Channels are closed in the thick of it, and drained by who closes.
#include "stress/ledger.hpp"
#include "stress/tables.hpp"

#include <coir/async.hpp>
#include <coir/shared_future.hpp>
#include <coir/sync.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

using parcel = ledger::parcel;
using outgoing = ledger::outgoing;

// How often somebody closes before all values of a round have been given out.
constexpr int closes_one_in = 400;

// The values of one sender come to one receiver in the order in which they were sent.
class order {
public:
    bool keeps(const parcel& p) noexcept {
        return std::exchange(last_.at(p.sender()), p.value()) < p.value();
    }

private:
    static std::array<int, 64> none() noexcept {
        std::array<int, 64> all;
        all.fill(-1);
        return all;
    }
    std::array<int, 64> last_ = none();
};

struct unbuffered {
    static channel<parcel> make() { return channel<parcel>(0); }
};
struct bounded {
    static channel<parcel> make() { return channel<parcel>(3); }
};
struct without_bound {
    static channel<parcel> make() { return channel<parcel>(unbounded); }
};

template <class Kind>
class channel_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        if (self.one_in(closes_one_in)) {
            close(*mine);
        }
        if (self.pick(2) == 0) {
            return send_some(self, *mine);
        }
        return self.may_wait_for_ever() && self.one_in(16) ? receive_all(*mine)
                                                           : receive_some(self, *mine);
    }

    std::string check(const totals&) override {
        close(*rounds_.present());
        rounds_.end();
        return turnover_.received() == 0 ? "nothing was ever received" : broken();
    }

    std::string counts() const override {
        return turnover_.text() + ", " + std::to_string(rounds_.count()) + " closed";
    }

private:
    struct round {
        round(verdict& told, turnover& all) : book(told, all) {}
        ledger book;
        channel<parcel> way = Kind::make();
        std::atomic<bool> closing{false};
    };

    // All that was sent before is still to be had.
    void close(round& r) {
        r.closing = true;
        r.way.close();
        while (std::optional<parcel> left = r.way.try_receive()) {
            left->take();
        }
        rounds_.replace(r);
    }

    bool send_some(participant& self, round& r) {
        for (int i = 1 + self.pick(4); i > 0; --i) {
            const int value = r.book.next();
            if (value < 0) {
                close(r);
                return false;
            }
            outgoing p(r.book, value, self.number());
            try {
                if (!send(self, r, p)) {
                    return false;
                }
                p.sent();
            } catch (const channel_closed&) {
                require(r.closing, "a send was told of a close that nobody has made");
                return false;
            }
        }
        return true;
    }

    bool send(participant& self, round& r, outgoing& p) {
        return self.one_in(4) ? r.way.try_send(p.to_send())
                              : r.way.send_until(p.to_send(), self.some_deadline());
    }

    bool receive_some(participant& self, round& r) {
        order of_arrival;
        for (int i = 1 + self.pick(4); i > 0; --i) {
            std::optional<parcel> p =
                self.one_in(4) ? r.way.try_receive() : r.way.receive_until(self.some_deadline());
            if (!p) {
                require(!r.way.drained() || r.closing, "drained, and nobody has closed");
                return false;
            }
            require(of_arrival.keeps(*p), "a value has overtaken another");
            p->take();
        }
        return true;
    }

    bool receive_all(round& r) {
        order of_arrival;
        for (parcel& p : r.way) {
            require(of_arrival.keeps(p), "a value has overtaken another");
            p.take();
        }
        require(r.closing && r.way.drained(), "the loop has ended, and the channel has not");
        return true;
    }

    turnover turnover_;
    generations<round> rounds_{[this] {
        return std::make_shared<round>(shared_verdict(), turnover_);
    }};
};

// Selects over three channels, an event and a future, and single calls that meet them.
class select_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        if (self.one_in(closes_one_in)) {
            close(*mine);
        }
        switch (self.pick(8)) {
            case 0: return single_call(self, *mine);
            case 1: return pass_or_receive(self, *mine);
            case 2: return await_the_end(self, *mine);
            case 3: return receive_otherwise(*mine);
            case 4:
            case 5: return receive_from_any(self, *mine);
            default: return send_somewhere(self, *mine);
        }
    }

    std::string check(const totals&) override {
        close(*rounds_.present());
        rounds_.end();
        return turnover_.received() == 0 ? "nothing was ever received" : broken();
    }

    std::string counts() const override {
        return turnover_.text() + ", " + std::to_string(passes_) + " passes of events, " +
               std::to_string(rounds_.count()) + " closed";
    }

private:
    static constexpr int result = 42;

    struct round {
        round(verdict& told, turnover& all) : judge(told), book(told, all) {}
        ~round() {
            judge.require(passes + (free_to_pass.is_set() ? 1U : 0U) <= settings,
                          "an automatic event was passed more often than it was set");
        }
        verdict& judge;
        ledger book;
        channel<parcel> direct{0};
        channel<parcel> buffered{2};
        channel<parcel> roomy{unbounded};
        event free_to_pass{event::reset_mode::automatic};
        std::atomic<std::uint64_t> settings{0};
        std::atomic<std::uint64_t> passes{0};
        promise<int> at_the_end;
        shared_future<int> ended = at_the_end.get_future().share();
        std::atomic<bool> closing{false};
    };

    void close(round& r) {
        if (!rounds_.replace(r)) {
            return;  // somebody else does it
        }
        r.closing = true;
        for (channel<parcel>* each : {&r.direct, &r.buffered, &r.roomy}) {
            each->close();
            while (std::optional<parcel> left = each->try_receive()) {
                left->take();
            }
        }
        r.at_the_end.set_value(result);
    }

    // What a case of a receive does. Empty: the channel is closed.
    auto take_into(bool& got, round& r) {
        return [this, &got, &r](std::optional<parcel> p) {
            require(p || r.closing, "nothing came from a channel that nobody has closed");
            got = p.has_value();
            if (p) {
                p->take();
            }
        };
    }

    bool single_call(participant& self, round& r) {
        channel<parcel>& way = self.pick(2) == 0 ? r.direct : r.buffered;
        if (self.pick(2) == 0) {
            std::optional<parcel> p = way.receive_until(self.some_deadline());
            if (p) {
                p->take();
            }
            return p.has_value();
        }
        return with_values(self, r, [&](outgoing& p, outgoing&) {
            return way.send_until(p.to_send(), self.some_deadline()) && p.sent();
        });
    }

    bool send_somewhere(participant& self, round& r) {
        return with_values(self, r, [&](outgoing& one, outgoing& other) {
            bool done = false;
            select(on_send(r.direct, one.to_send(), [&] { done = one.sent(); }),
                   on_send(self.one_in(8) ? r.roomy : r.buffered, other.to_send(),
                           [&] { done = other.sent(); }),
                   on_receive(r.roomy, take_into(done, r)), on_deadline(self.some_deadline()));
            return done;
        });
    }

    bool receive_from_any(participant& self, round& r) {
        bool done = false;
        select(on_receive(r.direct, take_into(done, r)), on_receive(r.buffered, take_into(done, r)),
               on_receive(r.roomy, take_into(done, r)), on_deadline(self.some_deadline()));
        return done;
    }

    bool receive_otherwise(round& r) {
        bool done = false;
        select(on_receive(r.direct, take_into(done, r)), on_receive(r.buffered, take_into(done, r)),
               otherwise());
        return done;
    }

    bool pass_or_receive(participant& self, round& r) {
        if (self.pick(2) == 0) {
            ++r.settings;
            r.free_to_pass.set();
            return true;
        }
        bool done = false;
        select(on_event(r.free_to_pass,
                        [&] {
                            ++r.passes;
                            ++passes_;
                            done = true;
                        }),
               on_receive(r.direct, take_into(done, r)), on_deadline(self.some_deadline()));
        return done;
    }

    bool await_the_end(participant& self, round& r) {
        bool done = false;
        select(on_ready(r.ended,
                        [&] {
                            done = true;
                            require(r.ended.get() == result && r.closing, "a result too early");
                        }),
               on_receive(r.buffered, take_into(done, r)), on_deadline(self.some_deadline()));
        return done;
    }

    template <class F>
    bool with_values(participant& self, round& r, F send) {
        const int one = r.book.next();
        const int other = r.book.next();
        if (one < 0 || other < 0) {
            close(r);
            return false;
        }
        outgoing first(r.book, one, self.number());
        outgoing second(r.book, other, self.number());
        try {
            return send(first, second);
        } catch (const channel_closed&) {
            require(r.closing, "a send was told of a close that nobody has made");
            return false;
        }
    }

    turnover turnover_;
    std::atomic<std::uint64_t> passes_{0};
    generations<round> rounds_{[this] {
        return std::make_shared<round>(shared_verdict(), turnover_);
    }};
};

}  // namespace

const std::vector<entry> channel_tests = {
    {"channel_unbuffered", make<channel_test<unbuffered>>},
    {"channel_bounded", make<channel_test<bounded>>},
    {"channel_unbounded", make<channel_test<without_bound>>},
    {"select", make<select_test>},
};

}  // namespace coir::stress
