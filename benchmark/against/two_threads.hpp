// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <thread>

namespace against {

// Where a world has no carriers of its own.
template <class Ask, class Answer>
void run_on_two_threads(Ask ask, Answer answer) {
    std::thread other(answer);
    ask();
    other.join();
}

}  // namespace against
