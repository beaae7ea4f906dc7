# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A PIN that is typed at the reader, in every way that it can end. Arguments: "open" where the reader builds the command from
its header, "block" where it needs the whole PIN block; the reader's largest PIN.
"""
import sys

import part10
from cards import nothing_illegal
from part10 import Entry, asks
from pcsc import Context, check, ctl, eventually

VERIFY, CHANGE = part10.VERIFY_PIN_DIRECT, part10.MODIFY_PIN_DIRECT
PADDED = 2  # P2 of the card for eight bytes of ASCII; 1 is for as many as there are digits
BLOCK = b"\xff" * 8


def verify_request(kind, **more):
    if kind == "open":
        return part10.verify_structure(bytes([0, 0x20, 0, 1]), **more)
    return part10.verify_structure(bytes([0, 0x20, 0, PADDED, 8]) + BLOCK, block=8, **more)


def change_request(kind, **more):
    if kind == "open":
        return part10.modify_structure(bytes([0, 0x24, 0, 1]), **more)
    return part10.modify_structure(bytes([0, 0x24, 0, PADDED, 16]) + BLOCK + BLOCK, block=8, new=8, **more)


def entry(card, feature, structure, *keys):
    """Start it, wait until the reader asks, type, and see what comes."""
    waiting = Entry(card, feature, structure)
    waiting.start()
    check(eventually(asks, 10), "the reader asks for the PIN")
    ctl("type", *keys)
    waiting.join()
    return waiting.sw


def state(card):
    """Tries that are left, or that the PIN was verified; asked without counting as a try."""
    return card.send([0, 0x20, 0, 1])[1]


def verifications(card, kind):
    check(state(card) == 0x63C3, "three tries are left")
    check(entry(card, VERIFY, verify_request(kind), "1234", "ok") == 0x9000, "the right PIN: 9000")
    check(state(card) == 0x9000, "the card knows it")
    check(entry(card, VERIFY, verify_request(kind), "5678", "ok") == 0x63C2, "a wrong PIN: 63C2, two tries are left")
    check(entry(card, VERIFY, verify_request(kind), "cancel") == 0x6401, "cancelled: 6401")
    check(entry(card, VERIFY, verify_request(kind), "12", "ok") == 0x6403, "too short: 6403")
    ctl("keypad", "second=20")
    ctl("type", "none")  # the tenth of a second for which it asks may pass unnoticed
    check(part10.enter(card, VERIFY, verify_request(kind, timeout=5)) == 0x6400, "nobody types: 6400")
    ctl("keypad", "second=1000")
    check(state(card) == 0x63C2, "none of that was a try for the card")
    check(entry(card, VERIFY, verify_request(kind), "1234", "ok") == 0x9000, "and the right PIN works")


def changes(card, kind):
    check(entry(card, CHANGE, change_request(kind), "1234", "ok", "987654", "ok", "987654", "ok") == 0x9000,
          "the PIN is changed")
    check(entry(card, CHANGE, change_request(kind), "987654", "ok", "1234", "ok", "1235", "ok") == 0x6402,
          "two new PINs that differ: 6402")
    check(entry(card, CHANGE, change_request(kind), "987654", "ok", "cancel") == 0x6401, "cancelled in the middle: 6401")
    check(entry(card, VERIFY, verify_request(kind), "987654", "ok") == 0x9000, "the new PIN is right")
    check(entry(card, CHANGE, change_request(kind), "987654", "ok", "1234", "ok", "1234", "ok") == 0x9000,
          "it is changed back")


def refusals(card):
    """What makes no sense never gets to the reader."""
    good = part10.verify_structure(bytes([0, 0x20, 0, 1]))
    for what, structure in [("UPDATE BINARY instead of VERIFY", good[:20] + b"\xd6" + good[21:]),
                            ("a length that lies", good + b"\0"), ("nothing", b""),
                            ("more digits at least than at most", part10.verify_structure(bytes([0, 0x20, 0, 1]),
                                                                                       least=9, most=8))]:
        check(part10.enter(card, VERIFY, structure) == 0x6B80, f"{what}: 6B80")
    check(not asks(), "and the reader was not asked")


def pulled(context, reader, card, kind):
    waiting = Entry(card, VERIFY, verify_request(kind))
    waiting.run = lambda: setattr(waiting, "sw", failure(waiting.arguments))
    waiting.start()
    check(eventually(asks, 10), "the reader asks for the PIN")
    ctl("remove")
    waiting.join()
    check(waiting.sw != 0, f"the card is pulled meanwhile: {waiting.sw}")
    check(eventually(lambda: not context.has_card(reader)), "it is gone")
    ctl("insert")
    check(eventually(lambda: context.has_card(reader)), "it is put back")
    again = context.connect(reader)
    check(entry(again, VERIFY, verify_request(kind), "1234", "ok") == 0x9000, "and the PIN can be typed")


def failure(arguments):
    try:
        return part10.enter(*arguments)
    except Exception as error:  # whatever PC/SC has for it
        return str(error)


def main(kind, largest):
    context = Context()
    check(eventually(context.readers), "a reader is there")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "with a card")
    card = context.connect(reader)
    offered = part10.features(card)
    check({VERIFY, part10.PIN_PROPERTIES, part10.ABORT, part10.TLV_PROPERTIES} <= set(offered),
          f"it offers to ask for PINs ({[hex(tag) for tag in offered]})")
    check(part10.ESCAPE not in offered, "and no Escape commands, which nobody has permitted")
    check(part10.properties(card).get(7) == largest, f"the longest PIN is told ({part10.properties(card)})")
    verifications(card, kind)
    if CHANGE in offered:
        changes(card, kind)
    refusals(card)
    pulled(context, reader, card, kind)
    nothing_illegal()


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
