#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""TCP echo with gevent: a greenlet a connection."""

import socket

import gevent.server


def echo(client, _address):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := client.recv(16384):
        client.sendall(data)


def serve():
    server = gevent.server.StreamServer(("127.0.0.1", 0), echo, backlog=4096)
    server.start()
    print("listening", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
