# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a person does with a reader: it is listed, a card answers, is pulled and put back, the reader is unplugged and
plugged in again. Works with every kind of reader. Arguments: a part of the reader's name, and its level.
"""
import sys

from pcsc import Context, PcscError, check, ctl, echo_apdu, eventually, pcsc

ATR = bytes.fromhex("3B 65 00 00")
OTHER = bytes.fromhex("3B 02 14 50")


def exchange(card, level):
    """Every case of an APDU."""
    data, sw = card.send(bytes.fromhex("80 16 00 00"))
    check((data, sw) == (b"", 0x9000), "case 1 is answered 9000")
    data, sw = card.send(bytes.fromhex("00 84 00 00 08"))
    check(len(data) == 8 and sw == 0x9000, "case 2: eight random bytes")
    data, sw = card.send(bytes.fromhex("00 A4 00 0C 02 3F 00"))
    check((data, sw) == (b"", 0x9000), "case 3: a file is selected")
    want = bytes(i & 0xFF for i in range(250))
    before = sent_blocks()
    data, sw = card.send(echo_apdu(want))
    check(data[:250] == want and len(data) == 254 and sw == 0x9000, "case 4: 254 bytes of answer come back whole")
    if level == "tpdu":
        check(sent_blocks() - before >= 3, "and were fetched by several GET RESPONSE")
        data, sw = card.send(bytes.fromhex("80 12 00 00 01"))
        check((data, sw) == (b"", 0x6C06), "case 2 with a wrong Le: 6C06 reaches the application")
        data, sw = card.send(bytes.fromhex("00 CA 01 00 00"))
        check(sw >> 8 == 0x61 and data == b"", "case 2 with more to come: 61xx reaches the application")
    data, sw = card.send(bytes.fromhex("00 F0 00 00"))
    check(sw == 0x6D00, "an unknown INS is answered 6D00")
    for bad in ("00 A4 04", "", "00 A4 00 00 05 01 02"):
        try:
            card.send(bytes.fromhex(bad))
            check(False, f"'{bad}' is refused")
        except PcscError:
            check(True, f"'{bad}', which is no APDU, is refused")
    check(card.send(bytes.fromhex("80 16 00 00")) == (b"", 0x9000), "and the card still answers")


def sent_blocks():
    """XfrBlock messages that the reader got so far."""
    for line in ctl("stats").splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == "XfrBlock":
            return int(words[-1])
    return 0


def pull_and_put_back(context, reader):
    ctl("remove")
    check(eventually(lambda: not context.has_card(reader)), "the card is pulled: the reader is empty")
    ctl("insert")
    check(eventually(lambda: context.has_card(reader)), "the card is put back: it is seen")


def swap_unused(context, reader):
    """Nobody uses the card, and it is swapped quicker than pcscd looks: those who only watch have to see the new one."""
    for atr in (OTHER, bytes.fromhex("3B 02 14 51")):
        ctl("card", atr.hex())
        ctl("swap")
        check(eventually(lambda: context.atr(reader) == atr), f"swapped while nobody uses it: the ATR is {atr.hex(' ')}")
    ctl("card", "t0")
    ctl("swap")


def unplug_and_plug(context):
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "the reader is unplugged: it is gone from the list")
    ctl("plug")
    check(eventually(lambda: context.readers()), "the reader is plugged in again: it is back")


def main(part, level):
    context = Context()
    check(eventually(context.readers), "a reader is listed")
    reader = context.readers()[0]
    check(part in reader, f"its name is that of the list: {reader}")
    check(eventually(lambda: context.has_card(reader)), "it holds a card")
    card = context.connect(reader)
    check(card.atr().startswith(ATR), f"the ATR is {card.atr().hex(' ')}")
    check(card.protocol == pcsc.SCARD_PROTOCOL_T0, "the protocol is T=0")
    exchange(card, level)
    pull_and_put_back(context, reader)
    try:
        card.send(echo_apdu(b"x"))
        check(False, "an old connection does not reach the new card")
    except PcscError as error:
        check(True, f"an old connection is told so ({error})")
    card.reconnect()
    check(card.send(echo_apdu(b"back"))[0][:4] == b"back", "after a reconnect the card answers")
    card.disconnect()
    swap_unused(context, reader)
    unplug_and_plug(context)
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "its card is seen")
    card = context.connect(reader)
    check(card.send(echo_apdu(b"again"))[0][:5] == b"again", "and answers")
    card.disconnect(pcsc.SCARD_UNPOWER_CARD)
    stats = ctl("stats")
    violations = [line for line in stats.splitlines() if line.startswith("violations")]
    check(violations and violations[0].split()[-1] == "0", f"the reader was sent nothing illegal ({violations})")


main(sys.argv[1], sys.argv[2])
