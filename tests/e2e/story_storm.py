# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A reader with a loose contact: it comes and goes while applications use it. Afterwards all of it works, and pcscd has as many
descriptors and threads as before. Arguments: how many slots there are, and how often it goes.

pcscd holds a call that has lost its reader for a second, and 1.9 loses count of who uses what if the next reader goes in that
time. So nobody pulls it before each client is out again; but without clients it goes as fast as pcscd can follow.
"""
import os
import random
import sys
import threading
import time

from cards import echo, nothing_illegal
from pcsc import Context, PcscError, check, ctl, eventually, pcsc

CLIENTS = 5


def pcscd():
    """The one that the simulator has started for us."""
    parent = os.getppid()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as stat:
                words = stat.read().rsplit(")", 1)
        except OSError:
            continue
        if int(words[1].split()[1]) == parent and words[0].endswith("(pcscd"):
            return name
    return None


def held(pid):
    """Its descriptors and threads."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


class Client(threading.Thread):
    """Uses whatever card it finds, until it is told to stop; that a reader goes is no reason to."""

    def __init__(self, seed):
        super().__init__(daemon=True)  # a check that fails ends the story, whatever they do
        self.random, self.stopped, self.turns = random.Random(seed), False, 0
        self.done, self.failed, self.wrong = 0, 0, 0

    def use(self, context):
        names = context.readers()
        if not names:
            time.sleep(0.01)
            return
        card = context.connect(self.random.choice(names))
        for _ in range(self.random.randrange(1, 20)):
            self.wrong += not echo(card, self.random.randrange(1, 200))
            self.done += 1
        card.disconnect(self.random.choice((pcsc.SCARD_LEAVE_CARD, pcsc.SCARD_RESET_CARD, pcsc.SCARD_UNPOWER_CARD)))

    def run(self):
        while not self.stopped:
            context = Context()
            for _ in range(self.random.randrange(1, 30)):
                try:
                    self.use(context)
                except PcscError:
                    self.failed += 1
                self.turns += 1
            pcsc.SCardReleaseContext(context.handle)


def all_work(context, count):
    """Are all readers there, each with a card that answers? Some may still be on their way."""
    names = context.readers()
    if len(names) != count:
        return False
    try:
        for name in names:
            card = context.connect(name)
            good = echo(card, 40)
            card.disconnect()
            if not good:
                return False
    except PcscError:
        return False
    return True


def replug(context, count):
    ctl("unplug")
    check(eventually(lambda: not context.readers(), 15), "pulled: no reader is left")
    ctl("plug")
    check(eventually(lambda: len(context.readers()) == count, 15), "put back: they are listed")


def storm(context, count, cycles):
    """Pulled at any moment, while all clients are at work."""
    clients, pause = [Client(i) for i in range(CLIENTS)], random.Random(count)
    for client in clients:
        client.start()
    for _ in range(cycles):
        time.sleep(pause.uniform(0, 0.2))
        replug(context, count)
        before = [client.turns for client in clients]
        check(eventually(lambda: all(c.turns > n for c, n in zip(clients, before)), 15), "each client was told")
    for client in clients:
        client.stopped = True
    for client in clients:
        client.join()
    done, failed = sum(c.done for c in clients), sum(c.failed for c in clients)
    check(done > 0, f"{CLIENTS} clients got {done} answers, and {failed} errors")
    check(not any(c.wrong for c in clients), "each answer was that of its command")


def main(count, cycles):
    context, pid = Context(), pcscd()
    check(pid, "pcscd is found")
    for slot in range(count):
        ctl("insert", str(slot))
    check(eventually(lambda: all_work(context, count), 15), f"{count} readers are there, and their cards work")
    replug(context, count)
    check(eventually(lambda: all_work(context, count), 15), "also after the device was pulled and put back")
    before = held(pid)
    storm(context, count, cycles)
    for _ in range(cycles):
        replug(context, count)
    check(eventually(lambda: all_work(context, count), 15), "all readers are there again and work")
    check(eventually(lambda: held(pid) == before, 15),
          f"pcscd has {before[0]} descriptors and {before[1]} threads, as before ({held(pid)})")
    nothing_illegal()


main(int(sys.argv[1]), int(sys.argv[2]))
