// SPDX-License-Identifier: BSL-1.0
#include <coir/task_group.hpp>

#include "sync/task_group_state.hpp"

namespace coir {

detail::group_state& detail::as_group(task_group_state& state) noexcept { return state; }

task_group::task_group() : state_(std::make_unique<detail::task_group_state>()) {}
task_group::~task_group() { state_->end(); }
void task_group::join() { state_->join(); }
void task_group::cancel() noexcept { state_->cancel(); }
std::size_t task_group::size() const noexcept { return state_->running(); }

}  // namespace coir
