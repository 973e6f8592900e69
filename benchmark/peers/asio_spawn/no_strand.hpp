// SPDX-License-Identifier: BSL-1.0
// Asio's spawn() gives each coroutine a strand, unless it is told of an executor. With one thread a
// strand is good for nothing, so the programs here do without, which is faster.
#ifndef COIR_BENCHMARK_NO_STRAND_HPP
#define COIR_BENCHMARK_NO_STRAND_HPP

#include <boost/asio.hpp>
#include <boost/asio/spawn.hpp>
#include <cstddef>
#include <utility>

namespace asio = boost::asio;

using coroutine_context =
    asio::basic_yield_context<asio::executor_binder<void (*)(), asio::io_context::executor_type>>;

/// Spawns a coroutine, which first runs inside of context.run() or context.poll().
template <class Function>
void spawn_on(asio::io_context& context, Function&& function,
              std::size_t stack_bytes = 64 * std::size_t{1024}) {
    void (*at_end)() = [] {
    };
    asio::spawn(asio::bind_executor(context.get_executor(), at_end),
                std::forward<Function>(function), boost::coroutines::attributes(stack_bytes));
}

#endif
