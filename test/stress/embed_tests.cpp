// SPDX-License-Identifier: BSL-1.0
// runtime and guest_run: what is handed over from outside has one outcome, whenever they end.
#include "stress/tables.hpp"
#include "stress/watchdog.hpp"

#include <coir/coir.hpp>

#include <poll.h>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace coir::stress {

namespace {

using namespace std::chrono_literals;

// Everybody submits to one runtime, until somebody replaces it; the last one who uses it destroys
// it, with what has been submitted in flight. Its fibers submit, too, also while it ends.
class runtime_test : public test {
public:
    bool attempt(participant& self) override {
        std::shared_ptr<round> mine = rounds_.present();
        const std::shared_ptr<results> book = mine->book;
        const bool stays = !self.patient() && self.one_in(8);
        std::optional<future<int>> left = book->take_if_many();
        future<int> result =
            left ? std::move(*left) : submit(*mine, self.soon(50), stays, self.one_in(8));
        // A plain thread does it: the constructor blocks the thread, and all fibers of a carrier.
        if (this_carrier::number() < 0 && self.one_in(replaced_one_in)) {
            rounds_.replace(*mine);
        }
        mine.reset();  // here the runtime may end
        // What was left may stay for as long as its runtime, and who is patient has no deadline: if
        // all threads were, nobody would replace the runtime.
        if ((stays && self.pick(2) == 0) || (left && (self.patient() || self.pick(2) == 0))) {
            result.cancel();
        }
        struct give_up {
            ~give_up() {
                if (result.valid()) {
                    book.keep(std::move(result));
                }
            }
            future<int>& result;
            results& book;
        } const guard{result, *book};
        if (result.wait_until(self.some_deadline(pace())) != std::future_status::ready) {
            return false;
        }
        settle(result);
        return true;
    }

    int pace() const override { return 10; }

    std::string check(const totals&) override {
        rounds_.end();
        require(submitted_ == delivered_ + cancelled_, "not everything has come to one outcome");
        require(delivered_ <= ran_to_end_, "more was delivered than ran to its end");
        require(ran_to_end_ <= begun_ && begun_ <= submitted_, "more ran than was submitted");
        require(tasks_alive_ == 0, "a task was not destroyed, or twice");
        return delivered_ == 0 ? "nothing was ever delivered" : broken();
    }

    std::string counts() const override {
        return std::to_string(submitted_) + " submitted, " + std::to_string(delivered_) +
               " delivered, " + std::to_string(cancelled_) + " cancelled, " +
               std::to_string(refused_) + " refused, " + std::to_string(rounds_.count()) +
               " runtimes";
    }

private:
    static constexpr int replaced_one_in = 30;
    static constexpr int expected = 5;

    // The futures that nobody waits for at present. They outlive the runtime, and must have their
    // results then.
    class results {
    public:
        explicit results(runtime_test& owner) noexcept : owner_(owner) {}
        results(const results&) = delete;
        results& operator=(const results&) = delete;
        ~results() {
            shield([this] {
                for (future<int>& each : given_up_) {
                    owner_.require(each.ready(), "a runtime has ended, and a result has not come");
                    owner_.settle(each);
                }
            });
        }
        void keep(future<int> result) {
            const std::lock_guard lock(mutex_);
            given_up_.push_back(std::move(result));
        }
        // The oldest, where there are many: or a slow runtime would be given ever more to do.
        std::optional<future<int>> take_if_many() {
            const std::lock_guard lock(mutex_);
            if (given_up_.size() < many) {
                return std::nullopt;
            }
            std::optional<future<int>> oldest(std::move(given_up_.front()));
            given_up_.pop_front();
            return oldest;
        }

    private:
        static constexpr std::size_t many = 64;

        runtime_test& owner_;
        std::mutex mutex_;  // std's: nobody waits while he holds it
        std::deque<future<int>> given_up_;
    };

    struct round {
        explicit round(runtime_test& owner)
            : book(std::make_shared<results>(owner)), carriers(two_threads()) {
            shield([this] { carriers.submit([this] { watched.here(); }).get(); });
        }
        const std::shared_ptr<results> book;
        watched_run watched{"a runtime"};
        runtime carriers;  // ends first
    };

    // Counts the lives of what is submitted.
    class token {
    public:
        explicit token(std::atomic<std::int64_t>& alive) noexcept : alive_(&alive) { ++*alive_; }
        token(token&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
        token& operator=(token&&) = delete;
        ~token() {
            if (alive_ != nullptr) {
                --*alive_;
            }
        }

    private:
        std::atomic<std::int64_t>* alive_;
    };

    static run_options two_threads() {
        run_options options;
        options.threads = 2;
        return options;
    }

    // `stays`: until it is cancelled.
    future<int> submit(round& to, std::chrono::microseconds pause, bool stays, bool submits) {
        future<int> result =
            to.carriers.submit([this, &to, pause, stays, submits, life = token(tasks_alive_)] {
                ++begun_;
                if (submits) {
                    submit_from_inside(to, pause);
                }
                this_fiber::sleep_for(stays ? std::chrono::microseconds(1h) : pause);
                ++ran_to_end_;
                return expected;
            });
        ++submitted_;
        return result;
    }

    void submit_from_inside(round& to, std::chrono::microseconds pause) {
        try {
            to.book->keep(submit(to, pause, false, false));
        } catch (const std::system_error& e) {
            require(e.code() == std::errc::operation_canceled, "refused for another reason");
            ++refused_;
        }
    }

    void settle(future<int>& result) {
        try {
            require(result.get() == expected, "another result");
            ++delivered_;
        } catch (const task_cancelled&) {
            ++cancelled_;
        }
    }

    std::atomic<std::uint64_t> submitted_{0};
    std::atomic<std::uint64_t> delivered_{0};
    std::atomic<std::uint64_t> cancelled_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<std::uint64_t> ran_to_end_{0};
    std::atomic<std::int64_t> tasks_alive_{0};
    generations<round> rounds_{[this] {
        return std::make_shared<round>(*this);
    }};
};

// A thread with a loop of its own, poll(2), drives one guest after the other, each of which it ends
// with its fibers in the middle of their work. Everybody asks those fibers, by a channel, and gets
// the answer by a promise; and sets an event that one of them waits for.
class guest_run_test : public test {
public:
    guest_run_test() : host_([this] { host(); }) {}

    bool attempt(participant& self) override {
        if (self.one_in(8)) {
            ++settings_;
            noticed_.set();
            return true;
        }
        question q{asked_.fetch_add(1) + 1, {}};
        const std::uint64_t number = q.number;
        future<std::uint64_t> answer = q.answer.get_future();
        struct count_unsent {
            ~count_unsent() { unsent += sent ? 0 : 1; }
            std::atomic<std::uint64_t>& unsent;
            bool sent;
        } guard{not_asked_, false};
        guard.sent = questions_.send_until(std::move(q), self.some_deadline());
        if (!guard.sent || answer.wait_until(self.some_deadline()) != std::future_status::ready) {
            return false;
        }
        try {
            require(answer.get() == 2 * number, "the answer to another question");
        } catch (const std::future_error&) {  // the guest has ended
            return false;
        }
        ++got_;
        return true;
    }

    std::string check(const totals&) override {
        stop_ = true;
        noticed_.set();  // it may be blocked
        host_.join();
        std::uint64_t left = 0;
        while (questions_.try_receive()) {
            ++left;
        }
        require(asked_ - not_asked_ == heard_ + left, "a question was lost, or heard twice");
        require(answered_ + given_up_ == heard_, "a question was heard and came to no end");
        require(got_ <= answered_, "more answers were got than given");
        require(notices_ <= settings_, "an event was passed more often than it was set");
        return got_ == 0 || notices_ == 0 ? "the guests have not done a thing" : broken();
    }

    std::string counts() const override {
        return std::to_string(asked_ - not_asked_) + " asked, " + std::to_string(heard_) +
               " heard, " + std::to_string(answered_) + " answered, " + std::to_string(given_up_) +
               " given up, " + std::to_string(notices_) + " events, " + std::to_string(guests_) +
               " guests";
    }

private:
    static constexpr int fibers_each = 4;
    static constexpr int most_turns = 1000;

    struct question {
        std::uint64_t number;
        promise<std::uint64_t> answer;
    };

    // The host's thread. Its pulse is its own: a host that is not called back does not get on.
    void host() {
        pulse beats("the host of the guest");
        chance random(0);
        while (!stop_) {
            watched_run watched("the guest");
            guest_run guest;
            guest.spawn([&] { watched.here(); });
            for (int i = 0; i < fibers_each; ++i) {
                guest.spawn([this] { answer_questions(); });
            }
            guest.spawn([this] { notice(); });
            for (int turns = random.pick(most_turns); turns > 0 && !stop_; --turns) {
                turn(guest);
                beats.beat();
            }
            ++guests_;
        }
    }

    // Blocks as a host does: until the guest has something to do.
    static void turn(guest_run& guest) {
        const deadline next = guest.next_deadline();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next.remaining());
        pollfd watched{guest.descriptor(), POLLIN, 0};
        ::poll(&watched, 1, next.is_never() ? -1 : static_cast<int>(left.count()));
        guest.run_ready();
    }

    void answer_questions() {
        chance random(heard_);
        for (;;) {
            std::optional<question> q = questions_.receive();
            ++heard_;
            struct count_given_up {
                ~count_given_up() { given_up += answered ? 0 : 1; }
                std::atomic<std::uint64_t>& given_up;
                bool answered;
            } guard{given_up_, false};
            if (random.one_in(8)) {
                this_fiber::sleep_for(random.soon(200));
            }
            q->answer.set_value(2 * q->number);
            guard.answered = true;
            ++answered_;
        }
    }

    void notice() {
        for (;;) {
            noticed_.wait();
            ++notices_;
        }
    }

    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> asked_{0};
    std::atomic<std::uint64_t> not_asked_{0};
    std::atomic<std::uint64_t> heard_{0};
    std::atomic<std::uint64_t> answered_{0};
    std::atomic<std::uint64_t> given_up_{0};
    std::atomic<std::uint64_t> got_{0};
    std::atomic<std::uint64_t> settings_{0};
    std::atomic<std::uint64_t> notices_{0};
    std::atomic<std::uint64_t> guests_{0};
    channel<question> questions_{8};
    event noticed_{event::reset_mode::automatic};
    std::thread host_;
};

}  // namespace

const std::vector<entry> embed_tests = {
    {"runtime", make<runtime_test>},
    {"guest_run", make<guest_run_test>},
};

}  // namespace coir::stress
