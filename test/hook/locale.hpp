// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <locale.h>

#include <boost/test/unit_test.hpp>

namespace coir::test {

// The program's characters are those of UTF-8 meanwhile.
class utf8_locale {
public:
    utf8_locale() { BOOST_REQUIRE(::setlocale(LC_CTYPE, "C.UTF-8") != nullptr); }
    utf8_locale(const utf8_locale&) = delete;
    utf8_locale& operator=(const utf8_locale&) = delete;
    ~utf8_locale() { ::setlocale(LC_CTYPE, "C"); }
};

}  // namespace coir::test
