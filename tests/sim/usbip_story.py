# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulator's USB/IP side, from the first request to a hostile one. Needs no kernel module: usbip.py is the other end."""
import os
import socket
import struct
import subprocess
import sys
import time

from usbip import RET_SUBMIT, RET_UNLINK, Link, UsbipError

SIM, WHERE = os.environ["CCID_SIM"], os.environ["CCID_SIM_USBIP"]
OUT, IN, INT = 0x01, 0x82, 0x83
EPIPE, ECONNRESET = -32, -104
GET_SLOT_STATUS = bytes.fromhex("65 00000000 00 07 000000")
POWER_ON = bytes.fromhex("62 00000000 00 08 000000")


def check(condition, sentence):
    if not condition:
        print(f"FAIL: {sentence}")
        sys.exit(1)
    print(f"ok: {sentence}", flush=True)


def ctl(*words):
    return subprocess.run([SIM, "ctl", *words], check=True, capture_output=True, text=True).stdout


def refuses(sentence, what):
    try:
        what()
    except UsbipError:
        check(True, sentence)
        return
    check(False, sentence)


def attached():
    """A new link; the end of the last one may still be on its way."""
    until = time.monotonic() + 5
    while not Link(WHERE).list() and time.monotonic() < until:
        time.sleep(0.01)
    link = Link(WHERE)
    link.attach()
    return link


def the_list():
    devices = Link(WHERE).list()
    check(len(devices) == 1, "one device is listed")
    device, interfaces = devices[0]
    check((device.vid, device.pid, device.busid) == (0x04E6, 0x5116, "1-1"), "it is the SCR3310 at 1-1")
    check(device.speed == 2 and interfaces == [(0x0B, 0, 0)], "at full speed, with one CCID interface")


# What a kernel asks on its own behalf, and what a device says: request, wValue, wIndex, wLength, the answer
REQUESTS = [
    ("GET_DESCRIPTOR device, the first 8 bytes", (0x80, 6, 0x0100, 0, 8), bytes.fromhex("12 01 00 02 00 00 00 40")),
    ("GET_DESCRIPTOR device qualifier, of a full-speed device", (0x80, 6, 0x0600, 0, 10), None),
    ("GET_DESCRIPTOR of a second configuration", (0x80, 6, 0x0201, 0, 9), None),
    ("GET_DESCRIPTOR string 0", (0x80, 6, 0x0300, 0, 255), bytes.fromhex("04 03 09 04")),
    ("GET_DESCRIPTOR of a string that there is not", (0x80, 6, 0x0377, 0x0409, 255), None),
    ("GET_STATUS device", (0x80, 0, 0, 0, 2), bytes(2)),
    ("GET_STATUS interface", (0x81, 0, 0, 0, 2), bytes(2)),
    ("GET_STATUS endpoint", (0x82, 0, 0, IN, 2), bytes(2)),
    ("GET_STATUS of an endpoint that there is not", (0x82, 0, 0, 0x85, 2), None),
    ("SET_FEATURE remote wake-up, which it has not", (0x00, 3, 1, 0, 0), None),
    ("SET_CONFIGURATION 1", (0x00, 9, 1, 0, 0), 0),
    ("SET_CONFIGURATION 2", (0x00, 9, 2, 0, 0), None),
    ("GET_CONFIGURATION", (0x80, 8, 0, 0, 1), b"\x01"),
    ("SET_INTERFACE 0", (0x01, 11, 0, 0, 0), 0),
    ("SET_INTERFACE, a setting that there is not", (0x01, 11, 1, 0, 0), None),
    ("SET_INTERFACE, an interface that there is not", (0x01, 11, 0, 5, 0), None),
    ("GET_INTERFACE", (0x81, 10, 0, 0, 1), b"\0"),
    ("SET_FEATURE halt", (0x02, 3, 0, IN, 0), 0),
    ("GET_STATUS endpoint, halted", (0x82, 0, 0, IN, 2), b"\x01\0"),
    ("CLEAR_FEATURE halt", (0x02, 1, 0, IN, 0), 0),
    ("GET_STATUS endpoint, no longer halted", (0x82, 0, 0, IN, 2), bytes(2)),
    ("SYNCH_FRAME", (0x82, 12, 0, IN, 2), None),
    ("a vendor request", (0xC0, 1, 0, 0, 8), None),
]


def requests(link):
    for sentence, request, want in REQUESTS:
        status, answer = link.control(*request)
        if want is None:
            check(status == EPIPE, f"{sentence}: stalled")
        else:
            check(status == 0 and answer == want, f"{sentence}: {want!r}")


def descriptors(link):
    status, config = link.control(0x80, 6, 0x0200, 0, 512)
    total, interfaces = struct.unpack("<HB", config[2:5])
    check(status == 0 and (len(config), interfaces) == (total, 1), f"the configuration of {total} bytes is read whole")
    check(bytes([54, 0x21]) in config, "with the class descriptor of a CCID reader")
    status, product = link.control(0x80, 6, 0x0302, 0x0409, 255)
    check(status == 0 and "SCR" in product[2:].decode("utf-16le"), f"its product string is {product[2:].decode('utf-16le')!r}")


def messages(link):
    number = link.submit(IN, length=4096)
    link.submit(OUT, GET_SLOT_STATUS)
    kind, _, status, sent = link.answer()
    check((kind, status, sent) == (RET_SUBMIT, 0, 10), "GetSlotStatus is sent")
    kind, seqnum, status, answer = link.answer((number,))
    check((kind, seqnum, status) == (RET_SUBMIT, number, 0), "and answered by the transfer that waited")
    check(answer[0] == 0x81 and answer[6] == 7 and answer[7] & 3 == 1, "SlotStatus, bSeq 7: a card without power")
    link.transfer(OUT, POWER_ON)
    status, answer = link.transfer(IN, length=4096)
    check(status == 0 and answer[0] == 0x80 and answer[10] == 0x3B, f"IccPowerOn gives an ATR: {answer[10:].hex(' ')}")


def taken_back(link):
    check(link.transfer(INT, length=8) == (0, b"\x50\x03"), "NotifySlotChange: there is a card, and that is new")
    number = link.submit(INT, length=8)
    unlink = link.unlink(number)
    check(link.answer()[:3] == (RET_UNLINK, unlink, ECONNRESET), "a transfer that waits is taken back")
    status, sent = link.transfer(OUT, GET_SLOT_STATUS)
    unlink = link.unlink(unlink - 1)
    check(link.answer()[:3] == (RET_UNLINK, unlink, 0), "one that is over cannot be")
    check(link.transfer(IN, length=64)[0] == 0, "and the pipe goes on")
    check(link.transfer(0x05, b"x")[0] == EPIPE, "an endpoint that there is not is stalled")


def latency(link):
    ctl("latency", "50")
    start = time.monotonic()
    link.transfer(OUT, GET_SLOT_STATUS)
    link.transfer(IN, length=64)
    check(time.monotonic() - start >= 0.1, "two round trips of 50 ms take 100 ms")
    ctl("latency", "0")


def held(link):
    ctl("link", "hold")
    link.submit(OUT, GET_SLOT_STATUS)
    link.socket.settimeout(0.2)
    try:
        link.answer()
        check(False, "nothing comes while the link is dead")
    except socket.timeout:
        check(True, "nothing comes while the link is dead")
    link.socket.settimeout(5)
    ctl("link", "release")
    check(link.answer()[0] == RET_SUBMIT, "and it goes on afterwards")


HOSTILE = [
    ("another protocol", b"GET / HTTP/1.1\r\n\r\n"),
    ("another version", struct.pack(">HHI", 0x0100, 0x8005, 0)),
    ("an unknown operation", struct.pack(">HHI", 0x0111, 0x8099, 0)),
]
HOSTILE_COMMANDS = [
    ("an unknown command", struct.pack(">IIIII28x", 9, 1, 0x10002, 0, 1)),
    ("a transfer of 2 GB", struct.pack(">IIIIIII20x", 1, 1, 0x10002, 0, 1, 0, 0x7FFFFFFF)),
    ("a transfer of -1 bytes", struct.pack(">IIIIIII20x", 1, 1, 0x10002, 1, 2, 0, 0xFFFFFFFF)),
    ("endpoint 77", struct.pack(">IIIIIII20x", 1, 1, 0x10002, 1, 77, 0, 8)),
    ("an isochronous transfer", struct.pack(">IIIIIIIII12x", 1, 1, 0x10002, 1, 2, 0, 64, 0, 8)),
    ("another device", struct.pack(">IIIIIII20x", 1, 1, 0x10099, 1, 2, 0, 8)),
    ("a thousand transfers at a time",
     b"".join(struct.pack(">IIIIIII20x", 1, n, 0x10002, 1, 2, 0, 64) for n in range(1000))),
]


def hostile():
    for sentence, data in HOSTILE:
        link = Link(WHERE)
        link.socket.sendall(data)
        check(link.ended(), f"{sentence}: the link ends")
    for sentence, data in HOSTILE_COMMANDS:
        link = attached()
        try:
            link.socket.sendall(data)
        except ConnectionError:
            pass
        check(link.ended(), f"{sentence}: the link ends")
    link = Link(WHERE)
    link.socket.sendall(struct.pack(">HHI", 0x0111, 0x8003, 0) + b"1-")
    link.close()
    attached().close()
    check(True, "after all that the device is still there")


def comes_and_goes():
    link = attached()
    check(not Link(WHERE).list(), "an imported device is not listed")
    refuses("and is not given to a second one", lambda: Link(WHERE).attach())
    ctl("unplug")
    check(link.ended(), "unplugged: the link ends")
    check(not Link(WHERE).list(), "and nothing is listed")
    refuses("nor imported", lambda: Link(WHERE).attach())
    ctl("plug")
    link = Link(WHERE)
    check(link.attach().devnum == 3, "plugged in again: it is imported under the next number")
    ctl("link", "cut")
    check(link.ended(), "the link is cut")
    Link(WHERE).attach()
    refuses("another name is no device", lambda: Link(WHERE).attach("1-2"))


def main():
    the_list()
    link = attached()
    check("imported" in ctl("link"), "it is imported")
    requests(link)
    descriptors(link)
    messages(link)
    taken_back(link)
    latency(link)
    held(link)
    link.close()
    hostile()
    comes_and_goes()
    check("\nviolations 0\n" in ctl("stats"), "and the reader was sent nothing illegal")


main()
