// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>

#include <chrono>
#include <string>
#include <vector>

/// @brief Blocking clients, unmodified: libc's blocking calls, taken, so that in a fiber each parks
/// it and the thread goes on with others.
///
/// A program gets it by linking the target `coir::hook`, or by `LD_PRELOAD=libcoir-hook.so`; no
/// header is needed, and no line of the client changes. This header is for who wants to know, to
/// make exceptions, or to call libc itself.
///
/// What is taken, and what a call then does, is @ref coir::posix with two differences, since here
/// the caller does not know of coir: a broken socket raises SIGPIPE where libc would; and what
/// coir::posix lacks is taken, too (`doc/hooks.md` has the list). On a plain thread every call is
/// libc's own.
///
/// A handler of a signal that has run on a carrier ends the hooked calls in which fibers of the run
/// wait with `EINTR`, where signal(7) says that of the call and the handler's flags. No call that
/// is made in a handler switches fibers: it is libc's own.
///
/// In a scope that is cancelled a call fails with `ECANCELED`, or `ETIMEDOUT` where a deadline was
/// the cause, and the client cleans up its own way; then with_timeout() throws.
///
/// The environment variable `COIR_HOOK` has words, separated by commas:
///
/// | word | means |
/// |---|---|
/// | `off` | nothing is taken |
/// | `quiet` | the self-check at the start says nothing |
/// | `held-mutexes` | a pthread mutex that a fiber holds as it parks is reported once, on stderr |
/// | `files` | reading and writing files on disk, and `fsync`, take a thread of the blocking pool
/// where they wait for the disk | | `keys` | each fiber has its own value of every pthread key:
/// use_fiber_local_keys() | | `watchdog` | fibers that hold their carrier for over 10 ms are
/// reported: watch_carriers() | | `watchdog=20` | the same, for over 20 ms |
///
/// A program that wants some of them always says so by coir_hook_default_options(). The environment
/// has the last word: `on`, `no-quiet`, `no-held-mutexes`, `no-keys`, `no-files` and
/// `no-watchdog` take back what the program has said.
namespace coir::hook {

/// Tells whether a call of libc's that the caller makes here and now is coir's: it is a fiber, or
/// under a cancel scope or a deadline, in no passthrough_scope and no signal handler, and
/// `COIR_HOOK` does not say `off`.
COIR_API bool active() noexcept;

/// @brief While one lives, its fiber's calls of libc are libc's own, and block the thread.
///
/// For a stretch that must not be left, such as code that holds a lock of another library's, or
/// asks a thread-local for its address. Other fibers are not concerned. They nest.
///
/// @threadsafety Made and destroyed by the same fiber or thread.
class COIR_API passthrough_scope {
public:
    /// Begins.
    passthrough_scope() noexcept;
    passthrough_scope(const passthrough_scope&) = delete;
    passthrough_scope& operator=(const passthrough_scope&) = delete;
    ~passthrough_scope();
};

/// Gives every fiber its own value of each pthread key that is made from now on, as a thread has
/// one: of those under which libraries keep what belongs to their caller, such as OpenSSL's error
/// queue. Destructors run on the fiber when it ends, in at most `PTHREAD_DESTRUCTOR_ITERATIONS`
/// rounds; they may wait. Keys that there are already keep one value a thread, so call it before
/// the library is first used, or have `COIR_HOOK` say `keys`. The main fiber's values are not those
/// that its thread has when it runs no fibers.
///
/// `thread_local` variables are the thread's whatever is done here.
COIR_API void use_fiber_local_keys() noexcept;

/// @brief Reports on stderr, once each, every stretch in which a fiber holds its carrier for longer
/// than `threshold`: a call that is not taken, or work that wants a thread of its own.
///
/// A report has the fiber, how long it was and how much of that on a processor, the system call
/// that the thread was in when it had become too long, and a backtrace of that moment, whose
/// addresses addr2line(1) turns into lines. It comes when the stretch is over, or after a second.
/// Times are exact to a quarter of the threshold. A carrier that waits in its poller is not held.
///
/// Carriers that begin to run fibers after the call are watched, by a thread of its own, until the
/// program ends. A switch costs nothing more. But the thread that is asked for its backtrace gets a
/// real-time signal, one with which the program does nothing: a system call that is not restarted
/// after a handler (signal(7)), as nanosleep or poll, fails with `EINTR` then, once for each
/// report; not one that is hooked.
///
/// A second call changes the threshold.
/// @throws std::invalid_argument if it is less than a millisecond.
COIR_API void watch_carriers(std::chrono::milliseconds threshold = std::chrono::milliseconds(10));

namespace detail {
COIR_API void* original_by_name(const char* name);
}

/// Returns libc's own function, or what a sanitizer or another interposer put in its place.
///
/// @code
/// auto* const libc_poll = coir::hook::original<decltype(::poll)>("poll");
/// @endcode
/// @throws std::invalid_argument if it is none that is taken; call it by its name then.
template <class Function>
Function* original(const char* name) {
    return reinterpret_cast<Function*>(detail::original_by_name(name));
}

/// Looks for what keeps calls from being taken, in the program and in every library that is loaded
/// now: libc in front of coir::hook in the link order, a library that was opened with
/// `RTLD_DEEPBIND`, another library with functions of the same names, be it linked with
/// `-Bsymbolic` or taking the calls of others. Each finding is a sentence that names the file, the
/// call, and what to change.
///
/// It is done once when the program starts, and what it finds is written to stderr. After a
/// `dlopen` it may be done again.
/// @returns the findings; empty if all is well.
COIR_API std::vector<std::string> self_check();

}  // namespace coir::hook

/// @brief The words of `COIR_HOOK` that a program has of its own: define it, and the hook library
/// calls it.
///
/// @code
/// extern "C" const char* coir_hook_default_options() { return "keys,watchdog=50"; }
/// @endcode
///
/// It is called once, when the program starts and before constructors are run, and should do no
/// more than return a literal. A program that does not link the hook library, as it is preloaded,
/// has to export it (`-rdynamic`).
extern "C" COIR_API const char* coir_hook_default_options();
