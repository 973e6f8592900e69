// SPDX-License-Identifier: BSL-1.0
// What the watchdog is for: a test that loses its wake-ups.
#include "stress/tables.hpp"

#include <coir/cancellation.hpp>
#include <coir/sync.hpp>

#include <string>
#include <vector>

namespace coir::stress {

namespace {

class hang_test : public test {
public:
    bool attempt(participant&) override {
        shield([this] { never_set_.wait(); });
        return true;
    }
    std::string check(const totals&) override { return "it did not hang"; }

private:
    event never_set_;
};

}  // namespace

const entry hang = {"hang", make<hang_test>};

}  // namespace coir::stress
