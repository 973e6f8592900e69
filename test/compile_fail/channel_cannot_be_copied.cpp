// SPDX-License-Identifier: BSL-1.0
// Those who wait stand in this channel and no other.
// expect: delete
#include <coir/sync/channel.hpp>

void use(coir::channel<int>& one) {
#ifdef CONTROL
    coir::channel<int>& same = one;
    same.close();
#else
    coir::channel<int> other(one);
    other.close();
#endif
}
