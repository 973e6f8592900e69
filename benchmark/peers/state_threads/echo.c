/* SPDX-License-Identifier: BSL-1.0
 * TCP echo with State Threads: a thread of its own kind a connection. */
#include "../raw/server.h"

#include <st.h>

enum { stack_size = 65536 };

static void* echo(void* client) {
    char buffer[buffer_size];
    ssize_t got;
    while ((got = st_read(client, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0) {
        if (st_write(client, buffer, (size_t)got, ST_UTIME_NO_TIMEOUT) != got) {
            break;
        }
    }
    st_netfd_close(client);
    return NULL;
}

int main(void) {
    /* ALT is epoll. A library that was built without it, as Debian's 1.9 is, says 0 all the same,
     * and would use select(2), which ends at 1,024 descriptors. One that has it refuses the second.
     */
    st_set_eventsys(ST_EVENTSYS_ALT);
    st_set_eventsys(ST_EVENTSYS_POLL);
    checked(st_init(), "st_init");
    const st_netfd_t listener = st_netfd_open_socket(listen_on_loopback(0));
    for (;;) {
        const st_netfd_t client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
        if (client == NULL) {
            checked(-1, "st_accept");
        }
        set_no_delay(st_netfd_fileno(client));
        if (st_thread_create(echo, client, 0, stack_size) == NULL) {
            checked(-1, "st_thread_create");
        }
    }
}
