# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The story of the SCR3310: the reader refuses GET RESPONSE with F6h, "protocol not supported". Once: the application notices
nothing. For ever: an error within a second, and one line in pcscd's log (argument) that a person understands.
"""
import sys
import time

from pcsc import Context, PcscError, check, ctl, echo_apdu, eventually


def lines_with(log, text):
    with open(log, encoding="utf-8", errors="replace") as file:
        return [line for line in file if text in line]


def main(log):
    context = Context()
    check(eventually(context.readers), "the reader is listed")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "it holds a card")
    card = context.connect(reader)

    ctl("fail", "F6", "6F", "1", "ins", "C0")
    data, sw = card.send(echo_apdu(b"CAC"))
    check(data[:3] == b"CAC" and sw == 0x9000, "GET RESPONSE refused once with F6h: the application gets its answer")
    check(eventually(lambda: lines_with(log, "lost the card's protocol")), "the log tells what happened")
    check(not lines_with(log, "refuses to pass commands"), "and does not cry wolf")

    ctl("fail", "F6", "6F", "1", "ins", "10")
    data, sw = card.send(echo_apdu(b"PIV"))
    check(data[:3] == b"PIV" and sw == 0x9000, "the command itself refused once: the same")

    ctl("fail", "F6", "6F", "1000", "ins", "C0")
    started = time.monotonic()
    try:
        card.send(echo_apdu(b"CAC"))
        check(False, "GET RESPONSE refused for ever is an error")
    except PcscError as error:
        check(True, f"GET RESPONSE refused for ever is an error ({error})")
    check(time.monotonic() - started < 1, "within a second")
    check(eventually(lambda: lines_with(log, "refuses to pass commands")), "the log names the cause")
    check(len(lines_with(log, "refuses to pass commands")) == 1, "in one line")

    ctl("clear")
    card.reconnect()
    check(card.send(echo_apdu(b"fine"))[0][:4] == b"fine", "and when the reader comes to its senses, the card is there")


main(sys.argv[1])
