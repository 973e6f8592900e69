// SPDX-License-Identifier: BSL-1.0
// getaddrinfo, getnameinfo: libc's own, on a thread of the blocking pool. That thread may be left
// behind by a cancellation, so it works on copies only.
#include <coir/posix.hpp>

#include "base/system_calls.hpp"
#include "net/posix_call.hpp"
#include "net/posix_offload.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace coir::detail {

namespace {

struct free_list {
    void operator()(addrinfo* list) const noexcept { sys.freeaddrinfo(list); }
};

struct found_addresses {
    int code = 0;
    int error = 0;
    std::unique_ptr<addrinfo, free_list> list;
};

found_addresses find_addresses(const std::optional<std::string>& host,
                               const std::optional<std::string>& service,
                               const std::optional<addrinfo>& hints) noexcept {
    found_addresses result;
    addrinfo* list = nullptr;
    errno = 0;
    result.code =
        sys.getaddrinfo(pointer_to(host), pointer_to(service), hints ? &*hints : nullptr, &list);
    result.error = errno;
    if (result.code == 0) {
        result.list.reset(list);
    }
    return result;
}

struct found_names {
    int code = 0;
    int error = 0;
    std::string host;
    std::string service;
};

found_names find_names(const sockaddr_storage& address, socklen_t address_size,
                       std::optional<socklen_t> host_size, std::optional<socklen_t> service_size,
                       int flags) {
    found_names result;
    std::string host(host_size.value_or(0), '\0');
    std::string service(service_size.value_or(0), '\0');
    errno = 0;
    result.code =
        sys.getnameinfo(reinterpret_cast<const sockaddr*>(&address), address_size,
                        host_size ? host.data() : nullptr, host_size.value_or(0),
                        service_size ? service.data() : nullptr, service_size.value_or(0), flags);
    result.error = errno;
    if (result.code == 0) {
        result.host = host.c_str();
        result.service = service.c_str();
    }
    return result;
}

int eai(int error) noexcept {
    if (error == ENOMEM) {
        return EAI_MEMORY;
    }
    errno = error;
    return EAI_SYSTEM;
}

std::optional<socklen_t> capacity_of(const char* buffer, socklen_t size) noexcept {
    return buffer != nullptr && size > 0 ? std::optional<socklen_t>(size) : std::nullopt;
}

void copy_out(const std::string& text, char* buffer, socklen_t size) noexcept {
    if (buffer != nullptr && size > text.size()) {
        std::memcpy(buffer, text.c_str(), text.size() + 1);
    }
}

}  // namespace

}  // namespace coir::detail

namespace coir::posix {

using detail::posix_call;
using detail::sys;

int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                addrinfo** result) noexcept {
    const bool asks_nobody = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
    if (posix_call::is_for_libc() || asks_nobody) {
        return sys.getaddrinfo(host, service, hints, result);
    }
    posix_call call;
    if (!call.begin()) {
        return EAI_SYSTEM;
    }
    detail::found_addresses found;
    const int error = detail::offload(found, [&] {
        return [h = detail::copy_of(host), s = detail::copy_of(service),
                hint = hints != nullptr ? std::optional<addrinfo>(*hints) : std::nullopt] {
            return detail::find_addresses(h, s, hint);
        };
    });
    if (error != 0) {
        return detail::eai(error);
    }
    if (found.code == EAI_SYSTEM) {
        errno = found.error;
    } else {
        call.end(0, true);
    }
    if (found.code == 0) {
        *result = found.list.release();
    }
    return found.code;
}

int getnameinfo(const sockaddr* address, socklen_t address_size, char* host, socklen_t host_size,
                char* service, socklen_t service_size, int flags) noexcept {
    const bool asks_nobody =
        (flags & NI_NUMERICHOST) != 0 && ((flags & NI_NUMERICSERV) != 0 || service == nullptr);
    if (posix_call::is_for_libc() || asks_nobody || address == nullptr ||
        address_size > sizeof(sockaddr_storage)) {
        return sys.getnameinfo(address, address_size, host, host_size, service, service_size,
                               flags);
    }
    posix_call call;
    if (!call.begin()) {
        return EAI_SYSTEM;
    }
    sockaddr_storage copy{};
    std::memcpy(&copy, address, address_size);
    detail::found_names found;
    const int error = detail::offload(found, [&] {
        return [copy, address_size, h = detail::capacity_of(host, host_size),
                s = detail::capacity_of(service, service_size), flags] {
            return detail::find_names(copy, address_size, h, s, flags);
        };
    });
    if (error != 0) {
        return detail::eai(error);
    }
    if (found.code == EAI_SYSTEM) {
        errno = found.error;
        return EAI_SYSTEM;
    }
    if (found.code == 0) {
        detail::copy_out(found.host, host, host_size);
        detail::copy_out(found.service, service, service_size);
    }
    call.end(0, true);
    return found.code;
}

}  // namespace coir::posix
