// SPDX-License-Identifier: BSL-1.0
// libc's lists of users and groups, in fibers, from the slow name service of names.cpp.
#include "hook/entries.hpp"
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"

#include <coir/cancellation.hpp>
#include <coir/fiber.hpp>
#include <coir/run.hpp>
#include <coir/this_fiber.hpp>

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <ostream>
#include <string>
#include <thread>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

// What goes through a list.
struct listing {
    const char* name;
    void (*begin)();
    int (*next)(std::string& name);  // 0: there is one more; 1: there is none; -1: errno
    void (*end)();
};
std::ostream& operator<<(std::ostream& out, const listing& call) { return out << call.name; }

int next_of(const char* found, std::string& name) {
    if (found == nullptr) {
        return errno == 0 ? 1 : -1;
    }
    name = found;
    return 0;
}
template <class Entry>
int next_of(int error, const target<Entry>& t, const char* found, std::string& name) {
    if (error != 0) {
        return error == ENOENT ? 1 : fail_with(error);
    }
    name = found;
    return t.result != &t.entry ? -1 : 0;
}

const listing listings[] = {
    {"getpwent", ::setpwent,
     [](std::string& name) {
         errno = 0;
         const passwd* const found = ::getpwent();
         return next_of(found != nullptr ? found->pw_dir : nullptr, name);
     },
     ::endpwent},
    {"getpwent_r", ::setpwent,
     [](std::string& name) {
         target<passwd> t;
         const int error = ::getpwent_r(&t.entry, t.buffer.data(), t.buffer.size(), &t.result);
         return next_of(error, t, t.entry.pw_dir, name);
     },
     ::endpwent},
    {"getgrent", ::setgrent,
     [](std::string& name) {
         errno = 0;
         const group* const found = ::getgrent();
         return next_of(found != nullptr ? found->gr_mem[0] : nullptr, name);
     },
     ::endgrent},
    {"getgrent_r", ::setgrent,
     [](std::string& name) {
         target<group> t;
         const int error = ::getgrent_r(&t.entry, t.buffer.data(), t.buffer.size(), &t.result);
         return next_of(error, t, error == 0 ? t.entry.gr_mem[0] : nullptr, name);
     },
     ::endgrent},
    {"getspent", ::setspent,
     [](std::string& name) {
         errno = 0;
         const spwd* const found = ::getspent();
         return next_of(found != nullptr ? found->sp_pwdp : nullptr, name);
     },
     ::endspent},
    {"getspent_r", ::setspent,
     [](std::string& name) {
         target<spwd> t;
         const int error = ::getspent_r(&t.entry, t.buffer.data(), t.buffer.size(), &t.result);
         return next_of(error, t, t.entry.sp_pwdp, name);
     },
     ::endspent},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hooked_users)

BOOST_DATA_TEST_CASE(who_goes_through_a_list_leaves_the_thread_to_others, data::make(listings),
                     call) {
    coir::run([&] {
        int ticks = 0;
        coir::fiber ticker([&] {
            for (;; ++ticks) {
                coir::this_fiber::sleep_for(std::chrono::milliseconds(1));
            }
        });
        call.begin();
        std::string name;
        for (const char* const expected : {"name0", "name1", "name2"}) {
            const int before = ticks;
            BOOST_TEST(call.next(name) == 0);
            BOOST_TEST(name == expected);
            BOOST_TEST(ticks > before);
        }
        BOOST_TEST(call.next(name) == 1);
        const int before = ticks;
        call.end();
        BOOST_TEST(ticks > before);
        BOOST_TEST(call.next(name) == 0);
        BOOST_TEST(name == "name0");
        call.end();
    });
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_for_the_next_of_a_list, data::make(listings), call) {
    check_scopes_reach_into([&] {
        std::string name;
        const int result = call.next(name);
        const int error = errno;
        call.end();  // also for a caller that is cancelled
        errno = error;
        return result;
    });
}

BOOST_AUTO_TEST_CASE(the_groups_of_a_user_are_awaited_whatever_is_cancelled) {
    check_overlap([](int i) {
        gid_t groups[10] = {};
        int count = 10;
        BOOST_TEST(::getgrouplist(name_of(i).c_str(), 5, groups, &count) == 3);
        BOOST_TEST(groups[0] == 5U);
        BOOST_TEST(groups[1] == 7U);
        BOOST_TEST(groups[2] == 8U);
    });
    coir::run([] {
        coir::cancel_scope scope;
        scope.run([&] {
            scope.cancel();
            gid_t groups[10] = {};
            int count = 10;
            BOOST_TEST(::getgrouplist("after-20-ms", 5, groups, &count) == 3);
            BOOST_TEST(groups[2] == 8U);
        });
    });
}

// Each kind of entry has one, and so has each thread.
BOOST_AUTO_TEST_CASE(a_static_result_lasts_until_the_next_of_its_kind) {
    coir::run([] {
        const passwd* const user = ::getpwnam("after-1-ms");
        const group* const people = ::getgrnam("after-2-ms");
        ::getspnam("after-3-ms");
        std::thread([] { ::getpwnam("after-4-ms"); }).join();
        BOOST_REQUIRE(user != nullptr);
        BOOST_REQUIRE(people != nullptr);
        BOOST_TEST(user->pw_name == std::string("after-1-ms"));
        BOOST_TEST(people->gr_name == std::string("after-2-ms"));
        BOOST_TEST(::getpwnam("after-5-ms") == user);
        BOOST_TEST(user->pw_name == std::string("after-5-ms"));
    });
}

BOOST_AUTO_TEST_SUITE_END()
