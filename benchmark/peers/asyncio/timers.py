# SPDX-License-Identifier: BSL-1.0
"""Many tasks, each of which sleeps 1 to 100 ms, again and again. What is counted is the processor
time of one wake-up, and how late it was. The loop's clock has a resolution, by which it may be
early: that counts as not late."""

import asyncio
import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Naps, argument, cpu_ns, report_sleepers

late_ns = []
counting = False
stop = False


async def sleep_again_and_again(seed):
    naps = Naps(seed)
    while not stop:
        nap = naps.next_ns()
        due = time.monotonic_ns() + nap
        await asyncio.sleep(nap / 1e9)
        if counting:
            late_ns.append(time.monotonic_ns() - due)


async def main():
    global counting, stop
    sleepers = int(argument("--fibers", 10_000))
    tasks = [asyncio.create_task(sleep_again_and_again(i)) for i in range(sleepers)]
    await asyncio.sleep(0.2)  # all sleep, out of step
    counting = True
    cpu, wall = cpu_ns(), time.monotonic_ns()
    await asyncio.sleep(argument("--seconds", 1))
    cpu, wall = cpu_ns() - cpu, time.monotonic_ns() - wall
    counting, stop = False, True
    await asyncio.gather(*tasks)
    report_sleepers(late_ns, sleepers, cpu, wall)


asyncio.run(main())
