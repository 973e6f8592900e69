// SPDX-License-Identifier: BSL-1.0
// A select that does not wait would never see its timeout pass.
// expect: does not wait
#include <coir/sync/select.hpp>

#include <chrono>

void use(coir::channel<int>& c) {
    using namespace std::chrono_literals;
#ifdef CONTROL
    coir::select(coir::on_receive(c), coir::on_timeout(1s));
#else
    coir::select(coir::on_receive(c), coir::on_timeout(1s), coir::otherwise());
#endif
}
