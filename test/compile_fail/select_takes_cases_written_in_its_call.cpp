// SPDX-License-Identifier: BSL-1.0
// A case refers to what was written in the call that made it, and is used once.
// expect: written in its call
#include <coir/sync/select.hpp>

void use(coir::channel<int>& c) {
#ifdef CONTROL
    coir::select(coir::on_receive(c));
#else
    auto stored = coir::on_receive(c);
    coir::select(stored);
#endif
}
