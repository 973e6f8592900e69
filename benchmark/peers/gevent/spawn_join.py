# SPDX-License-Identifier: BSL-1.0
"""A greenlet that counts one and ends, spawned and joined, again and again."""

import pathlib
import sys

import gevent

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, report, require

BATCH = 1000
ran = 0


def count_one():
    global ran
    ran += 1


def spawn_and_join():
    for _ in range(BATCH):
        gevent.spawn(count_one).join()


spawn_and_join()
spawned = 0
window = Window()
while True:
    spawn_and_join()
    spawned += BATCH
    if not window.is_open():
        break
require(ran == spawned + BATCH, "a greenlet did not run")
report(window.spent / spawned, "ns", f"{ran} greenlets have run")
