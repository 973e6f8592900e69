// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>

#include "context/execution_context.hpp"
#include "context/stack_pool.hpp"

// A body that runs on a stack of its own and is switched to and from by hand: the least that an
// execution context needs around it. The body may call pause(); when it returns, the fiber ends and
// resume() returns.
class fiber_on_pool {
public:
    fiber_on_pool(coir::detail::stack_pool& pool, std::function<void(fiber_on_pool&)> body,
                  std::size_t stack_size_bytes = coir::detail::stack_pool::default_size)
        : pool_(pool), body_(std::move(body)) {
        own_.prepare(pool_.acquire(stack_size_bytes), &run, this, globals_);
    }

    // Runs the body until it pauses or ends.
    void resume() {
        caller_.switch_to(own_, globals_);
        if (ended_)
            pool_.release(own_.take_stack());
    }
    void pause() { own_.switch_to(caller_, globals_); }

    bool ended() const { return ended_; }
    const coir::detail::stack& current_stack() const { return own_.current_stack(); }

private:
    static coir::detail::execution_context& run(void* self) noexcept {
        auto& fiber = *static_cast<fiber_on_pool*>(self);
        fiber.body_(fiber);
        fiber.ended_ = true;
        return fiber.own_.end_with(fiber.caller_, fiber.globals_);
    }

    coir::detail::stack_pool& pool_;
    std::function<void(fiber_on_pool&)> body_;
    coir::detail::execution_context own_;
    coir::detail::execution_context caller_;
    coir::detail::thread_globals globals_ = coir::detail::thread_globals::of_this_thread();
    bool ended_ = false;
};
