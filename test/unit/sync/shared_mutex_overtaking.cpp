// SPDX-License-Identifier: BSL-1.0
// A shared mutex whose first in line are fibers of other carriers, who want to share it or to have
// it alone: who may go past them, and that nobody does so twice.
#include "unit/sync/overtaking.hpp"

#include <coir/fiber.hpp>
#include <coir/sync/shared_mutex.hpp>

#include <boost/test/unit_test.hpp>

#include <mutex>
#include <shared_mutex>

using coir::fiber;
using coir::shared_mutex;
using coir::test::carrier_in_line;
using coir::test::run_what_is_ready;

namespace {

// A book: those who write do so alone, and those who read share it and are counted.
struct book {
    void write() {
        const std::unique_lock lock(mutex);
        ++written;
    }
    int read() {
        const std::shared_lock lock(mutex);
        return written;
    }
    bool can_be_written() {
        return can_be([&] { return mutex.try_lock(); }, &shared_mutex::unlock);
    }
    bool can_be_read() {
        return can_be([&] { return mutex.try_lock_shared(); }, &shared_mutex::unlock_shared);
    }

    shared_mutex mutex;
    int written = 0;

private:
    template <class TryLock>
    bool can_be(TryLock try_lock, void (shared_mutex::*unlock)()) {
        if (!try_lock()) {
            return false;
        }
        (mutex.*unlock)();
        return true;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(shared_mutex_overtaking)

FIBER_TEST_CASE(a_writer_on_its_way_keeps_nobody_out) {
    book b;
    b.mutex.lock_shared();
    carrier_in_line writer([&] { b.write(); });
    BOOST_TEST(!b.can_be_read());  // it is in line
    b.mutex.unlock_shared();
    BOOST_TEST(b.can_be_read());
    BOOST_TEST(b.can_be_written());
    b.write();
    BOOST_TEST(b.read() == 1);
    writer.look();
    BOOST_TEST(b.written == 2);
    writer.join();
}

FIBER_TEST_CASE(a_writer_that_readers_went_past_is_next_though_more_of_them_come) {
    book b;
    b.mutex.lock_shared();
    carrier_in_line writer([&] { b.write(); });
    b.mutex.unlock_shared();
    b.mutex.lock_shared();
    BOOST_TEST(b.can_be_read());
    writer.look();
    BOOST_TEST(!b.can_be_read());
    int seen = 0;
    fiber reader([&] { seen = b.read(); });
    run_what_is_ready();
    BOOST_TEST(seen == 0);
    b.mutex.unlock_shared();
    BOOST_TEST(!b.can_be_read());  // the writer has it, wherever it is
    BOOST_TEST(!b.can_be_written());
    writer.go_on();
    reader.join();
    BOOST_TEST(seen == 1);
    writer.join();
}

FIBER_TEST_CASE(readers_that_writers_went_past_are_next_though_more_of_those_come) {
    book b;
    b.mutex.lock();
    int seen_by_first = 0;
    int seen_by_second = 0;
    carrier_in_line first([&] { seen_by_first = b.read(); });
    carrier_in_line second([&] { seen_by_second = b.read(); });
    b.mutex.unlock();
    BOOST_TEST(b.can_be_written());
    b.mutex.lock();
    first.look();
    BOOST_TEST(!b.can_be_read());
    second.look();
    fiber writer([&] { b.write(); });
    run_what_is_ready();
    b.written = 1;
    b.mutex.unlock();
    BOOST_TEST(!b.can_be_written());
    run_what_is_ready();
    BOOST_TEST(b.written == 1);
    first.join();
    run_what_is_ready();
    BOOST_TEST(b.written == 1);
    second.join();
    writer.join();
    BOOST_TEST(seen_by_first == 1);
    BOOST_TEST(seen_by_second == 1);
    BOOST_TEST(b.written == 2);
}

FIBER_TEST_CASE(readers_do_not_wait_for_those_in_front_that_are_called) {
    book b;
    b.mutex.lock();
    carrier_in_line far([&] { b.read(); });
    int seen = -1;
    fiber near([&] { seen = b.read(); });
    run_what_is_ready();
    b.mutex.unlock();
    near.join();  // it stood behind one who wants the same, and who sleeps
    BOOST_TEST(seen == 0);
    BOOST_TEST(b.can_be_written());
    far.join();
}

FIBER_TEST_CASE(a_writer_in_line_stays_behind_readers_that_were_called) {
    book b;
    b.mutex.lock();
    int seen = -1;
    carrier_in_line reader([&] { seen = b.read(); });
    fiber writer([&] { b.write(); });
    run_what_is_ready();
    b.mutex.unlock();
    run_what_is_ready();
    BOOST_TEST(b.can_be_read());
    run_what_is_ready();
    BOOST_TEST(b.written == 0);
    reader.go_on();
    writer.join();
    BOOST_TEST(b.written == 1);
    reader.join();
    BOOST_TEST(seen == 0);
}

FIBER_TEST_CASE(readers_do_not_wait_for_those_in_front_that_were_called_before) {
    book b;
    b.mutex.lock();
    carrier_in_line far([&] { b.read(); });
    b.mutex.unlock();
    b.mutex.lock();  // past the reader that was called
    bool shared = false;
    fiber near([&] {
        const std::shared_lock lock(b.mutex);
        shared = true;
    });
    run_what_is_ready();
    BOOST_TEST(!shared);
    b.mutex.unlock();
    run_what_is_ready();
    BOOST_TEST(shared);
    near.join();
    far.join();
}

FIBER_TEST_CASE(of_readers_that_were_called_one_may_come_late_and_one_in_time) {
    book b;
    b.mutex.lock();
    carrier_in_line late([&] { b.read(); });
    carrier_in_line in_time([&] { b.read(); });
    b.mutex.unlock();
    b.mutex.lock();
    late.look();
    BOOST_TEST(!b.can_be_read());
    b.mutex.unlock();  // to the late one, which has not run since
    BOOST_TEST(b.can_be_read());
    BOOST_TEST(!b.can_be_written());
    in_time.join();
    BOOST_TEST(!b.can_be_written());
    late.join();
    BOOST_TEST(b.can_be_written());
}

BOOST_AUTO_TEST_SUITE_END()
