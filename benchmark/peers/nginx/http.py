#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""HTTP with nginx: one worker, which answers each request with the same words.

Writes a configuration for a free port of loopback into the folder that it is given, and becomes
nginx.
"""

import os
import pathlib
import shutil
import socket
import sys

CONFIGURATION = """\
daemon off;
worker_processes 1;
error_log stderr error;
pid {folder}/nginx.pid;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type text/plain;
        location / {{
            return 200 "Hello, world!\\n";
        }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: http.py FOLDER")
    folder = pathlib.Path(sys.argv[1]).resolve()
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        sys.exit("nginx is not installed")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    print("listening", port, flush=True)
    os.execv(program, [program, "-p", str(folder), "-c", str(configuration)])


if __name__ == "__main__":
    main()
