# SPDX-License-Identifier: LGPL-2.1-or-later
"""
OpenSC's tools and GnuPG's scdaemon let the reader ask for the PIN of the OpenPGP card: the card gets what was typed, and
no program ever does. Arguments: scdaemon, and options for it.
"""
import sys

import part10
from cards import nothing_illegal, only_reader
from clients import SERIAL, Scdaemon, card_got, expect_card_got, expect_tool
from pcsc import Context, check, ctl, eventually

SIGN, ADMIN = "01", "03"  # OpenSC's numbers of P2 81 and 83


def verify(right, what, auth_id, *keys):
    expect_tool(right, f"pkcs15-tool: {what}", "pkcs15-tool", "--verify-pin", "--auth-id", auth_id, keys=keys)


def login(right, what, *keys):
    expect_tool(right, f"pkcs11-tool: {what}", "pkcs11-tool", "--login", "--list-objects", keys=keys)


def nobody_types():
    """The time-out of the reader, with a second that lasts a twentieth: too short to be noticed while it runs."""
    ctl("keypad", "second=50")
    ctl("type", "none")
    verify(False, "nobody types", SIGN)
    check("idle, 0 entries wait" in ctl("keypad"), "the reader has asked all the same")
    expect_card_got()
    ctl("keypad", "second=1000")


def opensc():
    verify(False, "a wrong PIN", SIGN, "111111", "ok")
    expect_card_got("0020008106313131313131 -> 63C2")
    verify(True, "the right PIN", SIGN, "123456", "ok")
    expect_card_got("0020008106313233343536 -> 9000")
    verify(True, "the administrator's", ADMIN, "12345678", "ok")
    expect_card_got("00200083083132333435363738 -> 9000")
    verify(False, "cancelled", SIGN, "cancel")
    expect_card_got()
    nobody_types()
    login(False, "a wrong PIN", "1234567", "ok")
    check("002000820731323334353637 -> 63C2" in card_got(), "the card got it, and said so")
    login(True, "the right PIN", "123456", "ok")
    check("0020008206313233343536 -> 9000" in card_got(), "the card got it")
    login(False, "cancelled", "cancel")
    expect_card_got()


def opensc_changes():
    for old, new in [("123456", "246802"), ("246802", "123456")]:
        expect_tool(True, f"pkcs15-tool: {old} is changed to {new}", "pkcs15-tool", "--change-pin", "--auth-id", SIGN,
                    keys=[old, "ok", new, "ok", new, "ok"])
        expect_card_got(f"002400810C{(old + new).encode().hex()} -> 9000")


def checks_pin(scdaemon, right, what, *keys, which=""):
    scdaemon.expect(right, f"scdaemon: {what}", f"CHECKPIN {SERIAL}{which}", keys=keys)
    check(scdaemon.asked == ["POPUPPINPADPROMPT", "DISMISSPINPADPROMPT"], "it sent its user to the reader, and back")


def gnupg(program, options, can_change):
    scdaemon = Scdaemon(program, *options)
    checks_pin(scdaemon, False, "a wrong PIN", "111111", "ok")
    expect_card_got("0020008106313131313131 -> 63C2")
    checks_pin(scdaemon, True, "the right PIN", "123456", "ok")
    expect_card_got("0020008106313233343536 -> 9000")
    checks_pin(scdaemon, False, "cancelled", "cancel")
    expect_card_got()
    checks_pin(scdaemon, True, "the administrator's", "12345678", "ok", which="[CHV3]")
    expect_card_got("00200083083132333435363738 -> 9000")
    if can_change:
        scdaemon.expect(True, "scdaemon: the PIN is changed", "PASSWD 1", keys="123456 ok 246802 ok 246802 ok".split())
        expect_card_got("002400810C313233343536323436383032 -> 9000")
        scdaemon.expect(True, "scdaemon: and changed back", "PASSWD 1", keys="246802 ok 123456 ok 123456 ok".split())
        expect_card_got("002400810C323436383032313233343536 -> 9000")
    scdaemon.end()


def main(program, *options):
    context = Context()
    reader = only_reader(context)
    check(eventually(lambda: context.has_card(reader)), f"{reader} holds a card")
    card = context.connect(reader)
    offered = part10.features(card)
    card.disconnect()
    check(part10.VERIFY_PIN_DIRECT in offered, "the reader offers to ask for PINs")
    can_change = part10.MODIFY_PIN_DIRECT in offered
    opensc()
    if can_change:
        opensc_changes()
    gnupg(program, options, can_change)
    nothing_illegal()


main(sys.argv[1], *sys.argv[2:])
