// SPDX-License-Identifier: BSL-1.0
// get() moves the result out, so it is not for a future that must not change.
// expect: const coir::future<int>
#include <coir/async.hpp>

#ifdef CONTROL
int fetch(coir::future<int>& from) { return from.get(); }
#else
int fetch(const coir::future<int>& from) { return from.get(); }
#endif
