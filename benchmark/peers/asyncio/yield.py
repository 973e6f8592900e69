# SPDX-License-Identifier: BSL-1.0
"""A ring of tasks that do nothing but yield. What is counted is the way from one to the next."""

import asyncio
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, argument, report, require


async def main():
    fibers = int(argument("--fibers", 2))
    turns = [0] * fibers
    stop = False

    async def go_round_until_told(number):
        while not stop:
            turns[number] += 1
            await asyncio.sleep(0)

    async def go_round(rounds):
        for _ in range(rounds):
            turns[0] += 1
            await asyncio.sleep(0)

    others = [asyncio.create_task(go_round_until_told(i)) for i in range(1, fibers)]
    batch = 10_000 // fibers + 1
    await go_round(batch)
    before = turns[0]
    window = Window()
    while True:
        await go_round(batch)
        if not window.is_open():
            break
    switches = (turns[0] - before) * fibers
    stop = True
    await asyncio.gather(*others)
    require(max(turns) - min(turns) <= 1, "a task was passed over")
    report(window.spent / switches, "ns", f"{turns[0]} turns by each of {fibers} tasks")


asyncio.run(main())
