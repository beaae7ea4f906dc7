# SPDX-License-Identifier: LGPL-2.1-or-later
"""
OpenSC's tools and GnuPG's scdaemon with the OpenPGP card, whose PINs are typed at the computer: what they send arrives as
it is, and what the card says is what they tell. Argument: scdaemon.
"""
import sys

from cards import nothing_illegal, only_reader
from clients import SERIAL, Scdaemon, card_got, expect_card_got, expect_tool
from pcsc import Context, check, eventually

SIGN, USER, ADMIN = "01", "02", "03"  # OpenSC's numbers of P2 81, 82, 83
HISTORY = "00:31:c5:73:c0:01:00:05:90:00"  # at the end of the ATR, before its checksum


def verify(right, auth_id, pin):
    expect_tool(right, f"pkcs15-tool: PIN {auth_id} {pin} is {'right' if right else 'wrong'}", "pkcs15-tool",
                "--verify-pin", "--auth-id", auth_id, "--pin", pin)


def opensc_looks():
    said = expect_tool(True, "opensc-tool reads the ATR", "opensc-tool", "--atr")
    check(HISTORY in said, f"it is that of the card: {said.splitlines()[-1]}")
    said = expect_tool(True, "opensc-tool knows the card", "opensc-tool", "--name")
    check("OpenPGP card v3.4" in said, said.splitlines()[-1])
    said = expect_tool(True, "pkcs15-tool reads it", "pkcs15-tool", "--list-pins")
    check(said.count("Tries left     : 3") == 3, "and finds three PINs with three tries")
    check(not card_got(), "nobody has sent a PIN yet")


def opensc_logs_in():
    verify(False, SIGN, "111111")
    expect_card_got("0020008106313131313131 -> 63C2")
    verify(True, SIGN, "123456")
    expect_card_got("0020008106313233343536 -> 9000")
    verify(True, ADMIN, "12345678")
    expect_card_got("00200083083132333435363738 -> 9000")
    expect_tool(False, "pkcs11-tool: a wrong PIN", "pkcs11-tool", "--login", "--pin", "1234567", "--list-objects")
    check("002000820731323334353637 -> 63C2" in card_got(), "the card got it, and said so")
    expect_tool(True, "pkcs11-tool: the right PIN", "pkcs11-tool", "--login", "--pin", "123456", "--list-objects")
    check("0020008206313233343536 -> 9000" in card_got(), "the card got it")


def opensc_changes():
    words = ["pkcs15-tool", "--change-pin", "--auth-id", SIGN, "--pin", "123456", "--new-pin"]
    expect_tool(True, "pkcs15-tool changes the PIN", *words, "87654321")
    expect_card_got("002400810E3132333435363837363534333231 -> 9000")
    for left in ["63C2", "63C1", "6983"]:
        verify(False, SIGN, "123456")
        expect_card_got(f"0020008106313233343536 -> {left}")


def scdaemon_logs_in(program):
    scdaemon = Scdaemon(program, "--disable-pinpad")
    scdaemon.expect(True, "scdaemon learns the card", "LEARN --force")
    check("S DISP-NAME Card<<Simulated" in scdaemon.said and any("S CHV-STATUS" in line for line in scdaemon.said),
          "its holder, and the state of its PINs")
    scdaemon.expect(True, "scdaemon unblocks the PIN", "PASSWD --reset 1", pins=["12345678", "123456"])
    expect_card_got("00200083083132333435363738 -> 9000", "002C028106313233343536 -> 9000")
    scdaemon.expect(False, "scdaemon: a wrong PIN", f"CHECKPIN {SERIAL}", pins=["111111"])
    check(scdaemon.asked == ["NEEDPIN"], "it asked once")
    expect_card_got("0020008106313131313131 -> 63C2")
    scdaemon.expect(True, "scdaemon: the right PIN", f"CHECKPIN {SERIAL}", pins=["123456"])
    expect_card_got("0020008106313233343536 -> 9000")
    scdaemon.expect(True, "scdaemon: the administrator's", f"CHECKPIN {SERIAL}[CHV3]", pins=["12345678"])
    expect_card_got("00200083083132333435363738 -> 9000")
    scdaemon.expect(True, "scdaemon changes the PIN", "PASSWD 1", pins=["123456", "246802"])
    expect_card_got("002400810C313233343536323436383032 -> 9000")
    scdaemon.end()


def main(scdaemon):
    context = Context()
    reader = only_reader(context)
    check(eventually(lambda: context.has_card(reader)), f"{reader} holds a card")
    opensc_looks()
    opensc_logs_in()
    opensc_changes()
    scdaemon_logs_in(scdaemon)
    nothing_illegal()


main(sys.argv[1])
