# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Every attribute and every control code through WinSCard, compared with what readers/ and the card say (facts.py): without a card, with
one that nobody uses, in use, and pulled; with too little room for the value. Arguments: vid:pid[@bcd] of the reader, then what the rules
of the list change ("level=short-apdu", "escape=yes", "mct=yes", "interface=1"), then the cards ("t0,ta1=96"; "inside": the one of a
token).
"""
import ctypes
import struct
import sys

import facts
import part10
from cards import nothing_illegal, put
from pcsc import Context, PcscError, check, ctl, eventually, must, pcsc

INSUFFICIENT, UNSUPPORTED = 0x80100008, 0x8010001F
MOST = 264  # MAX_BUFFER_SIZE of pcsc-lite
GUARD = 0xEE
DIRECT = pcsc.SCARD_SHARE_DIRECT

lib = ctypes.CDLL("libpcsclite.so.1")
get_attrib = lib.SCardGetAttrib
get_attrib.argtypes = [ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ulong)]
get_attrib.restype = ctypes.c_long
send_control = lib.SCardControl
send_control.argtypes = [ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong,
                         ctypes.POINTER(ctypes.c_ulong)]
send_control.restype = ctypes.c_long


# ---- asking -----------------------------------------------------------------------------------------------------------

def ask(handle, tag, room=MOST):
    """Code and value; a byte that is written behind the room fails the test."""
    buffer = (ctypes.c_ubyte * (MOST + 8))(*([GUARD] * (MOST + 8)))
    length = ctypes.c_ulong(room or 0)
    code = get_attrib(handle, tag, None if room is None else buffer, ctypes.byref(length)) & 0xFFFFFFFF
    if bytes(buffer[room or 0:]) != bytes([GUARD] * (MOST + 8 - (room or 0))):
        check(False, f"attribute {tag:08X} stays within {room} bytes")
    return code, length.value, bytes(buffer[:min(length.value, MOST)])


def with_too_little_room(handle, tag, size):
    wrong = [room for room in range(size) if ask(handle, tag, room)[:2] != (INSUFFICIENT, size)]
    return not wrong and ask(handle, tag, size)[0] == 0 and ask(handle, tag, None)[:2] == (0, size)


def compare(handle, what, wanted):
    """Every attribute is what is wanted, and all that is not in there is not known."""
    wrong = []
    for tag in facts.EVERY:
        code, length, value = ask(handle, tag)
        want = wanted.get(tag)
        if isinstance(want, int):
            want = struct.pack("=I", want)
        if want is None and code != UNSUPPORTED:
            wrong.append(f"{tag:08X} is {value.hex()}, and nobody can know it ({code:08X})")
        elif want is not None and (code, value) != (0, want):
            wrong.append(f"{tag:08X} is {value.hex()} ({code:08X}), not {want.hex()}")
        elif want is not None and not with_too_little_room(handle, tag, length):
            wrong.append(f"{tag:08X} is not refused, or not measured, with too little room")
    check(not wrong, f"{what}: {len(wanted)} of {len(facts.EVERY)} attributes are known, and right" + "\n  ".join([""] + wrong))


def text(string):
    return string.encode() + b"\0"


def fixed(reader, name, place):
    """What the reader is, whatever happens to its card."""
    known = dict(facts.of_reader(reader))
    known[facts.CHANNEL] = 0x200000 | place[0] << 8 | place[1]
    known[facts.NAME_A] = known[facts.SYSTEM_NAME_A] = text(name)
    if reader.manufacturer:
        known[facts.VENDOR_NAME] = text(reader.manufacturer)
    if reader.product:
        known[facts.IFD_TYPE] = text(reader.product)
    return known


def state(present, active, atr=b""):
    known = {facts.PRESENCE: bytes([2 * present]), facts.INTERFACE: bytes([active]), facts.ATR: atr}
    return {**known, facts.ICC_TYPE: b"\1"} if atr else known


# ---- what the simulator knows ------------------------------------------------------------------------------------------

def line(slot):
    """Fi/Di that the line of this slot runs at."""
    for row in ctl("status").splitlines():
        if row.startswith(f"slot {slot}: ") and "Fi/Di" in row:
            return int(row.rsplit("Fi/Di ", 1)[1].split(",")[0], 16)
    return None


def direct(context, name):
    handle, _ = must("SCardConnect", pcsc.SCardConnect(context.handle, name, DIRECT, 0))
    return handle


def leave(handle, how=pcsc.SCARD_LEAVE_CARD):
    must("SCardDisconnect", pcsc.SCardDisconnect(handle, how))


# ---- the story --------------------------------------------------------------------------------------------------------

def without_card(context, name, always):
    handle = direct(context, name)
    compare(handle, "no card", {**always, **state(False, 0)})
    leave(handle)


def with_card(context, name, reader, always, spec, slot):
    """In use; then the power is off, with the connection still there; then it is pulled."""
    card = context.connect(name)
    fi_di = None if reader.token else line(slot)
    now = facts.of_card(reader, card.atr(), card.protocol, fi_di)
    compare(card.handle, f"{spec} in use, T={card.protocol - 1}, Fi/Di {fi_di or 0:02X}", {**always, **now, **state(True, 1, card.atr())})
    card.disconnect(pcsc.SCARD_UNPOWER_CARD)
    handle = direct(context, name)
    compare(handle, f"{spec} without power", {**always, **state(True, 0)})
    leave(handle)
    if spec == "inside":
        return
    ctl("remove", str(slot))
    check(eventually(lambda: not context.has_card(name)), f"{spec} is pulled")
    without_card(context, name, always)


# ---- control codes -----------------------------------------------------------------------------------------------------

ESCAPES = (0x42000001, 0x42000DAC, 0x003136B0)
NODE_ADDRESS, USB_PLACE = 0x42000E10, 0x42000E11
FEATURE_LISTS = (part10.GET_FEATURE_REQUEST, 0x00313520)
VERIFY, MODIFY, MCT, PIN_PROPERTIES, ABORT, DISPLAY, TLV, ESCAPE = 0x06, 0x07, 0x08, 0x0A, 0x0B, 0x11, 0x12, 0x13
FEATURES = range(0x01, 0x21)


def control(handle, code, data=b""):
    """The answer, or the code of the failure."""
    result = pcsc.SCardControl(handle, code, list(data))
    return bytes(result[1]) if result[0] == 0 else result[0] & 0xFFFFFFFF


def features_of(reader):
    wanted = {TLV}
    wanted |= {VERIFY} if reader.pin & 1 else set()
    wanted |= {MODIFY} if reader.pin & 2 else set()
    wanted |= {PIN_PROPERTIES, ABORT} if reader.pin & 3 else set()
    wanted |= {DISPLAY} if reader.lines and reader.columns else set()
    wanted |= {MCT} if reader.rules.get("mct") else set()
    return wanted | ({ESCAPE} if reader.rules.get("escape") == "yes" else set())


def tell_features(handle, reader):
    lists = [control(handle, code) for code in FEATURE_LISTS]
    check(isinstance(lists[0], bytes) and lists[0] == lists[1], "both numbers bring the list of features")
    found = {tag: code for tag, length, code in struct.iter_unpack(">BBI", lists[0]) if length == 4}
    check(set(found) == features_of(reader), f"which are {sorted(found)}")
    others = [tag for tag in FEATURES if tag not in found and control(handle, 0x42330000 + tag) != UNSUPPORTED]
    check(not others, "what is not in it is refused")
    return found


def tlvs(value):
    found = {}
    while value:
        found[value[0]], value = value[2:2 + value[1]], value[2 + value[1]:]
    return found


def tell_properties(handle, reader, found):
    is_true = lambda got, want, what: check(got == want, f"{what} ({got})")
    layout = struct.pack("<BB", reader.columns, reader.lines)
    conditions = int(reader.rules.get("conditions", 7))
    p = tlvs(control(handle, found[TLV]))
    is_true(p[0x01], layout, "wLcdLayout is that of the descriptor")
    is_true((p[0x0B], p[0x0C]), (struct.pack("<H", reader.vid), struct.pack("<H", reader.pid)), "wIdVendor and wIdProduct")
    is_true(p[0x0A], struct.pack("<I", 0 if reader.level == "short-apdu" else 0x10000), "dwMaxAPDUDataSize")
    is_true(p[0x09], bytes([ESCAPE in found]), "bPPDUSupport")
    if not reader.rules.get("names_firmware"):
        is_true(p[0x08], f"{reader.bcd >> 8:x}.{reader.bcd & 0xFF:02x}".encode(), "sFirmwareID is bcdDevice")
    check((0x04 in p) == (0x05 in p) == (DISPLAY in found), "the size of the display is told where there is one")
    if DISPLAY in found:
        is_true(control(handle, found[DISPLAY]), struct.pack("<HH", reader.columns, reader.lines), "IFD_DISPLAY_PROPERTIES")
    if PIN_PROPERTIES in found:
        is_true(control(handle, found[PIN_PROPERTIES]), layout + bytes([conditions, 0]), "IFD_PIN_PROPERTIES")
        is_true(control(handle, found[ABORT]), b"", "ABORT without an entry does nothing")
    for feature in {VERIFY, MODIFY} & set(found):
        check(control(handle, found[feature], b"\0" * 5) not in (UNSUPPORTED, 0), "a PIN structure that is none is refused")


def tell_place(handle, reader, place):
    check(control(handle, USB_PLACE) == f"{place}:1.{reader.interface}".encode(), "the place in the USB tree")
    if not reader.host_sends_blocks:
        check(control(handle, NODE_ADDRESS) == UNSUPPORTED, "no node address, since the reader makes the blocks")
        return
    said = [control(handle, NODE_ADDRESS, data) for data in (b"", b"\x21", b"", b"\0", b"")]
    check(said == [b"\0", b"", b"\x21", b"", b"\0"], f"the node address can be set and asked for ({said})")


def send_escapes(handle, reader, found):
    codes = ESCAPES + ((found[ESCAPE],) if ESCAPE in found else ())
    if reader.rules.get("escape") == "yes":
        check(all(control(handle, code, b"\x1E") not in (UNSUPPORTED, b"") for code in codes), f"{len(codes)} numbers send an Escape command")
    else:
        check(all(control(handle, code, b"\x01\x02") == UNSUPPORTED for code in codes), "Escape commands are not permitted")
    if MCT in found:
        check(control(handle, found[MCT], b"\x20\x76\0\0\0") != UNSUPPORTED, "MCT_READER_DIRECT is there, and takes no other commands")


def asked_with(handle, code, room):
    """The code of the answer; a byte that is written behind the room fails the test, and so does a length beyond it."""
    buffer = (ctypes.c_ubyte * (MOST + 8))(*([GUARD] * (MOST + 8)))
    length = ctypes.c_ulong(MOST)
    answer = send_control(handle, code, None, 0, buffer, room, ctypes.byref(length)) & 0xFFFFFFFF
    if bytes(buffer[room:]) != bytes([GUARD] * (MOST + 8 - room)) or (answer == 0 and length.value > room):
        check(False, f"control code {code:08X} stays within {room} bytes")
    return answer


def tell_short(handle, reader, found):
    """Every number that answers without being told anything, with less room than its answer takes."""
    codes = [*FEATURE_LISTS, USB_PLACE, *([NODE_ADDRESS] if reader.host_sends_blocks else []),
             *(found[tag] for tag in (TLV, PIN_PROPERTIES, DISPLAY) if tag in found)]
    wrong = []
    for code in codes:
        size = len(control(handle, code))
        wrong += [f"{code:08X} with {room} of {size} bytes" for room in range(size) if asked_with(handle, code, room) != INSUFFICIENT]
        wrong += [f"{code:08X} with {size} bytes"] if asked_with(handle, code, size) != 0 else []
    check(not wrong, f"{len(codes)} control codes are refused with too little room, and answered with just enough" + "\n  ".join(["", *wrong]))


def control_codes(context, name, reader, place):
    handle = direct(context, name)
    found = tell_features(handle, reader)
    tell_properties(handle, reader, found)
    tell_place(handle, reader, place)
    tell_short(handle, reader, found)
    send_escapes(handle, reader, found)
    check(control(handle, 0x42000002) == UNSUPPORTED and control(handle, 0x42000000 + 3501) == UNSUPPORTED, "other numbers are refused")
    leave(handle)


def name_of(context, interface):
    """The reader of this interface: pcscd counts them in the order in which it finds them."""
    check(eventually(context.readers), "the reader is listed")
    for name in context.readers():
        handle = direct(context, name)
        place = control(handle, USB_PLACE)
        leave(handle)
        if isinstance(place, bytes) and place.endswith(b".%d" % interface):
            return name
    check(False, f"interface {interface} is listed")


def main(ids, *words):
    rules = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith(("t0", "t1", "dual")))
    cards = [word for word in words if "=" not in word or word.startswith(("t0", "t1", "dual"))]
    interface, slot = int(rules.pop("interface", 0)), int(rules.pop("slot", 0))
    reader = facts.Reader(facts.readers_folder(), ids, interface, **rules)
    context = Context()
    name = name_of(context, interface)
    device = ask(direct(context, name), facts.CHANNEL)[2]
    always = fixed(reader, name, (1, device[0]))
    if cards != ["inside"]:
        without_card(context, name, always)
    for spec in cards:
        if spec != "inside":
            put(context, name, spec, slot)
        with_card(context, name, reader, always, spec, slot)
    control_codes(context, name, reader, "1-1")
    nothing_illegal()


main(*sys.argv[1:])
