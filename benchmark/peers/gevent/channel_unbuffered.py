# SPDX-License-Identifier: BSL-1.0
"""A question and its answer through two channels without a buffer. What is counted is both."""

import pathlib
import sys

import gevent
from gevent.queue import Channel

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from measure import Window, report, require

BATCH = 1000
questions = Channel()
answers = Channel()
asked = 0
total = 0


def answer():
    for question in questions:
        answers.put(question + 1)


def ask():
    global asked, total
    for _ in range(BATCH):
        questions.put(asked)
        asked += 1
        total += answers.get()


other = gevent.spawn(answer)
ask()
window = Window()
while True:
    ask()
    if not window.is_open():
        break
questions.put(StopIteration)
other.join()
require(total == asked * (asked + 1) // 2, "an answer is wrong")
report(window.spent / (asked - BATCH), "ns", f"the sum of {asked} answers")
