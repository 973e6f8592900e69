# SPDX-License-Identifier: BSL-1.0
"""A task that counts one and ends, spawned and awaited, again and again."""

import asyncio
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, report, require

BATCH = 1000
ran = 0


async def count_one():
    global ran
    ran += 1


async def spawn_and_join():
    for _ in range(BATCH):
        await asyncio.create_task(count_one())


async def main():
    await spawn_and_join()
    spawned = 0
    window = Window()
    while True:
        await spawn_and_join()
        spawned += BATCH
        if not window.is_open():
            break
    require(ran == spawned + BATCH, "a task did not run")
    report(window.spent / spawned, "ns", f"{ran} tasks have run")


asyncio.run(main())
