// SPDX-License-Identifier: BSL-1.0
// A function that cannot be called as the signature says is refused where the task is made, and not
// somewhere inside the library.
// expect: no matching
#include <coir/packaged_task.hpp>

int length_of(const char*);

void make() {
#ifdef CONTROL
    coir::packaged_task<int(const char*)> task(length_of);
#else
    coir::packaged_task<int(int)> task(length_of);
#endif
}
