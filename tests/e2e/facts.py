# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the attributes and control codes of a reader have to be: worked out from readers/, from the ATR, and from what the simulated line
really runs at. Nothing here comes from the driver.
"""
import os
import pathlib
import re
import struct

LEVELS = ("character", "tpdu", "short-apdu", "extended-apdu")
FI = (372, 372, 558, 744, 1116, 1488, 1860, None, None, 512, 768, 1024, 1536, 2048, None, None)
DI = (None, 1, 2, 4, 8, 16, 32, 64, 12, 20, None, None, None, None, None, None)

VENDOR_NAME, IFD_TYPE, VERSION, SERIAL = 0x10100, 0x10101, 0x10102, 0x10103
CHANNEL = 0x20110
PROTOCOLS, CLOCK, MAX_CLOCK, RATE, MAX_RATE, MAX_IFSD, SYNC = range(0x30120, 0x30127)
POWER, USER_TO_CARD, USER_INPUT, CHARACTERISTICS = 0x40131, 0x50140, 0x50142, 0x60150
NOW_PROTOCOL, NOW_CLOCK, NOW_F, NOW_D, NOW_N, NOW_W = range(0x80201, 0x80207)
NOW_IFSC, NOW_IFSD, NOW_BWT, NOW_CWT, NOW_EBC, EXTENDED_BWT = range(0x80207, 0x8020D)
PRESENCE, INTERFACE, IO_STATE, ATR, ICC_TYPE = range(0x90300, 0x90305)
ESC_RESET, ESC_CANCEL, ESC_AUTH, MAX_INPUT = 0x7A000, 0x7A003, 0x7A005, 0x7A007
UNIT, IN_USE, NAME_A, SYSTEM_NAME_A, NAME_W, SYSTEM_NAME_W, NO_IFS = range(0x7FFF0001, 0x7FFF0008)

EVERY = (VENDOR_NAME, IFD_TYPE, VERSION, SERIAL, CHANNEL, PROTOCOLS, CLOCK, MAX_CLOCK, RATE, MAX_RATE, MAX_IFSD, SYNC, POWER,
         USER_TO_CARD, USER_INPUT, CHARACTERISTICS, NOW_PROTOCOL, NOW_CLOCK, NOW_F, NOW_D, NOW_N, NOW_W, NOW_IFSC, NOW_IFSD,
         NOW_BWT, NOW_CWT, NOW_EBC, EXTENDED_BWT, PRESENCE, INTERFACE, IO_STATE, ATR, ICC_TYPE, ESC_RESET, ESC_CANCEL,
         ESC_AUTH, MAX_INPUT, UNIT, IN_USE, NAME_A, SYSTEM_NAME_A, NAME_W, SYSTEM_NAME_W, NO_IFS)


class Reader:
    """One interface of one unit in readers/. What rules of the list change, or an Escape command tells, is given as keys."""

    def __init__(self, folder, ids, interface=0, **rules):
        ids, _, bcd = ids.partition("@")
        self.vid, self.pid = (int(word, 16) for word in ids.split(":"))
        unit = self._unit(folder, ids, bcd)
        block = re.search(rf"^ +interface {interface}:\n((?:    .*\n?)+)", unit, re.M).group(1)
        text = re.search(r"descriptor = (.*)", block).group(1)
        self.interface = interface
        self.triple = bytes.fromhex(re.search(r"class += (.*)", block).group(1))
        self.endpoints = int(re.search(r"endpoints += (.*)", block).group(1))
        self.manufacturer, self.product = self._string(unit, "manufacturer"), self._string(unit, "product")
        self.bcd = int(re.match(r"unit (\S\S)\.(\S\S):", unit).expand(r"\1\2"), 16)
        self._decode(bytes.fromhex(text))
        self.rules = rules
        self.columns, self.lines = int(rules.get("columns", self.columns)), int(rules.get("lines", self.lines))
        level = (self.features >> 16) & 7
        self.level = rules.get("level", LEVELS[0 if not level else level.bit_length()])
        self.token = self.endpoints < 2 and self.triple[2]
        if self.token == 1:
            self.level, self.protocols = "tpdu", 1

    @staticmethod
    def _unit(folder, ids, bcd):
        for path in pathlib.Path(folder).glob(f"{ids[:4]}-*.reader"):
            section = re.search(rf"^\[{ids}\]\n((?:(?!\[).*\n?)*)", path.read_text(), re.M)
            if section:
                wanted = rf"{bcd[:2]}\.{bcd[2:]}" if bcd else r"\S+"
                return re.search(rf"^unit {wanted}:\n(?: .*\n?)+", section.group(1), re.M).group(0)
        raise SystemExit(f"{ids} is not in {folder}")

    @staticmethod
    def _string(unit, key):
        found = re.search(rf"^  {key} += (.*)$", unit, re.M)
        return found.group(1).strip() if found else None

    def _decode(self, d):
        (self.slots, _, self.protocols, self.clock, self.max_clock, _, self.rate, self.max_rate, _, self.ifsd, self.sync,
         self.mechanical, self.features, self.message, _, _, self.columns, self.lines, self.pin, _) = struct.unpack(
             "<xxxxBBIIIBIIBIIIIIBBBBBB", d)
        self.slots += 1

    @property
    def host_sends_blocks(self):
        return self.level in ("character", "tpdu")

    def has_events(self):
        return self.endpoints in (1, 3)


def atr_parameters(atr):
    """N, WI, IFSC, BWI, CWI, CRC of an ATR, with the defaults of ISO/IEC 7816-3."""
    found = {"n": 0, "wi": 10, "ifsc": 32, "bwi": 4, "cwi": 13, "crc": 0}
    y, at, group, t, first_t1 = atr[1] >> 4, 2, 1, 0, None
    while y:
        present = [bool(y >> bit & 1) for bit in range(4)]
        ta, tb, tc, td = (next_byte for next_byte in _take(atr, at, present))
        at += sum(present)
        if group == 1 and tc is not None:
            found["n"] = tc
        if group == 2 and tc is not None:
            found["wi"] = tc
        if group > 2 and t == 1 and first_t1 in (None, group):
            first_t1 = group
            found["ifsc"] = found["ifsc"] if ta is None else ta
            if tb is not None:
                found["bwi"], found["cwi"] = tb >> 4, tb & 15
            found["crc"] = 0 if tc is None else tc & 1
        y, t = (td >> 4, td & 15) if td is not None else (0, 0)
        group += 1
    return found


def _take(atr, at, present):
    for there in present:
        yield atr[at] if there else None
        at += there


def of_reader(r, slot=0):
    """The attributes that need no card."""
    u32 = {VERSION: r.bcd << 16, POWER: 1, UNIT: int(r.rules.get("unit", 0)), CHARACTERISTICS: r.mechanical & 7,
           USER_TO_CARD: 2 if r.pin & 3 else 0}
    u32.update({tag: n for tag, n in ((CLOCK, r.clock), (MAX_CLOCK, r.max_clock), (RATE, r.rate), (MAX_RATE, r.max_rate)) if n})
    if r.protocols & 3:
        u32[PROTOCOLS] = r.protocols & 3
    if not r.sync or r.sync >> 16 == 0x4000:
        u32[SYNC] = r.sync
    if r.ifsd and r.protocols & 2:
        u32[MAX_IFSD] = min(r.ifsd, 254)
    if r.host_sends_blocks and r.protocols & 2 and not r.features & 0x400:
        u32[NO_IFS] = 0
    u32[MAX_INPUT] = max_input(r, None)
    return u32


def max_input(r, protocol):
    """The longest APDU: 65544 is a header, a long Lc, 65535 bytes and a long Le; 261 the same of a short one."""
    if r.level == "extended-apdu" or (r.host_sends_blocks and protocol == 2):
        return 65544
    room = max(r.message, 261) if r.token else max(r.message, 64) - 10
    return 261 if r.level != "short-apdu" and room >= 260 else min(room, 261)


def of_card(r, atr, protocol, fi_di):
    """Those of a card in use; fi_di is what the line runs at, or None where nobody can know."""
    a = atr_parameters(atr)
    u32 = {NOW_PROTOCOL: protocol, MAX_INPUT: max_input(r, protocol)}
    fixed = not r.features & 0x10 or r.clock == r.max_clock
    if r.clock and fixed:
        u32[NOW_CLOCK] = r.clock
    f, d = (FI[fi_di >> 4], DI[fi_di & 15]) if fi_di else (None, None)
    if f:
        u32.update({NOW_F: f, NOW_D: d, NOW_N: a["n"]})
    if f and protocol == 1:
        u32[NOW_W] = 960 * a["wi"] * d
    if f and protocol == 2:
        u32[NOW_BWT] = 11 + -(-(960 * 372 * d << a["bwi"]) // f)
        u32[NOW_CWT] = 11 + (1 << a["cwi"])
    if protocol == 2 and (f or r.host_sends_blocks):
        u32.update({NOW_IFSC: a["ifsc"], NOW_EBC: a["crc"]})
    if protocol == 2 and r.host_sends_blocks and not r.features & 0x400:
        u32[NOW_IFSD] = min(r.ifsd or 254, 254, r.message - 15)
    return u32


def readers_folder():
    return os.path.join(os.environ["top_srcdir"], "readers")
