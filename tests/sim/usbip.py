# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of USB/IP 1.1.1: lists and imports a device, and submits URBs, as the kernel module vhci-hcd does."""
import socket
import struct

VERSION, REQ_LIST, REP_LIST, REQ_IMPORT, REP_IMPORT = 0x0111, 0x8005, 0x0005, 0x8003, 0x0003
SUBMIT, UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
NOT_ISOCHRONOUS = 0xFFFFFFFF


class UsbipError(Exception):
    """The other end refused, or the link has ended."""


class Device:
    """What a list or an import says about a device."""

    def __init__(self, data):
        (_path, busid, self.busnum, self.devnum, self.speed, self.vid, self.pid, self.bcd, *self.classes,
         self.configuration, self.configurations, self.interfaces) = DEVICE.unpack(data)
        self.busid = busid.rstrip(b"\0").decode()
        self.devid = self.busnum << 16 | self.devnum


class Link:
    """One connection."""

    def __init__(self, where, timeout=5.0):
        host, port = where.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seqnum, self.device = 0, None

    def close(self):
        self.socket.close()

    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise UsbipError("the link has ended")
            data += more
        return data

    def ended(self):
        """Has the other end closed the link? Waits for it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def operation(self, request, reply, more=b""):
        self.socket.sendall(struct.pack(">HHI", VERSION, request, 0) + more)
        version, code, status = struct.unpack(">HHI", self.receive(8))
        if (version, code, status) != (VERSION, reply, 0):
            raise UsbipError(f"version {version:04x}, code {code:04x}, status {status}")

    def list(self):
        """[(Device, [(class, subclass, protocol)])]"""
        self.operation(REQ_LIST, REP_LIST)
        devices = []
        for _ in range(struct.unpack(">I", self.receive(4))[0]):
            device = Device(self.receive(DEVICE.size))
            devices.append((device, [tuple(self.receive(4)[:3]) for _ in range(device.interfaces)]))
        return devices

    def attach(self, busid="1-1"):
        """Import the device; the link is for its URBs from now on."""
        self.operation(REQ_IMPORT, REP_IMPORT, busid.encode().ljust(32, b"\0"))
        self.device = Device(self.receive(DEVICE.size))
        return self.device

    def submit(self, endpoint, data=b"", length=0, setup=bytes(8)):
        """An URB: data for an OUT endpoint, or length bytes of room. Returns its number."""
        incoming = bool(endpoint & 0x80)
        self.seqnum += 1
        self.socket.sendall(struct.pack(">IIIIIIIIII", SUBMIT, self.seqnum, self.device.devid, incoming, endpoint & 15, 0,
                                        length if incoming else len(data), 0, NOT_ISOCHRONOUS, 0) + setup + data)
        return self.seqnum

    def unlink(self, victim):
        self.seqnum += 1
        self.socket.sendall(struct.pack(">IIIIII24x", UNLINK, self.seqnum, self.device.devid, 0, 0, victim))
        return self.seqnum

    def answer(self, incoming=()):
        """The next answer: its kind, number, status and data. incoming: the numbers of the IN transfers."""
        kind, seqnum, _, _, _, status, actual = struct.unpack(">IIIIIiI20x", self.receive(48))
        data = self.receive(actual) if kind == RET_SUBMIT and seqnum in incoming else b""
        return kind, seqnum, status, data or actual

    def transfer(self, endpoint, data=b"", length=0, setup=bytes(8)):
        """An URB and its answer: status, and data or how much was sent."""
        number = self.submit(endpoint, data, length, setup)
        kind, seqnum, status, result = self.answer((number,) if endpoint & 0x80 else ())
        if (kind, seqnum) != (RET_SUBMIT, number):
            raise UsbipError(f"URB {number} was answered by message {kind} about {seqnum}")
        return status, result

    def control(self, request_type, request, value=0, index=0, length=0):
        return self.transfer(request_type & 0x80, length=length,
                             setup=struct.pack("<BBHHH", request_type, request, value, index, length))
