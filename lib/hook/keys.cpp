// SPDX-License-Identifier: BSL-1.0
// pthread's keys, of which each fiber has its own value once that was asked for: by COIR_HOOK's
// word keys, or by use_fiber_local_keys(). A library that keeps its state of the caller under a
// key, as OpenSSL does with its error queue, then does not mix up the fibers of a thread.
//
// A key stays a key of libc's, and a plain thread's value stays with libc. A fiber's values are a
// table of its own, and their destructors run when it ends, on the fiber, where they may wait, in
// at most PTHREAD_DESTRUCTOR_ITERATIONS rounds, as a thread's do.
//
// A key that was made before keeps one value a thread: its destructor is not known here. Among them
// are those of libraries that were initialised before this one, sanitizers' and allocators'. These
// call pthread_getspecific() before anything else works, so until the first fiber-local key is made
// the functions here are a load and a branch, and this file is compiled without sanitizers.
#include <coir/detail/interposition.hpp>
#include <coir/detail/local_values.hpp>
#include <coir/hook/hook.hpp>

#include "hook/interpose.hpp"

#include <limits.h>
#include <pthread.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

using namespace coir::hook::detail;

namespace {

using destructor = void (*)(void*);

// The life of a key: odd while it is a fiber-local one, and never the same again. So what fibers
// have under a key is nothing to the next key of that number.
using key_life = std::uint32_t;

struct key_record {
    std::atomic<key_life> life{0};
    std::atomic<destructor> destroy{nullptr};  // written before the life, and read after it
};

constinit std::array<key_record, PTHREAD_KEYS_MAX> records;
constinit std::atomic<bool> asked_for{false};
constinit std::atomic<bool> any_fiber_local{false};

bool is_fiber_local(key_life life) noexcept { return life % 2 != 0; }

key_life life_of(pthread_key_t key) noexcept {
    return key < records.size() ? records[key].life.load(std::memory_order_acquire) : 0;
}

// What one fiber has under its keys.
class fiber_values : public coir::detail::local_value {
public:
    // The calling fiber's; null: it has set none.
    static fiber_values* find() noexcept {
        return static_cast<fiber_values*>(coir::detail::find_local_value(variable()));
    }

    static fiber_values& get() {
        if (fiber_values* const known = find()) {
            return *known;
        }
        auto& made = *new fiber_values;
        coir::detail::add_local_value(made);
        return made;
    }

    void* value(pthread_key_t under, key_life life) const noexcept {
        return under < slots_.size() && slots_[under].life == life ? slots_[under].value : nullptr;
    }

    void set(pthread_key_t under, key_life life, void* value) {
        if (under >= slots_.size()) {
            slots_.resize(under + 1);
        }
        slots_[under] = {life, value};
    }

private:
    struct slot {
        key_life life = 0;
        void* value = nullptr;
    };

    fiber_values() noexcept : local_value{variable(), end} {}

    static std::uint64_t variable() noexcept {
        static const std::uint64_t known = coir::detail::new_variable_key();
        return known;
    }

    // The fiber ends, and has put this out of its list. The destructors of values find it there
    // once more, and what they set is destroyed in the next round.
    static void end(local_value& self) noexcept {
        auto& mine = static_cast<fiber_values&>(self);
        if (mine.ending_) {
            delete &mine;
            return;
        }
        mine.ending_ = true;
        coir::detail::add_local_value(mine);
        for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && mine.destroy_all(); ++round) {
        }
        coir::detail::drop_local_value(variable());
    }

    // False: there was nothing to destroy.
    bool destroy_all() noexcept {
        bool any = false;
        for (std::size_t i = 0; i < slots_.size(); ++i) {  // there may be more meanwhile
            const slot found = std::exchange(slots_[i], {});
            if (found.value == nullptr || found.life != life_of(static_cast<pthread_key_t>(i))) {
                continue;
            }
            if (const destructor at_end = records[i].destroy.load(std::memory_order_relaxed)) {
                any = true;
                at_end(found.value);
            }
        }
        return any;
    }

    std::vector<slot> slots_;
    bool ending_ = false;
};

bool in_fiber() noexcept { return coir::detail::who_calls().id != 0; }

}  // namespace

COIR_HOOK int pthread_key_create(pthread_key_t* key, destructor destroy) noexcept {
    const int result = COIR_ORIGINAL(pthread_key_create)(key, destroy);
    if (result == 0 && enabled() && *key < records.size() &&
        (chosen.fiber_local_keys || asked_for.load(std::memory_order_relaxed))) {
        key_record& record = records[*key];
        record.destroy.store(destroy, std::memory_order_relaxed);
        record.life.store(record.life.load(std::memory_order_relaxed) + 1,
                          std::memory_order_release);
        any_fiber_local.store(true, std::memory_order_relaxed);
    }
    return result;
}

COIR_HOOK int pthread_key_delete(pthread_key_t key) noexcept {
    if (any_fiber_local.load(std::memory_order_relaxed) && is_fiber_local(life_of(key))) {
        records[key].life.fetch_add(1, std::memory_order_acq_rel);
    }
    return COIR_ORIGINAL(pthread_key_delete)(key);
}

COIR_HOOK void* pthread_getspecific(pthread_key_t key) noexcept {
    if (any_fiber_local.load(std::memory_order_relaxed)) {
        if (const key_life life = life_of(key); is_fiber_local(life) && in_fiber()) {
            const fiber_values* const values = fiber_values::find();
            return values != nullptr ? values->value(key, life) : nullptr;
        }
    }
    return COIR_ORIGINAL(pthread_getspecific)(key);
}

COIR_HOOK int pthread_setspecific(pthread_key_t key, const void* value) noexcept {
    if (any_fiber_local.load(std::memory_order_relaxed)) {
        if (const key_life life = life_of(key); is_fiber_local(life) && in_fiber()) {
            try {
                fiber_values::get().set(key, life, const_cast<void*>(value));
                return 0;
            } catch (const std::exception&) {
                return ENOMEM;
            }
        }
    }
    return COIR_ORIGINAL(pthread_setspecific)(key, value);
}

// Other names of the same.
COIR_HOOK [[gnu::alias("pthread_key_create"), gnu::nonnull(1)]] int __pthread_key_create(
    pthread_key_t* key, destructor destroy) noexcept;
COIR_HOOK [[gnu::alias("pthread_getspecific")]] void* __pthread_getspecific(
    pthread_key_t key) noexcept;
COIR_HOOK [[gnu::alias("pthread_setspecific")]] int __pthread_setspecific(
    pthread_key_t key, const void* value) noexcept;

namespace coir::hook {

void use_fiber_local_keys() noexcept { asked_for.store(true, std::memory_order_relaxed); }

}  // namespace coir::hook
