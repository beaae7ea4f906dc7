# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session with a PIN in it, and then a command that the reader does not answer. Prints the counts of the simulator."""
from pcsc import Context, PcscError, check, ctl, echo_apdu, eventually

VERIFY = bytes([0x00, 0x20, 0x00, 0x01, 4]) + b"1234"


def main():
    context = Context()
    check(eventually(context.readers), "the reader is listed")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "it holds a card")
    card = context.connect(reader)
    check(card.send(echo_apdu(b"hello"))[0][:5] == b"hello", "it answers")
    check(card.send(VERIFY)[1] == 0x9000, "it takes the PIN")
    ctl("silent", "6F")
    try:
        card.send(echo_apdu(b"silence"))
        check(False, "a reader that does not answer is an error")
    except PcscError:
        check(True, "a reader that does not answer is an error")


main()
