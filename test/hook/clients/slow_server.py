#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A server that answers when it is told to, for clients whose own servers know no delay.

  http(s)     GET /MILLISECONDS is answered after that time, with the line "waited MILLISECONDS"
  memcached   `get wait:MILLISECONDS` is handed to a real memcached after that time
"""

import argparse
import asyncio
import ssl


async def serve_http(reader, writer):
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        milliseconds = int(request.split(b" ")[1][1:])
        await asyncio.sleep(milliseconds / 1000)
        body = b"waited %d\n" % milliseconds
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(body), body))
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass  # the client has gone: a test of cancellation
    finally:
        writer.close()


def memcached_front(port):
    async def serve(reader, writer):
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)

        async def answer():
            while data := await behind_reader.read(65536):
                writer.write(data)

        answers = asyncio.create_task(answer())
        try:
            while line := await reader.readline():
                if line.startswith(b"get wait:"):
                    await asyncio.sleep(int(line.split(b":")[1]) / 1000)
                behind_writer.write(line)
        except OSError:
            pass
        finally:
            answers.cancel()
            behind_writer.close()
            writer.close()

    return serve


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", type=int, metavar="PORT")
    parser.add_argument("--https", type=int, metavar="PORT")
    parser.add_argument("--certificate", metavar="FOLDER", help="with cert.pem and key.pem")
    parser.add_argument("--memcached", type=int, nargs=2, metavar=("PORT", "REAL"))
    chosen = parser.parse_args()

    listen = {"host": "127.0.0.1", "backlog": 4096}
    servers = []
    if chosen.http:
        servers.append(await asyncio.start_server(serve_http, port=chosen.http, **listen))
    if chosen.https:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.certificate + "/cert.pem", chosen.certificate + "/key.pem")
        servers.append(await asyncio.start_server(serve_http, port=chosen.https, ssl=context,
                                                  **listen))
    if chosen.memcached:
        port, real = chosen.memcached
        servers.append(await asyncio.start_server(memcached_front(real), port=port, **listen))
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
