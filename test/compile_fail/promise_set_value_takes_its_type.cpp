// SPDX-License-Identifier: BSL-1.0
// A promise of nothing takes no value.
// expect: set_value takes a T
#include <coir/async.hpp>

void keep(coir::promise<void>& promise) {
#ifdef CONTROL
    promise.set_value();
#else
    promise.set_value(1);
#endif
}
