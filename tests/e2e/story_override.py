# SPDX-License-Identifier: LGPL-2.1-or-later
"""
An administrator writes a file while pcscd runs: the reader that is plugged in next obeys it. Argument: the folder, whose
file says nothing of Escape commands at first. With "allowed" behind it they are permitted from the start.
"""
import os
import sys

from pcsc import Context, check, ctl, eventually, pcsc

ESCAPE = 0x42000001  # IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE


def escapes():
    """Escape commands that the reader got so far."""
    for line in ctl("stats").splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == "Escape":
            return int(words[-1])
    return 0


def try_escape(context):
    """Does an Escape command of an application reach the reader?"""
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "the reader holds a card")
    before = escapes()
    card = context.connect(reader)
    pcsc.SCardControl(card.handle, ESCAPE, [0x01, 0x02])
    card.disconnect()
    return escapes() > before


def main(folder, allowed):
    context = Context()
    check(eventually(context.readers), "a reader is listed")
    check(try_escape(context) == allowed, f"an Escape command is {'sent' if allowed else 'refused'}")
    if allowed:
        return
    with open(os.path.join(folder, "20-local.reader"), "w") as file:
        file.write("[*]\nescape = allow\n[04e6:*]\nmax-ifsd = 100\n")
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "the reader is unplugged")
    ctl("plug")
    check(eventually(context.readers), "and plugged in again")
    check(try_escape(context), "an Escape command is sent now: the file was read again")


main(sys.argv[1], sys.argv[2:] == ["allowed"])
