# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The SPR332 whose firmware 7.00 ends each PIN entry in 64 00 and does not talk to the card any more. Argument: "offered" where
somebody has forced its keypad, "withheld" as it is otherwise.
"""
import os
import sys
import time

import part10
from cards import echo, nothing_illegal, only_reader
from part10 import Entry, asks
from pcsc import Context, PcscError, check, ctl, eventually

LOG = os.environ["CCID_SIM_LOG"]


def log_says(*words):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return any(all(word in line for word in words) for line in log)


def withheld(card):
    offered = part10.features(card)
    check(part10.VERIFY_PIN_DIRECT not in offered and part10.MODIFY_PIN_DIRECT not in offered,
          "no application is offered the keypad")
    check(log_says("firmware 7.00", "64 00", "firmware 7.01"), "the log names the firmware, the fault and the cure")
    check(log_says("pinpad = force"), "and what to write to try it all the same")
    check(card.send(b"\x00\x20\x00\x01\x041234")[1] == 0x9000, "the PIN that an application asks for itself works")
    check(echo(card, 30), "and the card goes on")


def offered(context, reader, card):
    check(part10.VERIFY_PIN_DIRECT in part10.features(card), "the keypad is offered, because somebody has said so")
    entry = Entry(card, part10.VERIFY_PIN_DIRECT, part10.verify_structure(bytes([0, 0x20, 0, 1])))
    began = time.monotonic()
    entry.start()
    check(eventually(asks, 10), "the reader asks for the PIN")
    ctl("type", "1234", "ok")
    entry.join()
    check(entry.sw == 0x6400, "the entry ends with 64 00")
    check(time.monotonic() - began < 30, "soon")
    check(log_says("PIN entry ended with 64 00", "firmware 7.00", "7.01"), "the log names the firmware, and the cure")
    check(log_says("powered off and on, and answers again"), "the driver has brought the card back by itself")
    check(eventually(lambda: works(context, reader), 20), "the next connect works, without replugging")
    check(works(context, reader, b"\x00\x20\x00\x01\x041234"), "also the PIN that an application asks for itself")


def works(context, reader, apdu=b"\x80\x12\x00\x00\x06"):
    try:
        return context.connect(reader).send(apdu)[1] == 0x9000
    except PcscError:
        return False


def main(kind):
    context = Context()
    reader = only_reader(context)
    check(eventually(lambda: context.has_card(reader)), "with a card")
    card = context.connect(reader)
    if kind == "offered":
        offered(context, reader, card)
    else:
        withheld(card)
    nothing_illegal()


main(sys.argv[1])
