# SPDX-License-Identifier: BSL-1.0
"""asyncio's program on uvloop's loop."""

import pathlib
import runpy

import uvloop

uvloop.install()
runpy.run_path(str(pathlib.Path(__file__).parents[1] / "asyncio" / "spawn_join.py"))
