// SPDX-License-Identifier: BSL-1.0
#include "stress/tables.hpp"

namespace coir::stress {

const std::vector<const std::vector<entry>*> tables = {&lock_tests,  &signal_tests, &channel_tests,
                                                       &queue_tests, &result_tests, &offload_tests,
                                                       &embed_tests, &serve_tests};

}  // namespace coir::stress
