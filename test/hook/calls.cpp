// SPDX-License-Identifier: BSL-1.0
// libc's own names: in a fiber, or in a scope, they are coir's.
#include "integration/posix/law.hpp"

namespace coir::test {

const posix_calls coir_calls = libc_calls;

}  // namespace coir::test
