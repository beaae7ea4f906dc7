# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Started by ccid-sim beside the real pcscd, in which libcount.so counts: what a client's calls cost there. Prints rows as inside.py does.
"""
import json
import os
import sys
import time

import measure

sys.path.insert(0, os.path.join(measure.HERE, "../e2e"))
from pcsc import Context, eventually  # noqa: E402  the folder has to be known before

MANY = 1000
SHORT = bytes.fromhex("8012ABCD06")


class Meter:
    """Counts of pcscd and of the simulator around a call."""

    def __init__(self):
        self.counts = measure.Counts(os.path.dirname(os.environ["BENCH_COUNTS"]), os.environ["BENCH_COUNTS"])
        self.rows = []

    def row(self, name, call, per=1):
        before = {**measure.simulator(), **self.counts.now()}
        begun = time.monotonic()
        result = call()
        elapsed = (time.monotonic() - begun) * 1000 / per
        after = {**measure.simulator(), **self.counts.now()}
        self.rows.append({"name": name, **{key: (after[key] - before[key]) / per for key in after}, "ms": elapsed, "failed": 0})
        return result


def many(card):
    for _ in range(MANY):
        card.send(SHORT)


def main():
    context, meter = Context(), Meter()
    if not eventually(context.readers):
        print(json.dumps({"failed": "no reader is listed"}))
        return
    reader = context.readers()[0]
    time.sleep(1)  # pcscd powers the card by itself at first
    card = meter.row("SCardConnect, first", lambda: context.connect(reader))
    card.send(SHORT)
    meter.row("SCardTransmit, short", lambda: many(card), MANY)
    card.disconnect()
    card = meter.row("SCardConnect, again", lambda: context.connect(reader))
    card.disconnect()
    print(json.dumps(meter.rows))


main()
