# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Two drivers for one reader: which one has it? Arguments: "ours", "theirs", or "theirs-atr" for a reader that cannot do more than power a
card; behind "theirs" a file of settings that leaves the reader to others: it is removed, and the reader plugged in again.
"""
import os
import sys

from pcsc import Context, check, ctl, eventually, pcsc

ATR = bytes.fromhex("3B 65 00 00 4F 43 49 44 31")


def is_ours(context, reader):
    """Only our driver tells the model."""
    handle, _ = pcsc.SCardConnect(context.handle, reader, pcsc.SCARD_SHARE_DIRECT, 0)[1:]
    code = pcsc.SCardGetAttrib(handle, pcsc.SCARD_ATTR_VENDOR_IFD_TYPE)[0]
    pcsc.SCardDisconnect(handle, pcsc.SCARD_LEAVE_CARD)
    return code == pcsc.SCARD_S_SUCCESS


def look(context, want, works):
    check(eventually(context.readers), "the reader is listed")
    check(len(context.readers()) == 1, "once")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "its card is seen")
    check(is_ours(context, reader) == (want == "ours"), f"the driver is {want}")
    atr = pcsc.SCardGetStatusChange(context.handle, 0, [(reader, pcsc.SCARD_STATE_UNAWARE)])[1][0][2]
    check(bytes(atr) == ATR, "the ATR came")
    if not works:
        return
    card = context.connect(reader)
    check(card.send(bytes.fromhex("80 16 00 00")) == (b"", 0x9000), "the card answers")
    card.disconnect()


def main(want, settings):
    context = Context()
    look(context, want.split("-")[0], not want.endswith("-atr"))
    if not settings:
        return
    os.remove(settings)
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "the reader is unplugged")
    ctl("plug")
    look(context, "ours", True)


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
