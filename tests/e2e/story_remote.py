# SPDX-License-Identifier: LGPL-2.1-or-later
"""
pcscd on another machine: its socket is forwarded, as ssh -L does, by a relay that counts the round trips of each call. And the
line breaks: the application is told, and can begin anew.
"""
import os
import select
import socket
import tempfile
import threading

from cards import echo
from pcsc import Context, PcscError, check, eventually


class Relay(threading.Thread):
    """One unix socket forwarded to another."""

    def __init__(self, listen, to):
        super().__init__(daemon=True)
        self.to, self.trips, self.pairs, self.asking = to, 0, [], {}
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(listen)
        self.server.listen()

    def accept(self):
        client, daemon = self.server.accept()[0], socket.socket(socket.AF_UNIX)
        daemon.connect(self.to)
        self.pairs.append((client, daemon))

    def forward(self, source, sink, from_client):
        data = source.recv(65536)
        if data and from_client and not self.asking.get(source):
            self.trips += 1
        self.asking[source if from_client else sink] = from_client
        sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
        return bool(data)

    def run(self):
        ended = set()
        while True:
            ends = {side for pair in self.pairs for side in pair} - ended
            for ready in select.select([self.server, *ends], [], [], 0.05)[0]:
                if ready is self.server:
                    self.accept()
                    continue
                client, daemon = next(pair for pair in self.pairs if ready in pair)
                try:
                    if not self.forward(ready, daemon if ready is client else client, ready is client):
                        ended.add(ready)
                except OSError:
                    ended.update((client, daemon))
                    client.close()
                    daemon.close()

    def cut(self):
        for pair in self.pairs:
            for side in pair:
                side.shutdown(socket.SHUT_RDWR)

    def count(self, what):
        before = self.trips
        check(what() is not False, "it succeeds")
        return self.trips - before


def main():
    folder = tempfile.mkdtemp()
    relay = Relay(f"{folder}/comm", os.environ["PCSCLITE_CSOCK_NAME"])
    relay.start()
    os.environ["PCSCLITE_CSOCK_NAME"] = f"{folder}/comm"
    context = Context()
    check(eventually(context.readers) and eventually(lambda: context.has_card(context.readers()[0])), "a card is listed")
    name = context.readers()[0]
    cards = []
    check(relay.count(lambda: cards.append(context.connect(name))) == 1, "SCardConnect takes one round trip")
    card = cards[0]
    check(relay.count(lambda: echo(card, 240)) == 1,
          "SCardTransmit takes one, however many blocks and GET RESPONSE the reader needs")
    relay.cut()
    try:
        card.send(bytes.fromhex("00 84 00 00 08"))
        check(False, "a line that breaks is an error")
    except PcscError as error:
        check(True, f"a line that breaks is an error ({error})")
    card = Context().connect(name)
    check(echo(card, 40), "with a new context it goes on")
    os.unlink(f"{folder}/comm")
    os.rmdir(folder)


main()
