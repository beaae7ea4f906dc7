# SPDX-License-Identifier: LGPL-2.1-or-later
"""
T=1 where the host makes the blocks: EDC, IFSC, chaining, time extensions, damage on the line, and the speed that card and
reader agree on. Argument: who does PPS, "reader" or "host"; "rate" if the host also tells the reader
the rate, "table" if the reader has a table of them; or "characters" for a reader of that level.
"""
import sys
import time

from cards import T0, T1, counter, echo, fresh, nothing_illegal, only_reader, sent, speed
from pcsc import Context, PcscError, check, ctl, echo_apdu


def blocks(context, reader):
    """Everything that a block may be, on a good line."""
    for spec, sizes in (("t1", (0, 1, 250, 251, 600, 65535)), ("t1,crc", (1, 255, 4000)), ("t1,ifsc=1", (1, 120)),
                        ("t1,ifsc=32", (32, 33, 2000)), ("t1,chain=16", (15, 16, 300)), ("t1,wtx=3,factor=5", (1, 3000)),
                        ("t1,ifs=5", (250, 5000))):
        card = fresh(context, reader, spec)
        check(card.protocol == T1, f"{spec}: the protocol is T=1")
        good = [size for size in sizes if (echo(card, size) if size else card.send(bytes.fromhex("80 16 00 00"))[1] == 0x9000)]
        check(tuple(good) == sizes, f"{spec}: {sizes} bytes go there and come back")
    data, sw = card.send(bytes.fromhex("00 CA 01 00 00"))
    check(len(data) == 256 and sw == 0x9000, "256 bytes for Le 00")
    data, sw = card.send(bytes.fromhex("00 CA 01 00 00 00 00"))
    check(len(data) == 600 and sw == 0x9000, "600 bytes for an extended Le")
    check(card.send(bytes.fromhex("00 F0 00 00"))[1] == 0x6D00, "an unknown INS is answered 6D00")
    started = time.monotonic()
    data, sw = card.send(bytes.fromhex("80 14 03 1E 06"))
    check(len(data) == 6 and sw == 0x9000 and time.monotonic() - started > 0.8, "a card that asks for time three times")


def damage(context, reader):
    """A noisy line: every command is carried out once, and its own answer comes back."""
    for kind, every in (("in", 3), ("out", 3), ("parity", 4), ("lost", 7)):
        for spec in ("t1", "t1,crc,ifsc=32"):
            card = fresh(context, reader, spec)
            first = counter(card)
            ctl("damage", kind, str(every))
            check(all(echo(card, size) for size in (1, 100, 700)), f"{spec}: blocks damaged ({kind}, every {every}) are recovered")
            ctl("clear")
            check(counter(card) == first + 4, "and every command was carried out once")
    card = fresh(context, reader, "t1")
    ctl("damage", "lost", "1")
    try:
        card.send(echo_apdu(b"x"))
        check(False, "a card that is never heard is an error")
    except PcscError as error:
        check(True, f"a card that is never heard is an error ({error})")
    ctl("clear")
    card.reconnect()
    check(echo(card, 10), "and after a reconnect it works")


def switch(context, reader):
    """A card of both protocols: the application chooses."""
    card = fresh(context, reader, "dual", T0)
    check(card.protocol == T0 and echo(card, 50), "a card of both protocols at T=0")
    for protocol in (T1, T0, T1):
        card.protocols = protocol
        card.reconnect()
        check(card.protocol == protocol and echo(card, 100), f"SCardReconnect switches it to T={protocol - 1}")
    card.disconnect()
    card = context.connect(reader, T1)
    check(card.protocol == T1 and echo(card, 20), "a connection that asks for T=1 gets it")


def speeds(context, reader, who):
    """What TA1 offers is used, if the reader can; what does not come through is given up."""
    other_fi = "1 11" if who == "table" else "1 18"  # its table has no rate of Fi 372 but the default
    for spec, want in (("t1,ta1=96", "1 96"), ("t1,ta1=97", "1 96"), ("t1,ta1=18", other_fi), ("t1,ta1=11", "1 11"),
                       ("t0,ta1=96", "0 96"), ("t0,ta1=94", "0 94"), ("t1,ta1=96,specific", "1 96"),
                       ("t0,ta1=94,specific", "0 94"), ("dual,ta1=95", "1 95")):
        card = fresh(context, reader, spec)
        check(echo(card, 100) and speed() == want, f"{spec}: T and Fi/Di are {want} ({speed()})")
    for spec in ("t1,ta1=96,pps=declines", "t0,ta1=96,pps=declines"):
        card = fresh(context, reader, spec)
        check(echo(card, 100), f"{spec}: works ({speed()})")
    for spec in ("t1,ta1=96,pps=ignores", "t0,ta1=95,pps=ignores"):
        card = fresh(context, reader, spec)
        check(echo(card, 100) and speed().endswith(" 11"), f"{spec}: works at the default speed ({speed()})")
    for spec in ("t1,ta1=96,pps=lies", "t0,ta1=96,pps=lies"):
        card = fresh(context, reader, spec)
        answers = []
        for _ in range(3):
            try:
                answers.append(echo(card, 100))
            except PcscError:
                answers.append(False)
                card.reconnect()
        check(answers[-1] and speed()[2:] != "96", f"{spec}: a lower speed is found ({answers}, {speed()})")
    resets = sent("IccPowerOn")
    card.reconnect()
    check(echo(card, 10) and sent("IccPowerOn") == resets + 1, "and remembered: the next reset goes there at once")


def by_characters(context, reader):
    """The host reads procedure bytes and prologues itself: T=0 as well, at the few speeds that this reader has."""
    for spec, want in (("t0", "0 11"), ("t0,ta1=12", "0 12"), ("t1,ta1=12", "1 12")):
        card = fresh(context, reader, spec)
        check(all(echo(card, size) for size in (1, 50, 100)) and speed() == want, f"{spec}: T and Fi/Di are {want} ({speed()})")
    card = fresh(context, reader, "t0")
    check(card.send(bytes.fromhex("80 12 00 00 01")) == (b"", 0x6C06), "T=0: a wrong Le is told")
    data, sw = card.send(bytes.fromhex("80 14 05 02 06"))
    check(len(data) == 6 and sw == 0x9000, "NULL bytes are waited through")


def main(who):
    context = Context()
    reader = only_reader(context)
    if who in ("reader", "host", "characters"):
        blocks(context, reader)
        switch(context, reader)
    if who == "characters":
        by_characters(context, reader)
    else:
        speeds(context, reader, who)
    if who in ("reader", "host"):
        damage(context, reader)
    nothing_illegal()


main(sys.argv[1])
