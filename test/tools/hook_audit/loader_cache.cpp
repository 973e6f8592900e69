// SPDX-License-Identifier: BSL-1.0
#include "loader_cache.hpp"

#include "native_machine.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using coir::hook_audit::cache_flags;
using coir::hook_audit::loader_cache;

namespace {

struct entry {
    std::string name;
    std::string path;
    std::int32_t flags = cache_flags;
    std::uint64_t capabilities = 0;
};

template <class Number>
void append(std::vector<std::byte>& bytes, Number number) {
    const auto at = bytes.size();
    bytes.resize(at + sizeof number);
    std::memcpy(bytes.data() + at, &number, sizeof number);
}

// The bytes that ldconfig would write.
std::vector<std::byte> cache_of(const std::vector<entry>& entries,
                                const std::string& magic = "glibc-ld.so.cache1.1") {
    std::vector<std::byte> bytes;
    for (const char c : magic) {
        bytes.push_back(static_cast<std::byte>(c));
    }
    append(bytes, static_cast<std::uint32_t>(entries.size()));
    bytes.resize(48);
    auto string_at = static_cast<std::uint32_t>(bytes.size() + 24 * entries.size());
    std::string strings;
    for (const entry& each : entries) {
        append(bytes, each.flags);
        append(bytes, string_at + static_cast<std::uint32_t>(strings.size()));
        strings += each.name + '\0';
        append(bytes, string_at + static_cast<std::uint32_t>(strings.size()));
        strings += each.path + '\0';
        append(bytes, std::uint32_t{0});
        append(bytes, each.capabilities);
    }
    for (const char c : strings) {
        bytes.push_back(static_cast<std::byte>(c));
    }
    return bytes;
}

std::string found(const loader_cache& cache, const std::string& name) {
    return cache.find(name).value_or("nothing");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(the_loaders_cache)

BOOST_AUTO_TEST_CASE(a_library_is_found_by_its_name) {
    const loader_cache cache(
        cache_of({{"libb.so.1", "/lib/libb.so.1"}, {"liba.so", "/x/liba.so"}}));
    BOOST_TEST(found(cache, "liba.so") == "/x/liba.so");
    BOOST_TEST(found(cache, "libb.so.1") == "/lib/libb.so.1");
    BOOST_TEST(found(cache, "libb.so") == "nothing");
}

BOOST_AUTO_TEST_CASE(of_several_the_first_counts) {
    const loader_cache cache(cache_of({{"liba.so", "/first"}, {"liba.so", "/second"}}));
    BOOST_TEST(found(cache, "liba.so") == "/first");
}

BOOST_AUTO_TEST_CASE(what_is_of_another_machine_or_processor_is_left_out) {
    const loader_cache cache(cache_of({{"liba.so", "/32-bit", 3},
                                       {"liba.so", "/for-new-processors", cache_flags, 1ULL << 62},
                                       {"liba.so", "/for-all"}}));
    BOOST_TEST(found(cache, "liba.so") == "/for-all");
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_is_empty) {
    BOOST_TEST(found(loader_cache(cache_of({{"liba.so", "/a"}}, "glibc-ld.so.cache1.2")),
                     "liba.so") == "nothing");
    BOOST_TEST(found(loader_cache(), "liba.so") == "nothing");
    BOOST_TEST(found(loader_cache::of_file("/nowhere/absent"), "liba.so") == "nothing");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_cut_gives_no_more_than_it_has) {
    const auto whole = cache_of({{"liba.so", "/a"}, {"libb.so", "/b"}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A copy of just that size, so that a sanitizer sees a read beyond it.
        const std::vector<std::byte> cut(whole.begin(),
                                         whole.begin() + static_cast<std::ptrdiff_t>(size));
        const loader_cache cache(cut);
        BOOST_TEST(found(cache, "libb.so") == "nothing");
    }
}

BOOST_AUTO_TEST_CASE(numbers_that_lead_out_of_the_file_are_left_out) {
    auto bytes = cache_of({{"liba.so", "/a"}, {"libb.so", "/b"}});
    const std::uint32_t far = 0xffffffff;
    std::memcpy(bytes.data() + 20, &far, sizeof far);  // the number of entries
    std::memcpy(bytes.data() + 52, &far, sizeof far);  // where the name of the first one is
    const loader_cache cache(bytes);
    BOOST_TEST(found(cache, "liba.so") == "nothing");
    BOOST_TEST(found(cache, "libb.so") == "/b");
}

BOOST_AUTO_TEST_SUITE_END()
