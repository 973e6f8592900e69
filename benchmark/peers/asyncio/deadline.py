# SPDX-License-Identifier: BSL-1.0
"""A deadline that does not fire, armed and cancelled while many others are armed: a call of the
loop's, later, and cancelled. An asyncio.timeout() is made on top of one, and costs more."""

import asyncio
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, argument, report, require

BATCH = 10_000
fired = 0


def fire():
    global fired
    fired += 1


async def main():
    loop = asyncio.get_running_loop()
    armed = int(argument("--armed", 1_000_000))
    others = [loop.call_later(3600 + 0.003 * i, fire) for i in range(armed)]

    async def arm_and_cancel():
        for i in range(BATCH):
            loop.call_later(1800 + 0.001 * i, fire).cancel()
        await asyncio.sleep(0)

    await arm_and_cancel()
    times = 0
    window = Window()
    while True:
        await arm_and_cancel()
        times += BATCH
        if not window.is_open():
            break
    require(fired == 0 and not any(each.cancelled() for each in others), "a deadline has fired")
    report(window.spent / times, "ns", f"{times} deadlines cancelled, and {armed} armed")


asyncio.run(main())
