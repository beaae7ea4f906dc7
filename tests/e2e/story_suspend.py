# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The system sleeps, or resets the port of the reader: the reader works again without being unplugged, and whoever used a card
hears that it was reset. Argument: pcscd's log.
"""
import re
import subprocess
import sys
import threading
import time

from pcsc import RESTARTABLE, SIM, Context, PcscError, check, ctl, echo_apdu, eventually

SLOW = bytes([0x80, 0x14, 2, 100, 6])  # two NULL bytes, a second each
# Of a reset while nothing was on its way the driver cannot know; the kernel then claims for it.
UNCLAIMED = "interface is used without having been claimed"
EVENTS = (("suspend",), ("suspend", "powered"), ("reset",))


def comes_back(card):
    """pcscd starts the card anew in a thread of its own, and may come in between."""
    try:
        card.reconnect()
        return card.send(echo_apdu(b"after"))[0][:5] == b"after"
    except PcscError:
        return False


def answer_of(card, apdu):
    try:
        return card.send(apdu)
    except PcscError as error:
        return error


def is_told(card):
    """The application learns of it: no answer of a card that has forgotten everything."""
    error = answer_of(card, echo_apdu(b"during"))
    return isinstance(error, PcscError) and error.code in RESTARTABLE


def violations():
    """One line each, without the number of the interface."""
    answer = subprocess.run([SIM, "ctl", "violations"], check=False, capture_output=True, text=True).stdout
    return [re.sub(r"interface \d+", "interface", line) for line in answer.splitlines() if line != "ok"]


def idle(card, event):
    check(card.send(echo_apdu(b"before"))[0][:6] == b"before", "the card answers")
    ctl(*event)
    check(is_told(card), f"after {' '.join(event)} its user hears that it was reset")
    check(eventually(lambda: comes_back(card)), "and it answers again, without unplugging anything")


def busy(card, event):
    answers = []
    command = threading.Thread(target=lambda: answers.append(answer_of(card, SLOW)))
    command.start()
    time.sleep(0.3)
    ctl(*event)
    command.join(10)
    check(answers and isinstance(answers[0], PcscError),
          f"a command that {' '.join(event)} interrupts ends with an error: {answers[0] if answers else 'none'}")
    check(eventually(lambda: comes_back(card)), "and the card answers again")


def is_pulled(context, reader):
    """pcscd looks now and then; a card that a client started anew between two looks has to be seen by it first."""
    ctl("remove")
    if eventually(lambda: not context.has_card(reader), 2):
        return True
    ctl("insert")
    time.sleep(1)
    return False


def empty(context, reader, event):
    check(any(is_pulled(context, reader) for _ in range(3)), "the slot is empty")
    ctl(*event)
    ctl("insert")
    check(eventually(lambda: context.has_card(reader)), f"a card put in after {' '.join(event)} is seen")


def main(log):
    context = Context()
    check(eventually(context.readers), "the reader is listed")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "it holds a card")
    for event in EVENTS:
        idle(context.connect(reader), event)
        busy(context.connect(reader), event)
        empty(context, reader, event)
    check(reader in context.readers(), "the reader was there all the time")
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    check("has suspended or reset the reader" in text, "the log tells why")
    check("does not answer any more" not in text, "and nothing was given up")
    check(set(violations()) <= {UNCLAIMED}, "the reader was sent nothing illegal")


main(sys.argv[1])
