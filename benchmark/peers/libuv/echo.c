/* SPDX-License-Identifier: BSL-1.0
 * TCP echo with libuv: callbacks. An answer is written at once where the socket takes it, and
 * queued where it does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char shared_buffer[65536]; /* an answer has left it before the next read */

static void check(int status, const char* what) {
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
        exit(1);
    }
}

static void* allocate(size_t size) {
    void* const memory = malloc(size);
    if (memory == NULL) {
        check(UV_ENOMEM, "malloc");
    }
    return memory;
}

static void on_closed(uv_handle_t* client) { free(client); }

static void end(uv_stream_t* client) {
    if (!uv_is_closing((uv_handle_t*)client)) {
        uv_close((uv_handle_t*)client, on_closed);
    }
}

static void on_buffer_wanted(uv_handle_t* client, size_t suggested, uv_buf_t* buffer) {
    (void)client;
    (void)suggested;
    *buffer = uv_buf_init(shared_buffer, sizeof shared_buffer);
}

static void on_written(uv_write_t* request, int status) {
    if (status < 0) {
        end(request->handle);
    }
    free(request);
}

/* What the socket does not take at once. */
static void queue(uv_stream_t* client, const char* data, size_t size) {
    uv_write_t* const request = allocate(sizeof *request + size);
    uv_buf_t rest = uv_buf_init((char*)(request + 1), (unsigned)size);
    memcpy(rest.base, data, size);
    check(uv_write(request, client, &rest, 1, on_written), "uv_write");
}

static void on_read(uv_stream_t* client, ssize_t got, const uv_buf_t* buffer) {
    if (got < 0) {
        end(client);
        return;
    }
    const uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)got);
    const int written = uv_try_write(client, &answer, 1);
    if (written < 0 && written != UV_EAGAIN) {
        end(client);
        return;
    }
    const ssize_t done = written > 0 ? written : 0;
    if (done < got) {
        queue(client, buffer->base + done, (size_t)(got - done));
    }
}

static void on_connection(uv_stream_t* listener, int status) {
    check(status, "listen");
    uv_tcp_t* const client = allocate(sizeof *client);
    check(uv_tcp_init(listener->loop, client), "uv_tcp_init");
    check(uv_accept(listener, (uv_stream_t*)client), "uv_accept");
    check(uv_tcp_nodelay(client, 1), "uv_tcp_nodelay");
    check(uv_read_start((uv_stream_t*)client, on_buffer_wanted, on_read), "uv_read_start");
}

int main(void) {
    uv_loop_t* const loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;
    check(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
    check(uv_tcp_init(loop, &listener), "uv_tcp_init");
    check(uv_tcp_bind(&listener, (const struct sockaddr*)&address, 0), "uv_tcp_bind");
    check(uv_listen((uv_stream_t*)&listener, 4096, on_connection), "uv_listen");
    int size = sizeof address;
    check(uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &size), "uv_tcp_getsockname");
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
