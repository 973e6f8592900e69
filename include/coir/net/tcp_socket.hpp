// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coir/export.hpp>
#include <coir/net/endpoint.hpp>

#include <cstddef>
#include <system_error>
#include <utility>
#if defined(__has_include) && __cplusplus >= 202002L
#if __has_include(<span>)
#include <span>
#endif
#endif

namespace coir::net {

/// @brief A TCP connection: a stream (coir/io/stream.hpp) that owns its descriptor.
///
/// Every call that fails has two forms: one throws std::system_error with a message that names the
/// peer, one takes a `std::error_code&`. Small writes are sent at once (`TCP_NODELAY` is on, as in
/// Go); collect them in an io::buffered_stream.
///
/// @suspends connect(), read_some(), write_some() and write_all(), where the kernel is not ready.
/// On io_uring (see reactor_kind) a write also lets fibers run that are ready.
/// Nothing else waits: close() and the destructor leave what is still to be sent to the kernel.
/// @threadsafety Distinct sockets are independent. On one socket any fibers and threads may read,
/// write, shut down and make const calls at once: none of these changes the object. close(),
/// release(), moving and destruction do. As with std's objects, none of them may happen while
/// another thread is in a call on the socket, or about to make one; a fiber of the same carrier may
/// be in one that waits. To end what a fiber of another carrier or a thread does, shutdown() the
/// socket, or cancel the fiber; then join it, and close. A socket that nobody uses may be moved to
/// another thread.
/// @errors The system's (std::system_category()): connection_refused, connection_reset,
/// broken_pipe (never SIGPIPE), timed_out, network_unreachable, too_many_files_open and so on;
/// bad_file_descriptor where the socket is closed, or is closed by another fiber meanwhile;
/// not_connected where it is shut down after a reset.
/// @cancellation Each call that may wait is a cancellation point; a call that throws
/// operation_cancelled has moved no data, but for write_all().
/// @lifetime Must outlive the calls on it. Do not move or destroy it while another fiber is in one.
/// @example `samples/04_echo_server.cpp`
class COIR_API tcp_socket {
public:
    /// Makes a closed socket.
    tcp_socket() noexcept = default;
    /// Takes the descriptor over; `other` is closed after.
    tcp_socket(tcp_socket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), peer_(other.peer_) {}
    /// Closes this socket, and takes the descriptor over.
    tcp_socket& operator=(tcp_socket&& other) noexcept;
    ~tcp_socket() { close(); }

    /// Connects. @returns an open socket; with `ec` and an error, a closed one.
    static tcp_socket connect(const endpoint& to);
    /// @copybrief connect(const endpoint&)
    static tcp_socket connect(const endpoint& to, std::error_code& ec);

    /// Takes over a connected TCP descriptor, and makes it non-blocking and close-on-exec.
    /// @throws std::system_error if it is none; then it stays the caller's.
    static tcp_socket from_native(int descriptor);

    /// Takes over a TCP descriptor that is known to be non-blocking and connected to `peer`. Asks
    /// the kernel nothing.
    static tcp_socket from_native(int descriptor, const endpoint& peer) noexcept;

    /// Reads what there is, up to `size` bytes, waiting for the first one. @returns how many; 0 is
    /// the end of the stream (or `size` is 0).
    std::size_t read_some(void* data, std::size_t size);
    /// @copybrief read_some(void*, std::size_t)
    std::size_t read_some(void* data, std::size_t size, std::error_code& ec);

    /// Writes what the kernel has room for, at least a byte. @returns how many.
    std::size_t write_some(const void* data, std::size_t size);
    /// @copybrief write_some(const void*, std::size_t)
    std::size_t write_some(const void* data, std::size_t size, std::error_code& ec);

    /// Writes everything. Where it fails, a part may have been sent. @returns how much was.
    std::size_t write_all(const void* data, std::size_t size);
    /// @copybrief write_all(const void*, std::size_t)
    std::size_t write_all(const void* data, std::size_t size, std::error_code& ec);

#ifdef __cpp_lib_span
    /// @copybrief read_some(void*, std::size_t)
    std::size_t read_some(std::span<std::byte> data) { return read_some(data.data(), data.size()); }
    /// @copybrief write_some(const void*, std::size_t)
    std::size_t write_some(std::span<const std::byte> data) {
        return write_some(data.data(), data.size());
    }
    /// @copybrief write_all(const void*, std::size_t)
    std::size_t write_all(std::span<const std::byte> data) {
        return write_all(data.data(), data.size());
    }
#endif

    /// Ends the stream to the peer, which reads what is on its way and then the end. Reading goes
    /// on.
    void shutdown_write();
    /// @copybrief shutdown_write()
    void shutdown_write(std::error_code& ec);

    /// Ends the connection in both directions, and keeps the descriptor. Calls on it, those that
    /// wait included, end on whatever carrier or thread they are: reads with what has arrived and
    /// then the end of the stream, writes with broken_pipe. So another thread may call it where it
    /// must not close().
    void shutdown();
    /// @copybrief shutdown()
    void shutdown(std::error_code& ec);

    /// Closes the socket, if it is open. Calls on it by other fibers of this carrier fail with
    /// bad_file_descriptor.
    void close() noexcept;

    /// @returns whether there is a descriptor; the peer may be gone nevertheless.
    bool is_open() const noexcept { return descriptor_ >= 0; }

    /// @returns our end of the connection. @throws std::system_error if the socket is closed.
    endpoint local_endpoint() const;

    /// @returns the peer that the socket is or was connected to. Needs no system call, and is known
    /// after a reset too.
    const endpoint& remote_endpoint() const noexcept { return peer_; }

    /// Chooses between sending small writes at once (the default) and collecting them (Nagle).
    void set_no_delay(bool on);

    /// @returns the descriptor, which stays the socket's; -1 if closed. It is non-blocking.
    int native_handle() const noexcept { return descriptor_; }

    /// Gives the descriptor up: it stays open and becomes the caller's. Waits end as for close().
    [[nodiscard]] int release() noexcept;

private:
    tcp_socket(int descriptor, const endpoint& peer) noexcept
        : descriptor_(descriptor), peer_(peer) {}

    int descriptor_ = -1;
    endpoint peer_;
};

}  // namespace coir::net
