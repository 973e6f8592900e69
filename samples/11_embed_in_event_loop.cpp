// SPDX-License-Identifier: BSL-1.0
// Fibers as guests in a program that has an event loop already, here glib's; there is no
// coir::run(). The loop's callbacks and the fibers take turns on one thread, so that each may use
// what the other has, with no lock.
#include <glib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <coir/coir.hpp>
#include <exception>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

// All that an event loop has to do for coir: to call run_ready() when the descriptor is readable,
// and when the first timer is due. In glib this is a source of one's own.
struct coir_source {
    GSource base;
    coir::guest_run* guest;
};

gboolean run_fibers(GSource* source, GSourceFunc, gpointer) {
    coir::guest_run& guest = *reinterpret_cast<coir_source*>(source)->guest;
    guest.run_ready();
    const coir::deadline next = guest.next_deadline();
    gint64 ready_time = -1;  // there is no timer
    if (!next.is_never())    // rounded up: a microsecond early there is nothing to do yet
        ready_time = g_get_monotonic_time() +
                     std::chrono::ceil<std::chrono::microseconds>(next.remaining()).count();
    g_source_set_ready_time(source, ready_time);
    return G_SOURCE_CONTINUE;
}

GSource* attach(coir::guest_run& guest) {
    static GSourceFuncs functions{nullptr, nullptr, run_fibers, nullptr, nullptr, nullptr};
    GSource* source = g_source_new(&functions, sizeof(coir_source));
    reinterpret_cast<coir_source*>(source)->guest = &guest;
    g_source_add_unix_fd(source, guest.descriptor(), G_IO_IN);
    g_source_attach(source, nullptr);
    return source;
}

// What the program has of its own: a callback every few milliseconds. The third one has news for a
// fiber, and a promise is how it gets there.
struct ticker {
    coir::promise<std::string> news;
    int ticks = 0;
};

gboolean tick(gpointer data) {
    ticker& host = *static_cast<ticker*>(data);
    if (++host.ticks == 3) {
        std::cout << "host: has news" << std::endl;
        host.news.set_value("the button was pressed");
    }
    return G_SOURCE_CONTINUE;
}

// The fibers wait as ever: for the news, for each other, for sockets, for time.
void shout(coir::net::tcp_listener& listener) {
    coir::net::tcp_socket client = listener.accept();
    std::array<char, 256> buffer;
    while (const std::size_t size = client.read_some(buffer.data(), buffer.size())) {
        std::transform(buffer.begin(), buffer.begin() + size, buffer.begin(), g_ascii_toupper);
        client.write_all(buffer.data(), size);
    }
}

void talk(coir::future<std::string> news, GMainLoop* loop) {
    struct at_end {
        ~at_end() { g_main_loop_quit(loop); }  // a fiber may call what the host has
        GMainLoop* loop;
    } const quit{loop};
    std::cout << "fiber: waits for news" << std::endl;
    const std::string text = news.get();

    coir::net::tcp_listener listener(coir::net::endpoint::parse("127.0.0.1:0"));
    coir::fiber server([&] { shout(listener); });
    auto connection = coir::net::open_connection(listener.local_endpoint());
    connection.write(text + "!\n");
    connection.drain();
    std::cout << "fiber: a server says " << connection.read_line() << std::flush;

    coir::this_fiber::sleep_for(20ms);
    std::cout << "fiber: has slept, ends the loop" << std::endl;
}

int main() {
    try {
        coir::guest_run guest;  // refuses COIR_REACTOR=poll, which has no descriptor to watch
        GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
        GSource* source = attach(guest);
        ticker host;
        const guint timer = g_timeout_add(2, tick, &host);
        auto talking = guest.spawn(talk, host.news.get_future(), loop);

        g_main_loop_run(loop);

        g_source_remove(timer);
        g_source_destroy(source);
        g_source_unref(source);
        g_main_loop_unref(loop);
        talking.get();  // throws what has escaped the fiber
        std::cout << "host: the loop has ended" << std::endl;
    } catch (const std::exception& error) {
        std::cerr << "11_embed_in_event_loop: " << error.what() << std::endl;
        return 1;
    }
}
