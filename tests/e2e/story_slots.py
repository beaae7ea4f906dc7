# SPDX-License-Identifier: LGPL-2.1-or-later
"""
One USB device with several slots, or with several readers: each is a reader of its own for the application. Arguments: how
many there are, whether they work "together" or "in-turn", and which cards go in (tests/sim/README.md), one after the other.
"""
import sys
import threading

from cards import counter, echo, nothing_illegal, sent
from pcsc import Context, PcscError, check, ctl, eventually


def present(context, names):
    return [name for name in names if context.has_card(name)]


def fill(context, names, specs):
    """A card in each slot; returns the names in the order of the slots."""
    order = []
    for slot in range(len(names)):
        ctl("card", specs[slot % len(specs)])
        ctl("insert", str(slot))
        if not eventually(lambda: len(present(context, names)) == slot + 1):
            check(False, f"a card in slot {slot} is seen by one reader ({present(context, names)})")
        order += [name for name in present(context, names) if name not in order]
    check(sorted(order) == sorted(names), "a card in each slot is seen by one reader, and each time by another one")
    return order


def apart(cards):
    """No slot gets what was meant for another one: each card counts for itself."""
    for i, card in enumerate(cards):
        for _ in range(i + 1):
            counter(card)
    return [counter(card) for card in cards] == [i + 2 for i in range(len(cards))]


class Worker(threading.Thread):
    """An application of its own that uses one card until it is told to stop, or fails."""

    def __init__(self, name):
        super().__init__()
        self.reader, self.done, self.stopped, self.error, self.wrong = name, 0, False, None, False

    def run(self):
        try:
            card = Context().connect(self.reader)
            while not self.stopped:
                self.wrong = self.wrong or not echo(card, 20 + self.done % 200)
                self.done += 1
        except PcscError as error:
            self.error = error


def together(context, order):
    """All at the same time, and one card is pulled meanwhile."""
    workers = [Worker(name) for name in order]
    for worker in workers:
        worker.start()
    check(eventually(lambda: all(w.done > 30 for w in workers), 15), "all slots work at the same time")
    ctl("remove", "1")
    check(eventually(lambda: workers[1].error), f"a card is pulled: its application is told ({workers[1].error})")
    others = [w for w in workers if w is not workers[1]]
    before = [w.done for w in others]
    check(eventually(lambda: all(w.done > n + 30 for w, n in zip(others, before)), 15), "the others go on")
    for worker in workers:
        worker.stopped = True
    for worker in workers:
        worker.join()
    check(not any(w.wrong for w in workers) and not any(w.error for w in others), "and nobody got another one's answer")
    check(not context.has_card(order[1]) and len(present(context, order)) == len(order) - 1, "one slot is empty")
    ctl("insert", "1")
    check(eventually(lambda: context.has_card(order[1])), "the card is put back")
    check(echo(context.connect(order[1]), 30), "and answers")


def slow_one(context, order):
    """A card works for a minute; the others do not wait for it."""
    slow = Context().connect(order[0])  # calls on one context come one after the other
    ended = []

    def work():
        try:
            slow.send(bytes([0x80, 0x14, 60, 100, 6]))
            ended.append("answered")
        except PcscError as error:
            ended.append(str(error))

    worker = threading.Thread(target=work)
    before = sent("XfrBlock")
    worker.start()
    check(eventually(lambda: sent("XfrBlock") > before, 15), "a card begins to work for a minute")
    cards = [context.connect(name) for name in order[1:]]
    check(all(echo(card, 50) for card in cards for _ in range(5)), "all others answer")
    check(not ended, "before it does")
    ctl("remove", "0")
    worker.join()
    check(ended != ["answered"], f"it is pulled: its application is told ({ended[0]})")
    ctl("insert", "0")
    check(eventually(lambda: context.has_card(order[0])), "it is put back")
    for card in cards:
        card.disconnect()


def unplug(context, names):
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "the device is pulled: all are gone")
    ctl("plug")
    check(eventually(lambda: sorted(context.readers()) == sorted(names)), "it is put back: all are there again")
    check(eventually(lambda: len(present(context, names)) == len(names)), "with their cards")
    check(all(echo(context.connect(name), 40) for name in names), "which answer")


def main(count, at_a_time, specs):
    context = Context()
    check(eventually(lambda: len(context.readers()) == count), f"{count} readers are listed ({context.readers()})")
    names = context.readers()
    check(len(set(names)) == count and not present(context, names), "each has a name of its own, and no card")
    order = fill(context, names, specs)
    cards = [context.connect(name) for name in order]
    check(apart(cards), "each slot has a card of its own")
    check([card.protocol for card in cards] == [1 + specs[i % len(specs)].startswith("t1") for i in range(count)],
          "with its own protocol")
    for card in cards:
        card.disconnect()
    together(context, order)
    if at_a_time:
        slow_one(context, order)
    unplug(context, names)
    nothing_illegal()


main(int(sys.argv[1]), sys.argv[2] == "together", sys.argv[3:])
