# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What is measured: readers, cards, and the operations on them. A step is what host.c is told; its name, if it has one, is a row of the
table, and its last number by how much the counts are divided.
"""
from collections import namedtuple

# ctl: words for "ccid-sim ctl", before the step. per: what one of the row is.
Step = namedtuple("Step", "name line ctl per", defaults=(None, 1))
# tools: what it is run under beside the counting itself.
Scene = namedtuple("Scene", "reader card title steps tools interface readers", defaults=(("strace", "callgrind"), 0, 1))

CASES = (
    ("case 1", "80160000"),
    ("case 2, 6 bytes", "8012ABCD06"),
    ("case 3, 16 bytes", "8016000010x16"),
    ("case 4, 16 bytes", "8010000010x16 00"),
    ("case 3, 255 bytes", "80160000FFx255"),
)
MANY = 1000
SHORT = "8012ABCD06"
EXTENDED = (
    ("64 KiB to the card", "8016000000FFFFx65535"),
    ("64 KiB to the card and back", "8010000000FFFFx65535 0000"),
)


def connect(protocol):
    """From an open reader to a card that takes APDUs; the first one is not counted."""
    return [
        Step("presence", "presence 0"),
        Step("card in to ATR", "power 0 1"),
        Step("connect", f"protocol 0 {protocol}"),
        Step(None, f"transmit 0 1 {SHORT}"),
    ]


def apdus(extended):
    return [Step(name, f"transmit 0 1 {apdu}") for name, apdu in CASES + (EXTENDED if extended else ())]


def whole(protocol, extended=False):
    return [Step("open", "open 0 1"), *connect(protocol), *apdus(extended),
            Step("short APDU", f"transmit 0 {MANY} {SHORT}", per=MANY),
            Step("presence, card in use", "presence 0"),
            Step("close", "close 0 1")]


def with_listener():
    """As pcscd does it: a thread listens for cards meanwhile."""
    return [Step(None, "open 0 1"), *[Step(None, step.line) for step in connect(0)],
            Step(None, "listen 0"), Step(None, "idle 300"),
            Step("short APDU, listening", f"transmit 0 {MANY} {SHORT}", per=MANY),
            Step(None, "idle 500"),
            Step("10 s idle, card in", "idle 10000"),
            Step(None, "idle 1", ("remove",)), Step(None, "idle 1500"),
            Step("10 s idle, no card", "idle 10000"),
            Step(None, "deaf"), Step("close after listening", "close 0 1")]


def slots(count):
    steps = [Step("open", "open 0 1")]
    for slot in range(count):
        steps += [Step(None, "idle 1", ("insert", str(slot)) if slot else None),
                  Step(None, f"presence {slot}"), Step(None, f"power {slot} 1"), Step(None, f"protocol {slot} 0"),
                  Step(None, f"transmit {slot} 1 {SHORT}")]
    steps += [Step(f"short APDU, {n} slot{'s'[:n > 1]} busy", f"slots {n} {MANY // n} {SHORT}", per=MANY // n * n)
              for n in (1, count)]
    # P1 NULL bytes of P2 times 10 ms: a card that takes half a second
    steps += [Step(f"500 ms at the card, {n} slot{'s'[:n > 1]}", f"slots {n} 1 80140A0506") for n in (1, 2, count)]
    return steps + [Step("close", "close 0 1")]


def many():
    """libccid takes 16 readers."""
    return [Step("open the first", "open 0 1"), Step("open 15 more, each", "open 1 15", per=15),
            Step("open 48 more, each", "open 16 48", per=48), Step("close 64, each", "close 0 64", per=64)]


PCSCD = Scene("04e6:5116", "t0", "under pcscd, as a client feels it", ())

SCENES = {
    "tpdu-t0": Scene("04e6:5116", "t0", "TPDU level, T=0", whole(0)),
    "tpdu-t1": Scene("04e6:5116", "t1", "TPDU level, T=1", whole(1, True)),
    "short": Scene("076b:3021", "t0", "short APDU level, T=0", whole(0)),
    "extended": Scene("096e:0624", "t1", "extended APDU level, T=1", whole(1, True)),
    "listening": Scene("04e6:5116", "t0", "interrupt endpoint, a thread listens", with_listener(), ("strace",)),
    "asking": Scene("0925:900a", "t0", "no interrupt endpoint", with_listener(), ("strace",)),
    "many": Scene("04e6:5116", "none", "64 readers", many(), ("strace", "callgrind"), 0, 64),
    "slots": Scene("1d50:6141", "t0", "eight slots", slots(8), ("strace",)),
}
