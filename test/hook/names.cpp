// SPDX-License-Identifier: BSL-1.0
// libc's own names, in fibers, against a name service and a name server that take their time. That
// they answer as libc does is in test/integration/posix. Lists are in users.cpp.
#include "base/unique_fd.hpp"
#include "hook/entries.hpp"
#include "hook/overlap.hpp"
#include "hook/scopes.hpp"

#include <coir/run.hpp>
#include <coir/timeout.hpp>

#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <poll.h>
#include <pwd.h>
#include <shadow.h>
#include <sys/socket.h>
#include <unistd.h>
// The order is that of resolver(3).
#include <arpa/nameser.h>
#include <resolv.h>
#include <array>
#include <atomic>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace coir::test;
namespace data = boost::unit_test::data;

namespace {

// For users.cpp, too. Before the first look-up of the process: libc reads its configuration once.
struct slow_name_service {
    slow_name_service() {
        for (const char* const database :
             {"passwd", "group", "services", "hosts", "shadow", "protocols", "initgroups"}) {
            BOOST_REQUIRE(::__nss_configure_lookup(database, "coirslow") == 0);
        }
    }
};

// Answers each query with 10.0.0.1 when it has been still for a while after the first.
class slow_name_server {
public:
    slow_name_server() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address_;
        auto* const address = reinterpret_cast<sockaddr*>(&address_);
        BOOST_REQUIRE(::bind(socket_.get(), address, size) == 0);
        BOOST_REQUIRE(::getsockname(socket_.get(), address, &size) == 0);
        thread_ = std::thread([this] { serve(); });
    }
    slow_name_server(const slow_name_server&) = delete;
    slow_name_server& operator=(const slow_name_server&) = delete;
    ~slow_name_server() {
        over_ = true;
        thread_.join();
    }

    // Has a state of the resolver ask here.
    void set_in(struct __res_state& state) const {
        state.nscount = 1;
        state.nsaddr_list[0] = address_;
        state.retrans = 5;
        state.retry = 1;
    }

private:
    using packet = std::pair<sockaddr_in, std::vector<unsigned char>>;

    void serve() {
        while (!over_) {
            std::vector<packet> queries;
            for (int timeout = 10; is_readable(timeout); timeout = 200) {
                queries.push_back(receive());
            }
            for (packet& query : queries) {
                answer(query);
            }
        }
    }

    bool is_readable(int timeout) const {
        pollfd one{socket_.get(), POLLIN, 0};
        return ::poll(&one, 1, timeout) == 1;
    }

    packet receive() const {
        packet query{{}, std::vector<unsigned char>(512)};
        socklen_t size = sizeof query.first;
        const ssize_t got = ::recvfrom(socket_.get(), query.second.data(), query.second.size(), 0,
                                       reinterpret_cast<sockaddr*>(&query.first), &size);
        query.second.resize(static_cast<std::size_t>(got));
        return query;
    }

    // RFC 1035, 4.1: the question again, and one resource record.
    void answer(packet& query) const {
        std::vector<unsigned char>& text = query.second;
        text[2] |= 0x80;          // a response
        text[3] = 0x80;           // recursion is available, no error
        text[7] = 1;              // one answer
        text[10] = text[11] = 0;  // no additional records
        std::size_t end = 12;
        while (text[end] != 0) {
            end += text[end] + 1U;
        }
        text.resize(end + 5);
        const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
        text.insert(text.end(), std::begin(record), std::end(record));
        ::sendto(socket_.get(), text.data(), text.size(), 0,
                 reinterpret_cast<const sockaddr*>(&query.first), sizeof query.first);
    }

    coir::detail::unique_fd socket_;
    sockaddr_in address_{};
    std::atomic<bool> over_{false};
    std::thread thread_;
};

constexpr in_addr ten{0x0100000a};

bool is_ten(const hostent* host) {
    return host != nullptr && std::memcmp(host->h_addr_list[0], &ten, sizeof ten) == 0;
}

// An answer of the name server.
bool is_ten(const std::array<unsigned char, 512>& answer, int size) {
    ns_msg message;
    ns_rr record;
    return ns_initparse(answer.data(), size, &message) == 0 &&
           ns_parserr(&message, ns_s_an, 0, &record) == 0 && ns_rr_rdlen(record) == sizeof ten &&
           std::memcmp(ns_rr_rdata(record), &ten, sizeof ten) == 0;
}

struct look_up {
    const char* name;
    int (*make)(int i);  // 0: it was found, and is right; 1: it is wrong; -1: errno
};
std::ostream& operator<<(std::ostream& out, const look_up& call) { return out << call.name; }

int check(const passwd* entry, const std::string& name) {
    return entry == nullptr ? -1 : entry->pw_dir != name;
}
int check(const group* entry, const std::string& name) {
    return entry == nullptr ? -1 : entry->gr_mem[0] != name;
}
int check(const spwd* entry, const std::string& name) {
    return entry == nullptr ? -1 : entry->sp_pwdp != name;
}
int check(const protoent* entry) { return entry == nullptr ? -1 : entry->p_proto != 42; }
int check(const servent* entry) { return entry == nullptr ? -1 : entry->s_port != htons(42); }
int check(const hostent* entry) { return entry == nullptr ? -1 : !is_ten(entry); }

template <class Entry>
int check(int error, const target<Entry>& found) {
    return error != 0 ? fail_with(error) : found.result != &found.entry;
}

const look_up look_ups[] = {
    {"getaddrinfo",
     [](int i) {
         addrinfo* list = nullptr;
         const int code = ::getaddrinfo(name_of(i).c_str(), nullptr, nullptr, &list);
         if (code == 0) {
             ::freeaddrinfo(list);
         }
         return code == EAI_SYSTEM ? -1 : code;
     }},
    {"getnameinfo",
     [](int) {
         sockaddr_in address{};
         address.sin_family = AF_INET;
         char host[100];
         const int code = ::getnameinfo(reinterpret_cast<sockaddr*>(&address), sizeof address, host,
                                        sizeof host, nullptr, 0, 0);
         return code == EAI_SYSTEM ? -1 : code;
     }},
    {"gethostbyname",
     [](int i) {
         return check(::gethostbyname(name_of(i).c_str()));
     }},
    {"gethostbyname2",
     [](int i) {
         return check(::gethostbyname2(name_of(i).c_str(), AF_INET));
     }},
    {"gethostbyaddr",
     [](int) {
         return check(::gethostbyaddr(&ten, sizeof ten, AF_INET));
     }},
    {"gethostbyname_r",
     [](int i) {
         target<hostent> t;
         return check(::gethostbyname_r(name_of(i).c_str(), &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result, &t.host_error),
                      t);
     }},
    {"gethostbyname2_r",
     [](int i) {
         target<hostent> t;
         return check(::gethostbyname2_r(name_of(i).c_str(), AF_INET, &t.entry, t.buffer.data(),
                                         t.buffer.size(), &t.result, &t.host_error),
                      t);
     }},
    {"gethostbyaddr_r",
     [](int) {
         target<hostent> t;
         return check(::gethostbyaddr_r(&ten, sizeof ten, AF_INET, &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result, &t.host_error),
                      t);
     }},
    {"getservbyname",
     [](int i) {
         return check(::getservbyname(name_of(i).c_str(), "tcp"));
     }},
    {"getservbyport",
     [](int) {
         return check(::getservbyport(htons(42), "tcp"));
     }},
    {"getservbyname_r",
     [](int i) {
         target<servent> t;
         return check(::getservbyname_r(name_of(i).c_str(), "tcp", &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result),
                      t);
     }},
    {"getservbyport_r",
     [](int) {
         target<servent> t;
         return check(::getservbyport_r(htons(42), "tcp", &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result),
                      t);
     }},
    {"getprotobyname",
     [](int i) {
         return check(::getprotobyname(name_of(i).c_str()));
     }},
    {"getprotobynumber",
     [](int) {
         return check(::getprotobynumber(42));
     }},
    {"getprotobyname_r",
     [](int i) {
         target<protoent> t;
         return check(::getprotobyname_r(name_of(i).c_str(), &t.entry, t.buffer.data(),
                                         t.buffer.size(), &t.result),
                      t);
     }},
    {"getprotobynumber_r",
     [](int) {
         target<protoent> t;
         return check(
             ::getprotobynumber_r(42, &t.entry, t.buffer.data(), t.buffer.size(), &t.result), t);
     }},
    {"getpwnam",
     [](int i) {
         return check(::getpwnam(name_of(i).c_str()), name_of(i));
     }},
    {"getpwuid",
     [](int) {
         return check(::getpwuid(7), "somebody");
     }},
    {"getgrnam",
     [](int i) {
         return check(::getgrnam(name_of(i).c_str()), name_of(i));
     }},
    {"getgrgid",
     [](int) {
         return check(::getgrgid(7), "some people");
     }},
    {"getspnam",
     [](int i) {
         return check(::getspnam(name_of(i).c_str()), name_of(i));
     }},
    {"getspnam_r",
     [](int i) {
         target<spwd> t;
         return check(::getspnam_r(name_of(i).c_str(), &t.entry, t.buffer.data(), t.buffer.size(),
                                   &t.result),
                      t);
     }},
    {"getpwnam_r",
     [](int i) {
         target<passwd> t;
         const int error = ::getpwnam_r(name_of(i).c_str(), &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result);
         return error == 0 && t.entry.pw_dir != name_of(i) ? 1 : check(error, t);
     }},
    {"getpwuid_r",
     [](int) {
         target<passwd> t;
         return check(::getpwuid_r(7, &t.entry, t.buffer.data(), t.buffer.size(), &t.result), t);
     }},
    {"getgrnam_r",
     [](int i) {
         target<group> t;
         const int error = ::getgrnam_r(name_of(i).c_str(), &t.entry, t.buffer.data(),
                                        t.buffer.size(), &t.result);
         return error == 0 && t.entry.gr_mem[0] != name_of(i) ? 1 : check(error, t);
     }},
    {"getgrgid_r",
     [](int) {
         target<group> t;
         return check(::getgrgid_r(7, &t.entry, t.buffer.data(), t.buffer.size(), &t.result), t);
     }},
};

struct query {
    const char* name;
    int (*make)(struct __res_state* own, unsigned char* answer, int capacity);
    bool awaited;  // by a cancelled caller
};
std::ostream& operator<<(std::ostream& out, const query& call) { return out << call.name; }

// A query for the address of some.host.
std::array<unsigned char, 512> message(int& size) {
    std::array<unsigned char, 512> text{};
    size = ::res_mkquery(ns_o_query, "some.host", ns_c_in, ns_t_a, nullptr, 0, nullptr, text.data(),
                         int(text.size()));
    return text;
}

const query queries[] = {
    {"res_query",
     [](struct __res_state*, unsigned char* answer, int capacity) {
         return ::res_query("some.host", ns_c_in, ns_t_a, answer, capacity);
     },
     false},
    {"res_search",
     [](struct __res_state*, unsigned char* answer, int capacity) {
         return ::res_search("some.host.", ns_c_in, ns_t_a, answer, capacity);
     },
     false},
    {"res_send",
     [](struct __res_state*, unsigned char* answer, int capacity) {
         int size = 0;
         const auto text = message(size);
         return ::res_send(text.data(), size, answer, capacity);
     },
     false},
    {"res_nquery of the thread",
     [](struct __res_state*, unsigned char* answer, int capacity) {
         return ::res_nquery(&_res, "some.host", ns_c_in, ns_t_a, answer, capacity);
     },
     false},
    {"res_nquery",
     [](struct __res_state* own, unsigned char* answer, int capacity) {
         return ::res_nquery(own, "some.host", ns_c_in, ns_t_a, answer, capacity);
     },
     true},
    {"res_nsearch",
     [](struct __res_state* own, unsigned char* answer, int capacity) {
         return ::res_nsearch(own, "some.host.", ns_c_in, ns_t_a, answer, capacity);
     },
     true},
    {"res_nsend",
     [](struct __res_state* own, unsigned char* answer, int capacity) {
         int size = 0;
         const auto text = message(size);
         return ::res_nsend(own, text.data(), size, answer, capacity);
     },
     true},
};

// Makes a query as a program does that has chosen its server in the state it uses.
int make(const query& call, const slow_name_server& server) {
    struct __res_state own {};
    BOOST_TEST(::res_ninit(&own) == 0);
    server.set_in(own);
    std::array<unsigned char, 512> answer{};
    const int size = call.make(&own, answer.data(), int(answer.size()));
    const int error = errno;
    ::res_nclose(&own);
    errno = error;
    return size < 0 ? -1 : !is_ten(answer, size);
}

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(slow_name_service);

BOOST_AUTO_TEST_SUITE(hooked_names)

BOOST_DATA_TEST_CASE(who_looks_something_up_leaves_the_thread_to_others, data::make(look_ups),
                     call) {
    check_overlap([&](int i) { BOOST_TEST(call.make(i) == 0); });
}

// The look-up goes on by itself.
BOOST_DATA_TEST_CASE(who_is_cancelled_does_not_wait_for_an_answer, data::make(look_ups), call) {
    check_scopes_reach_into([&] { return call.make(1); });
}

BOOST_DATA_TEST_CASE(who_asks_a_server_leaves_the_thread_to_others, data::make(queries), call) {
    const slow_name_server server;
    BOOST_REQUIRE(::res_init() == 0);
    server.set_in(_res);
    check_overlap([&](int) { BOOST_TEST(make(call, server) == 0); });
}

BOOST_DATA_TEST_CASE(scopes_end_the_wait_for_a_server, data::make(queries), call) {
    const slow_name_server server;
    BOOST_REQUIRE(::res_init() == 0);
    server.set_in(_res);
    if (!call.awaited) {
        check_scopes_reach_into([&] { return make(call, server); });
        return;
    }
    // The state is the caller's, and is used to the end, which is a success.
    coir::run([&] {
        const int result =
            coir::with_timeout(std::chrono::milliseconds(20), [&] { return make(call, server); });
        BOOST_TEST(result == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()
