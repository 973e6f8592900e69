// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/detail/source_place.hpp>
#include <coir/detail/spawn.hpp>
#include <coir/export.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <type_traits>
#include <utility>

namespace coir {

/// @brief What can be chosen for one fiber when it is spawned.
struct fiber_options {
    /// Takes a name, a stack size in bytes, and the caller's line.
    // A constructor and not an aggregate, so that `place` is the caller's line.
    // NOLINTNEXTLINE(google-explicit-constructor): {"name", 64 * 1024} is how it is meant to be
    // used
    fiber_options(std::string fiber_name = {}, std::size_t stack_size_bytes = 0,
                  detail::source_place spawned_at = detail::source_place::here())
        : name(std::move(fiber_name)), stack_size(stack_size_bytes), place(spawned_at) {}

    /// fiber_options::carrier: whichever carrier has time for it first.
    static constexpr int any_carrier = -1;
    /// fiber_options::carrier: the one that the spawning fiber runs on.
    static constexpr int this_carrier = -2;

    /// Names the carrier that the fiber is to run on. @returns these options.
    fiber_options&& on(int carrier_number) && noexcept {
        carrier = carrier_number;
        return std::move(*this);
    }

    /// Has the fiber begin at once: see eager. @returns these options.
    fiber_options&& eagerly() && noexcept {
        eager = true;
        return std::move(*this);
    }

    std::string name;            ///< shown in reports; up to 15 characters cost no allocation
    std::size_t stack_size;      ///< bytes; 0 means run_options::stack_size
    detail::source_place place;  ///< where the fiber is spawned, for reports
    /// The carrier that the fiber runs on for all its life: a number from 0, less than
    /// run_options::threads, or one of the constants above.
    int carrier = any_carrier;
    /// Whether the fiber begins at once, on the spawner's carrier, as if the spawner had called its
    /// function (asyncio's eager tasks). When the fiber first waits, yields or ends, the spawner is
    /// the next to run, before all who were ready. Spawning so counts as a switch: by many of them
    /// in a row the others are not kept waiting, then the spawner goes to the end of the line.
    ///
    /// The fiber runs before there is a handle or a future to it, and must not touch what the
    /// spawner is yet to give that to. What escapes it goes where it always goes, not to the
    /// spawner. Depth costs memory alone, as each fiber has a stack of its own.
    ///
    /// It is a wish: a fiber that is to run on another carrier, that is spawned into a group of
    /// another one, or that runtime::submit() spawns, begins when its turn comes.
    bool eager = false;
};

/// @brief std::jthread for fibers: its constructor spawns, its destructor cancels and joins.
///
/// A fiber belongs to the carrier thread that it runs on for all its life. Use task_group where
/// several belong together, and async() where a result is wanted.
///
/// @suspends `join()` and the destructor wait for the fiber's end; nothing else waits. A
/// constructor that is told fiber_options::eager lets the new fiber run first.
/// @threadsafety As std::thread: one thread at a time may use a handle, but it may be any thread.
/// @errors Spawning outside coir::run() throws std::system_error (operation_not_permitted).
/// @cancellation `join()` is a cancellation point, the destructor is not. A fiber that ended by
/// its cancellation is joined normally.
/// @lifetime The callable and its arguments are moved into the fiber and destroyed on it when it
/// has ended. Nothing outlives coir::run(): fibers that still run then are cancelled and awaited.
/// @example `samples/02_two_tasks.cpp`
class COIR_API fiber {
public:
    /// @brief A fiber's name tag: unique in the process, never used twice.
    class id {
    public:
        /// The id of no fiber.
        constexpr id() noexcept = default;
        /// The id with a number that value() gave.
        constexpr explicit id(std::uint64_t value) noexcept : value_(value) {}
        friend constexpr bool operator==(id a, id b) noexcept { return a.value_ == b.value_; }
        friend constexpr bool operator!=(id a, id b) noexcept { return a.value_ != b.value_; }
        friend constexpr bool operator<(id a, id b) noexcept { return a.value_ < b.value_; }
        /// @returns the number; 0 means no fiber.
        constexpr std::uint64_t value() const noexcept { return value_; }

    private:
        std::uint64_t value_ = 0;
    };

    /// A handle to no fiber.
    fiber() noexcept = default;

    /// Spawns a fiber that calls `fn`. It runs once the caller waits, if no option says otherwise.
    template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, fiber> &&
                                                std::is_invocable_v<std::decay_t<F>>>>
    explicit fiber(F&& fn, detail::source_place place = detail::source_place::here())
        : control_(detail::spawn(fiber_options({}, 0, place), detail::handle_kind::joinable,
                                 std::forward<F>(fn))) {}

    /// Spawns a fiber that calls `fn(args...)`, all of them moved or copied into it as std::thread
    /// does.
    template <class F, class A, class... Args,
              class = std::enable_if_t<
                  !std::is_same_v<std::decay_t<F>, fiber_options> &&
                  std::is_invocable_v<std::decay_t<F>, std::decay_t<A>, std::decay_t<Args>...>>>
    fiber(F&& fn, A&& arg, Args&&... args)
        : control_(detail::spawn(fiber_options({}, 0, {}), detail::handle_kind::joinable,
                                 std::forward<F>(fn), std::forward<A>(arg),
                                 std::forward<Args>(args)...)) {}

    /// Spawns with options: `coir::fiber f({"name", 64 * 1024}, fn, args...)`.
    /// @throws std::invalid_argument if the stack size is out of range.
    template <class F, class... Args,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>>>
    fiber(fiber_options options, F&& fn, Args&&... args)
        : control_(detail::spawn(std::move(options), detail::handle_kind::joinable,
                                 std::forward<F>(fn), std::forward<Args>(args)...)) {}

    /// Takes the fiber over; `other` stands for none after.
    fiber(fiber&& other) noexcept : control_(std::exchange(other.control_, nullptr)) {}
    /// Takes the fiber over. The one that this handle stood for is cancelled and joined first.
    fiber& operator=(fiber&& other) noexcept;

    /// Cancels the fiber and waits for its end, where it has neither been joined nor detached. An
    /// exception that escaped it is logged.
    ~fiber();

    /// Waits for the fiber's end and rethrows the exception that escaped it, if one did.
    /// @throws std::system_error invalid_argument if not joinable; resource_deadlock_would_occur if
    /// called by the fiber itself, or by one that it waits for, be it by way of others.
    void join();

    /// Lets go of the fiber. An exception that escapes it is logged with its name.
    /// @throws std::system_error invalid_argument if not joinable.
    void detach();

    /// Cancels everything in the fiber: its calls that may wait throw operation_cancelled.
    /// @throws std::system_error invalid_argument if not joinable.
    void cancel();

    /// @returns whether the handle stands for a fiber, ended or not.
    bool joinable() const noexcept { return control_ != nullptr; }

    /// @returns the fiber's id, or the id of no fiber.
    id get_id() const noexcept;

    /// Exchanges what two handles stand for.
    void swap(fiber& other) noexcept { std::swap(control_, other.control_); }

private:
    detail::fiber_control* control_ = nullptr;
};

/// Exchanges what two handles stand for.
inline void swap(fiber& a, fiber& b) noexcept { a.swap(b); }

/// Prints the id's number.
COIR_API std::ostream& operator<<(std::ostream& out, fiber::id id);

}  // namespace coir

/// @brief Hashes a fiber's id by its number.
template <>
struct std::hash<coir::fiber::id> {
    /// @returns the hash.
    std::size_t operator()(coir::fiber::id id) const noexcept {
        return std::hash<std::uint64_t>{}(id.value());
    }
};
