// SPDX-License-Identifier: BSL-1.0
// Queues: every item that was put is got once, or dropped by shut_down_now(); and join() means that
// the work is done.
#include "stress/ledger.hpp"
#include "stress/tables.hpp"

#include <coir/sync.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coir::stress {

namespace {

using parcel = ledger::parcel;
using outgoing = ledger::outgoing;

constexpr int shut_down_one_in = 400;
constexpr std::size_t room = 5;

template <class Queue>
class queue_test : public test {
public:
    bool attempt(participant& self) override {
        const std::shared_ptr<round> mine = rounds_.present();
        if (self.one_in(shut_down_one_in)) {
            shut_down(*mine, self.pick(2) == 0);
        }
        try {
            switch (self.pick(8)) {
                case 0: return join(self, *mine);
                case 1:
                case 2:
                case 3: return put_some(self, *mine);
                default: return work(self, *mine);
            }
        } catch (const queue_shut_down&) {
            require(mine->ending, "told of a shut-down that nobody has ordered");
            return false;
        }
    }

    std::string check(const totals&) override {
        shut_down(*rounds_.present(), false);
        rounds_.end();
        return joins_ == 0 ? "nobody ever passed a join" : broken();
    }

    std::string counts() const override {
        return turnover_.text() + ", " + std::to_string(joins_) + " joins, " +
               std::to_string(rounds_.count()) + " shut down";
    }

private:
    struct round {
        round(verdict& told, turnover& all) : book(told, all) {}
        ledger book;
        Queue line{room};
        std::atomic<int> put{0};   // raised after a put: so many are in for certain
        std::atomic<int> done{0};  // raised before its task_done()
        std::atomic<bool> dropping{false};
        std::atomic<bool> ending{false};
    };

    void shut_down(round& r, bool now) {
        r.ending = true;
        if (now) {
            r.dropping = true;
            r.book.allow_drops();
            r.line.shut_down_now();
        } else {
            r.line.shut_down();
        }
        rounds_.replace(r);
        try {
            while (std::optional<parcel> left = r.line.try_get()) {
                finish(r, *left);
            }
        } catch (const queue_shut_down&) {  // nothing is left
        }
    }

    void finish(round& r, parcel& p) {
        p.take();
        ++r.done;
        r.line.task_done();
    }

    bool put_some(participant& self, round& r) {
        for (int i = 1 + self.pick(4); i > 0; --i) {
            const int value = r.book.next();
            if (value < 0) {
                shut_down(r, false);
                return false;
            }
            outgoing p(r.book, value, self.number());
            const bool in = self.one_in(4) ? r.line.try_put(p.to_send())
                                           : r.line.put_until(p.to_send(), self.some_deadline());
            if (!in) {
                return false;
            }
            ++r.put;
            p.sent();
        }
        return true;
    }

    bool work(participant& self, round& r) {
        std::optional<parcel> p =
            self.one_in(4) ? r.line.try_get() : r.line.get_until(self.some_deadline());
        if (!p) {
            return false;
        }
        finish(r, *p);
        return true;
    }

    // What was dropped counts as done.
    bool join(participant& self, round& r) {
        const int put_before = r.put;
        if (!r.line.join_until(self.some_deadline())) {
            return false;
        }
        require(r.done >= put_before || r.dropping, "joined before the work was done");
        ++joins_;
        return true;
    }

    turnover turnover_;
    std::atomic<std::uint64_t> joins_{0};
    generations<round> rounds_{[this] {
        return std::make_shared<round>(shared_verdict(), turnover_);
    }};
};

}  // namespace

const std::vector<entry> queue_tests = {
    {"queue", make<queue_test<queue<parcel>>>},
    {"lifo_queue", make<queue_test<lifo_queue<parcel>>>},
    {"priority_queue", make<queue_test<priority_queue<parcel>>>},
};

}  // namespace coir::stress
