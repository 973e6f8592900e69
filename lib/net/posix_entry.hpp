// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "base/libc_only.hpp"
#include "net/posix_call.hpp"
#include "net/posix_offload.hpp"

#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#ifdef __linux__
#include <shadow.h>
#endif
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

// Entries of the system's databases: a structure, and the memory that its strings and lists lie in,
// which libc's reentrant look-ups are given by the caller. A look-up that may be left behind is
// given memory of its own, and what it has found moves to the caller's afterwards.
namespace coir::detail {

// visit.string(s) for each string of an entry, visit.list(l) for each list of strings.
template <class Visit>
void visit_pointers(passwd& e, const Visit& visit) {
    visit.string(e.pw_name);
    visit.string(e.pw_passwd);
    visit.string(e.pw_gecos);
    visit.string(e.pw_dir);
    visit.string(e.pw_shell);
}
template <class Visit>
void visit_pointers(group& e, const Visit& visit) {
    visit.string(e.gr_name);
    visit.string(e.gr_passwd);
    visit.list(e.gr_mem);
}
#ifdef __linux__
template <class Visit>
void visit_pointers(hostent& e, const Visit& visit) {
    visit.string(e.h_name);
    visit.list(e.h_aliases);
    visit.list(e.h_addr_list);
}
template <class Visit>
void visit_pointers(servent& e, const Visit& visit) {
    visit.string(e.s_name);
    visit.string(e.s_proto);
    visit.list(e.s_aliases);
}
template <class Visit>
void visit_pointers(protoent& e, const Visit& visit) {
    visit.string(e.p_name);
    visit.list(e.p_aliases);
}
template <class Visit>
void visit_pointers(spwd& e, const Visit& visit) {
    visit.string(e.sp_namp);
    visit.string(e.sp_pwdp);
}
#endif

// Has pointers into memory that was copied point into the copy. Others are to constants of libc's.
class relocation {
public:
    relocation(const char* from, std::size_t size, char* to) noexcept
        : from_(from), size_(size), to_(to) {}

    void string(char*& s) const noexcept { move(s); }
    void list(char**& l) const noexcept {
        if (!move(l)) {
            return;
        }
        // In memory that the caller has not aligned, libc does not always align a list.
        auto* place = reinterpret_cast<char*>(l);
        for (;; place += sizeof(char*)) {
            char* one = nullptr;
            std::memcpy(&one, place, sizeof one);
            if (one == nullptr) {
                return;
            }
            move(one);
            std::memcpy(place, &one, sizeof one);
        }
    }

private:
    template <class T>
    bool move(T*& p) const noexcept {
        const auto offset =
            reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(from_);
        if (offset >= size_) {
            return false;
        }
        p = reinterpret_cast<T*>(to_ + offset);
        return true;
    }

    const char* const from_;
    const std::size_t size_;
    char* const to_;
};

// How a look-up has ended. The entry is there if `found`.
template <class Entry>
struct found_entry {
    Entry entry{};
    std::unique_ptr<char[]> memory;
    char* buffer = nullptr;  // in it
    std::size_t size = 0;
    bool found = false;
    int error = 0;       // what the look-up has returned
    int host_error = 0;  // for hosts; a look-up that finds something leaves it as it was

    // Gives the look-up as much memory as that, aligned like the caller's own.
    template <class LookUp>
    void look_up_with(const LookUp& look_up, std::size_t bytes, std::size_t misaligned) {
        memory.reset(new char[bytes + alignof(std::max_align_t)]);
        buffer = memory.get() + misaligned;  // what new gives is aligned
        size = bytes;
        Entry* result = nullptr;
        error = look_up(&entry, buffer, size, &result, &host_error);
        found = result != nullptr;
    }
};

// libc's reentrant look-ups, of which `prepare` returns one with copies of all that it asks for:
// look_up(entry, buffer, size, &result, &host_error) -> error.
//
// @returns the error. With the caller's own memory, as it is.
template <class Entry, class Prepare>
int look_up_into(Entry* entry, char* buffer, std::size_t size, Entry** result, int* host_error,
                 Prepare prepare) noexcept {
    posix_call call;
    *result = nullptr;
    if (cancellation_pending()) {
        *host_error = NETDB_INTERNAL;
        return cancellation_errno();
    }
    const std::size_t misaligned =
        reinterpret_cast<std::uintptr_t>(buffer) % alignof(std::max_align_t);
    found_entry<Entry> found;
    const int error = offload(found, [&] {
        return [look_up = prepare(), size, misaligned, host_error_before = *host_error] {
            found_entry<Entry> made;
            made.host_error = host_error_before;
            made.look_up_with(look_up, size, misaligned);
            return made;
        };
    });
    call.end(0, true);
    if (error != 0) {
        *host_error = NETDB_INTERNAL;
        return error;
    }
    *host_error = found.host_error;
    if (found.found) {
        std::memcpy(buffer, found.buffer, size);
        *entry = found.entry;
        visit_pointers(*entry, relocation(found.buffer, size, buffer));
        *result = entry;
    }
    return found.error;
}

// The same for what knows no h_errno.
template <class Entry, class Prepare>
int look_up_into(Entry* entry, char* buffer, std::size_t size, Entry** result,
                 Prepare prepare) noexcept {
    int host_error = 0;
    return look_up_into(entry, buffer, size, result, &host_error, prepare);
}

// With memory of our own, which a thread keeps until the next look-up of the kind: what the old
// functions promise. `latest` is the thread's. @returns 0, or the errno of what kept the look-up
// from its end; null is found then.
template <class Entry, class Prepare>
int look_up_latest(found_entry<Entry>& latest, Prepare prepare) noexcept {
    found_entry<Entry> found;
    const int error = cancellation_pending() ? cancellation_errno() : offload(found, [&] {
        return [look_up = prepare()] {
            constexpr std::size_t usual_size = 1024;
            found_entry<Entry> made;
            for (std::size_t size = usual_size; size == usual_size || made.error == ERANGE;
                 size *= 2) {
                made.look_up_with(look_up, size, 0);
            }
            return made;
        };
    });
    latest = std::move(found);
    return error;
}

// As the old function gives it, for entries other than hosts: null, and errno is as it was, if
// there is no such one.
template <class Entry, class Prepare>
Entry* latest_entry(found_entry<Entry>& latest, Prepare prepare) noexcept {
    posix_call call;
    int error = look_up_latest(latest, prepare);
    if (error == 0 && !latest.found && latest.error != ENOENT) {
        error = latest.error;
    }
    errno = error;
    call.end(error != 0 ? -1 : 0, true);
    return latest.found ? &latest.entry : nullptr;
}

}  // namespace coir::detail
