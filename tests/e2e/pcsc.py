# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the end-to-end tests share: PC/SC calls that raise with a sentence, and the simulator's control verbs."""
import os
import subprocess
import sys
import time

try:
    from smartcard import scard as pcsc
except ImportError:
    print("SKIP: python3-pyscard is not installed")
    sys.exit(77)

SIM = os.environ.get("CCID_SIM", "ccid-sim")
RESTARTABLE = (pcsc.SCARD_W_RESET_CARD, pcsc.SCARD_W_REMOVED_CARD, pcsc.SCARD_E_NO_SMARTCARD,
               pcsc.SCARD_W_UNPOWERED_CARD, pcsc.SCARD_W_UNRESPONSIVE_CARD, pcsc.SCARD_E_NOT_TRANSACTED,
               pcsc.SCARD_E_PROTO_MISMATCH, pcsc.SCARD_E_INVALID_HANDLE, pcsc.SCARD_E_READER_UNAVAILABLE)


class PcscError(Exception):
    """A PC/SC call failed; .code tells how."""

    def __init__(self, call, code):
        super().__init__(f"{call}: {pcsc.SCardGetErrorMessage(code).strip()}")
        self.code = code


def must(call, result):
    """The values of a PC/SC call behind its code; raises if the code is not success."""
    if isinstance(result, int):
        result = [result]
    if result[0] != pcsc.SCARD_S_SUCCESS:
        raise PcscError(call, result[0])
    return result[1] if len(result) == 2 else result[1:]


def check(condition, sentence):
    """One thing that has to hold."""
    if not condition:
        print(f"FAIL: {sentence}")
        sys.exit(1)
    print(f"ok: {sentence}", flush=True)


def eventually(what, seconds=5.0):
    """Wait until what() is true; returns whether it became so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return bool(what())


def ctl(*words):
    """Tell the simulator something; returns its answer."""
    return subprocess.run([SIM, "ctl", *words], check=True, capture_output=True, text=True).stdout


class Context:
    """One PC/SC context."""

    def __init__(self):
        self.handle = must("SCardEstablishContext", pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER))

    def readers(self):
        # pyscard asks for the size first, then for the names; a reader that comes or leaves in between spoils either.
        try:
            code, names = pcsc.SCardListReaders(self.handle, [])
        except SystemError:
            return self.readers()
        if code == pcsc.SCARD_E_INSUFFICIENT_BUFFER:
            return self.readers()
        if code == pcsc.SCARD_E_NO_READERS_AVAILABLE:
            return []
        return list(must("SCardListReaders", [code, names]))

    def status(self, reader):
        """The name of a reader, its event state and the ATR, right now."""
        for _ in range(5):
            code, states = pcsc.SCardGetStatusChange(self.handle, 0, [(reader, pcsc.SCARD_STATE_UNAWARE)])
            # What pcscd 2.5 says now and then of a reader that it lists, whichever driver it has.
            if code not in (pcsc.SCARD_E_UNKNOWN_READER, pcsc.SCARD_E_UNSUPPORTED_FEATURE) or reader not in self.readers():
                break
            time.sleep(0.01)
        return must("SCardGetStatusChange", [code, states])[0]

    def state(self, reader):
        return self.status(reader)[1]

    def atr(self, reader):
        return bytes(self.status(reader)[2])

    def has_card(self, reader):
        return bool(self.state(reader) & pcsc.SCARD_STATE_PRESENT)

    def connect(self, reader, protocols=pcsc.SCARD_PROTOCOL_T0 | pcsc.SCARD_PROTOCOL_T1):
        return Card(self, reader, protocols)


class Card:
    """A connected card."""

    def __init__(self, context, reader, protocols):
        self.context, self.reader, self.protocols = context, reader, protocols
        self.handle, self.protocol = must(
            "SCardConnect",
            pcsc.SCardConnect(context.handle, reader, pcsc.SCARD_SHARE_SHARED, protocols))

    def atr(self):
        return bytes(must("SCardStatus", pcsc.SCardStatus(self.handle))[3])

    def send(self, apdu):
        """One APDU; returns data and status word."""
        pci = pcsc.SCARD_PCI_T1 if self.protocol == pcsc.SCARD_PROTOCOL_T1 else pcsc.SCARD_PCI_T0
        answer = bytes(must("SCardTransmit", pcsc.SCardTransmit(self.handle, pci, list(apdu))))
        return answer[:-2], answer[-2] << 8 | answer[-1]

    def reconnect(self):
        self.protocol = must("SCardReconnect",
                             pcsc.SCardReconnect(self.handle, pcsc.SCARD_SHARE_SHARED, self.protocols,
                                                 pcsc.SCARD_RESET_CARD))

    def disconnect(self, disposition=pcsc.SCARD_LEAVE_CARD):
        must("SCardDisconnect", pcsc.SCardDisconnect(self.handle, disposition))


def echo_apdu(data):
    """The simulated card answers this case 4 command with the data and a counter of four bytes."""
    return bytes([0x80, 0x10, 0, 0, len(data)]) + data + bytes([0])
