# SPDX-License-Identifier: LGPL-2.1-or-later
"""
PINs that the computer sends and PINs that are typed at the reader; afterwards pcscd's memory is searched for those that were sent.
What is in its log is for the script to see. Arguments: "host" or "keypad"; "memory" where the memory is to be searched.
"""
import sys

import memory
import part10
from cards import nothing_illegal, only_reader
from part10 import Entry, asks
from pcsc import Context, check, ctl, eventually

FIRST, SECRET, PUK = "1234", "73951684", "87654321"  # SECRET and PUK are what test-secrets.sh looks for
ASCII, PADDED, BCD, GLP = 1, 2, 3, 4  # P2 of the card


def pin_block(digits, form):
    if form == ASCII:
        return digits.encode()
    if form == PADDED:
        return digits.encode().ljust(8, b"\xff")
    if form == BCD:
        return bytes.fromhex(digits.ljust(16, "F"))
    return bytes([0x20 | len(digits)]) + bytes.fromhex(digits.ljust(14, "F"))


def send(card, ins, p1, p2, data):
    return card.send(bytes([0, ins, p1, p2, len(data)]) + data)[1]


def sent_by_host(card):
    block = lambda digits, form=ASCII: pin_block(digits, form)
    check(send(card, 0x20, 0, ASCII, block(FIRST)) == 0x9000, "VERIFY")
    check(send(card, 0x24, 0, ASCII, block(FIRST) + block(SECRET)) == 0x9000, "CHANGE REFERENCE DATA")
    for form, name in ((ASCII, "ASCII"), (PADDED, "padded"), (BCD, "BCD"), (GLP, "with a length")):
        check(send(card, 0x20, 0, form, block(SECRET, form)) == 0x9000, f"VERIFY, {name}")
    check(send(card, 0x2C, 0, ASCII, block(PUK) + block(SECRET)) == 0x9000, "RESET RETRY COUNTER")
    check(send(card, 0x20, 0, ASCII, block(SECRET)) == 0x9000, "VERIFY once more")


def typed(card, feature, apdu, *keys):
    make = part10.verify_structure if feature == part10.VERIFY_PIN_DIRECT else part10.modify_structure
    waiting = Entry(card, feature, make(apdu))
    waiting.start()
    check(eventually(asks, 10), "the reader asks")
    ctl("type", *keys)
    waiting.join()
    return waiting.sw


def typed_at_keypad(card):
    check(typed(card, part10.MODIFY_PIN_DIRECT, bytes([0, 0x24, 0, ASCII]), FIRST, "ok", SECRET, "ok", SECRET, "ok") == 0x9000,
          "the PIN is changed at the keypad")
    check(typed(card, part10.VERIFY_PIN_DIRECT, bytes([0, 0x20, 0, ASCII]), SECRET, "ok") == 0x9000, "and verified")


def search(card, how):
    """pcscd itself keeps what a client has sent on the stack of that client's thread; that is not ours to judge."""
    pid = memory.find_pcscd()
    patterns = [SECRET.encode(), PUK.encode(), pin_block(SECRET, GLP)[:5]]
    check(pid is not None, "pcscd is found")
    try:
        check(memory.search(pid, [card.atr()]).get("heap", 0) > 0, "its memory can be searched: the ATR is on its heap")
    except PermissionError:
        print("its memory may not be read here: not searched")
        return
    found = memory.search(pid, patterns)
    print(f"PINs in pcscd's memory, by owner: {found or 'none'}")
    ours = {who: count for who, count in found.items() if who in ("heap", "driver")}
    check(not ours, "none is on a heap or in the driver's data")
    if how == "keypad":
        check(not found, "and none anywhere: they were never there")


def main(how, where):
    context = Context()
    reader = only_reader(context)
    check(eventually(lambda: context.has_card(reader)), "with a card")
    card = context.connect(reader)
    if how == "host":
        sent_by_host(card)
    else:
        typed_at_keypad(card)
    if where == "memory":
        search(card, how)
    nothing_illegal()


main(sys.argv[1], sys.argv[2])
