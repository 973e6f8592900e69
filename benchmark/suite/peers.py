# SPDX-License-Identifier: BSL-1.0
"""Whom coir is measured beside, and where their versions are asked for."""

import dataclasses
import subprocess


@dataclasses.dataclass(frozen=True)
class Peer:
    """`name` is the folder of its programs; `package` is Debian's name of what it needs, whose
    version the tables show, and `module` the Python module in it. `limit` marks what no library can
    pass."""

    name: str
    title: str
    package: str = ""
    limit: bool = False
    module: str = ""


PEERS = [
    Peer("coir", "coir"),
    Peer("raw", "plain C, no library", limit=True),
    Peer("boost_context", "Boost.Context, no scheduler", "libboost-context-dev", limit=True),
    Peer("boost_fiber", "Boost.Fiber", "libboost-fiber-dev"),
    Peer("asio_spawn", "Boost.Asio, spawn", "libboost-coroutine-dev"),
    Peer("asio_awaitable", "Boost.Asio, awaitable", "libboost-dev"),
    Peer("state_threads", "State Threads", "libst-dev"),
    Peer("go", "Go", "golang-go"),
    Peer("libuv", "libuv", "libuv1-dev"),
    Peer("asyncio", "asyncio", "python3"),
    Peer("uvloop", "uvloop", "python3-uvloop", module="uvloop"),
    Peer("gevent", "gevent", "python3-gevent", module="gevent"),
    Peer("nginx", "nginx", "nginx"),
]

LIMITS = tuple(peer.name for peer in PEERS if peer.limit)


def is_limit(name):
    """Whether a column is a limit: one of LIMITS, or raw with something after it."""
    return name in LIMITS or name.startswith("raw_")


def is_coir(name):
    """Whether a column is coir's: coir, or coir with something after it."""
    return name == "coir" or name.startswith("coir_")


def version_of(package):
    """The version of an installed Debian package, or ''."""
    try:
        result = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", package],
                                capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
