# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A reader that stops answering in the middle of a session, so thoroughly that only a reset of its USB port brings it back:
nobody has to unplug it. Argument: pcscd's log.
"""
import sys
import time

from pcsc import Context, PcscError, check, ctl, echo_apdu, eventually


def comes_back(card):
    """pcscd hears that the card was away and starts it anew in a thread of its own, so it may come in between."""
    try:
        card.reconnect()
        return card.send(echo_apdu(b"after"))[0][:5] == b"after"
    except PcscError:
        return False


def main(log):
    context = Context()
    check(eventually(context.readers), "the reader is listed")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "it holds a card")
    card = context.connect(reader)
    check(card.send(echo_apdu(b"before"))[0][:6] == b"before", "which answers")

    ctl("mood", "dead", "on")
    started = time.monotonic()
    try:
        card.send(echo_apdu(b"silence"))
        check(False, "a reader that does not answer is an error")
    except PcscError as error:
        check(True, f"a reader that does not answer is an error ({error})")
    check(time.monotonic() - started < 30, "in bounded time")

    with open(log, encoding="utf-8", errors="replace") as file:
        check("back in order after: USB port reset" in file.read(), "the log tells that the port was reset")
    check(eventually(lambda: comes_back(card)), "and the card answers again, without unplugging anything")


main(sys.argv[1])
