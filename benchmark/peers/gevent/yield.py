# SPDX-License-Identifier: BSL-1.0
"""A ring of greenlets that do nothing but yield. What is counted is the way from one to the next."""

import pathlib
import sys

import gevent

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, argument, report, require

fibers = int(argument("--fibers", 2))
turns = [0] * fibers
stop = False


def go_round_until_told(number):
    while not stop:
        turns[number] += 1
        gevent.sleep(0)


def go_round(rounds):
    for _ in range(rounds):
        turns[0] += 1
        gevent.sleep(0)


others = [gevent.spawn(go_round_until_told, i) for i in range(1, fibers)]
batch = 10_000 // fibers + 1
gevent.sleep(0)
go_round(batch)
before = sum(turns)
window = Window()
while True:
    go_round(batch)
    if not window.is_open():
        break
switches = sum(turns) - before
stop = True
gevent.joinall(others)
require(max(turns) - min(turns) <= 2, "a greenlet was passed over")
report(window.spent / switches, "ns", f"{turns[0]} turns by each of {fibers} greenlets")
