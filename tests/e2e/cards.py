# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cards of the simulator for stories about protocols: which one is in the slot, and what it is asked."""
from pcsc import check, ctl, eventually, pcsc

T0, T1 = pcsc.SCARD_PROTOCOL_T0, pcsc.SCARD_PROTOCOL_T1


def put(context, reader, spec, slot=0):
    """Another card in the slot; see tests/sim/README.md for spec."""
    if context.has_card(reader):
        ctl("remove", str(slot))
        if not eventually(lambda: not context.has_card(reader)):
            check(False, "the old card is gone")
    ctl("card", spec)
    ctl("insert", str(slot))
    if not eventually(lambda: context.has_card(reader)):
        check(False, f"the card {spec} is seen")


def fresh(context, reader, spec, protocols=T0 | T1, slot=0):
    """Another card in the slot, and a connection to it."""
    put(context, reader, spec, slot)
    return context.connect(reader, protocols)


def only_reader(context):
    check(eventually(context.readers), "the reader is listed")
    return context.readers()[0]


def pattern(size):
    """Bytes that show a part that is missing, repeated or misplaced."""
    return bytes((i * 7 + i // 251) & 0xFF for i in range(size))


def echo(card, size):
    """As many bytes there and back, by short or extended lengths."""
    data = pattern(size)
    if size < 252:
        apdu = bytes([0x80, 0x10, 0, 0, size]) + data + bytes([0])
    else:
        apdu = bytes([0x80, 0x10, 0, 0, 0, size >> 8, size & 255]) + data + bytes([0, 0])
    answer, sw = card.send(apdu)
    more = size + 4 - 65536  # what Le 0000 does not reach: a T=0 card says so
    return (sw == 0x9000 or (more > 0 and sw == 0x6100 + more)) and answer[:size] == data and len(answer) == min(size + 4, 65536)


def counter(card):
    """The number of this command; every COUNT and ECHO raises it."""
    answer, sw = card.send(bytes.fromhex("80 12 00 00 06"))
    check(sw == 0x9000 and len(answer) == 6, "the card counts")
    return int.from_bytes(answer[2:], "big")


def sent(name):
    """How many messages of this name the reader got."""
    for line in ctl("stats").splitlines():
        words = line.split()
        if len(words) >= 3 and " ".join(words[1:-1]) == name:
            return int(words[-1])
    return 0


def speed(slot=0):
    """Protocol and Fi/Di that the reader uses for this slot."""
    for line in ctl("status").splitlines():
        if line.startswith(f"slot {slot}: ") and "Fi/Di" in line:
            return line.split("T=")[1].split(",")[0] + " " + line.rsplit("Fi/Di ", 1)[1].split(",")[0]
    return ""


def nothing_illegal():
    """The reader has no complaint about the driver."""
    lines = [line for line in ctl("stats").splitlines() if line.startswith("violations")]
    if lines and lines[0].split()[-1] == "0":
        check(True, "the reader was sent nothing illegal")
        return
    try:
        ctl("violations")
    except Exception as error:  # its output is the list
        check(False, f"the reader was sent nothing illegal\n{getattr(error, 'stdout', '')}")
    check(False, "the reader was sent nothing illegal")
