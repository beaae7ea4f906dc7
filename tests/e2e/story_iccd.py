# SPDX-License-Identifier: LGPL-2.1-or-later
"""
USB tokens that are reader and card in one and speak over the control pipe. Argument: the version of ICCD, "A" (T=0) or
"B" (APDUs).
"""
import sys
import time

from cards import counter, echo, fresh, nothing_illegal, only_reader, sent
from pcsc import Context, PcscError, check, ctl, echo_apdu, eventually, pcsc


def every_case(card, version):
    """The cases of an APDU."""
    check(card.send(bytes.fromhex("80 16 00 00")) == (b"", 0x9000), "case 1")
    data, sw = card.send(bytes.fromhex("00 84 00 00 08"))
    check(len(data) == 8 and sw == 0x9000, "case 2")
    check(card.send(bytes.fromhex("00 A4 00 0C 02 3F 00")) == (b"", 0x9000), "case 3")
    check(all(echo(card, size) for size in (1, 50, 200, 251)), "case 4 with up to 251 bytes each way")
    check(card.send(bytes.fromhex("00 F0 00 00"))[1] == 0x6D00, "an unknown INS")
    if version == "A":
        data, sw = card.send(bytes.fromhex("80 12 00 00 01"))
        check((data, sw) == (b"", 0x6C06), "T=0: a wrong Le is told")
        check(echo(card, 1000), "and an extended APDU goes by ENVELOPE")
    else:
        data, sw = card.send(bytes.fromhex("00 CA 01 00 00"))
        check(len(data) == 256 and sw == 0x9000, "256 bytes of answer")


def patience(card):
    started = time.monotonic()
    data, sw = card.send(bytes.fromhex("80 14 04 0A 06"))
    took = time.monotonic() - started
    check(len(data) == 6 and sw == 0x9000 and 0.3 < took < 2, f"a card that thinks is waited for ({took:.1f} s)")


def mute(card):
    """A card that gives no answer, and what helps."""
    ctl("fail", "FE", "6F")
    try:
        card.send(echo_apdu(b"x"))
        check(False, "a mute card is an error")
    except PcscError as error:
        check(True, f"a mute card is an error ({error})")
    card.reconnect()
    check(echo(card, 5), "after a reconnect it answers")


def main(version):
    context = Context()
    reader = only_reader(context)
    card = fresh(context, reader, "t1,chain=100") if version == "B" else context.connect(reader)
    check(card.protocol == (pcsc.SCARD_PROTOCOL_T1 if version == "B" else pcsc.SCARD_PROTOCOL_T0), "the protocol of the token")
    every_case(card, version)
    patience(card)
    mute(card)
    first = counter(card)
    card.reconnect()
    check(counter(card) == first + 1, "a reset keeps what the card has to keep")
    card.disconnect(pcsc.SCARD_UNPOWER_CARD)
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "the token is pulled")
    ctl("plug")
    check(eventually(context.readers), "and put back")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "with its card")
    card = context.connect(reader)
    check(echo(card, 20), "which answers")
    check(sent("SetParameters") == 0 and sent("GetParameters") == 0, "nobody asked for parameters")
    nothing_illegal()


main(sys.argv[1])
