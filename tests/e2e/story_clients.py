# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Two clients at once, each with many APDUs, while the card is pulled and put back. Every answer must belong to its
command, and everything must end. Argument: APDUs for each client.
"""
import multiprocessing
import os
import random
import sys
import time

from pcsc import RESTARTABLE, Context, PcscError, check, ctl, echo_apdu, eventually

PATIENCE = 240  # seconds until a deadlock is assumed


def client(number, wanted, results):
    """Send until so many commands were answered; every pulled card is excused, no wrong answer is."""
    context = Context()
    dice = random.Random(number)
    reader, card, done, restarts = context.readers()[0], None, 0, 0
    while done < wanted:
        data = bytes([number]) + done.to_bytes(4, "big") + dice.randbytes(dice.randrange(1, 40))
        try:
            if card is None:
                card = context.connect(reader)
            answer, sw = card.send(echo_apdu(data))
        except PcscError as error:
            if error.code not in RESTARTABLE:
                results.put((number, f"unexpected: {error}", done, restarts))
                return
            restarts += 1
            card = restart(card)
            continue
        if sw == 0x9000 and answer[:-4] != data:
            results.put((number, f"wrong answer {answer.hex()} to {data.hex()}", done, restarts))
            return
        # 6985: the card was swapped between command and GET RESPONSE
        done += sw == 0x9000
    results.put((number, "", done, restarts))


def restart(card):
    try:
        if card is not None:
            card.reconnect()
        return card
    except PcscError as error:
        if error.code not in RESTARTABLE:
            raise
        time.sleep(0.01)
        return card


def main(wanted):
    context = Context()
    check(eventually(context.readers), "the reader is listed")
    check(eventually(lambda: context.has_card(context.readers()[0])), "it holds a card")
    # Later versions of Python begin with another way unless told.
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    clients = [fork.Process(target=client, args=(n, wanted, results)) for n in range(2)]
    for process in clients:
        process.start()
    started, pulls, dice = time.monotonic(), 0, random.Random(7)
    while any(p.is_alive() for p in clients) and time.monotonic() - started < PATIENCE:
        time.sleep(dice.uniform(0.05, 0.4))
        ctl("remove")
        time.sleep(dice.uniform(0.01, 0.1))
        ctl("insert")
        pulls += 1
    stuck = [p.pid for p in clients if p.is_alive()]
    for process in clients:
        process.kill()
    check(not stuck, f"both clients came to an end after {time.monotonic() - started:.0f} s")
    for _ in clients:
        number, problem, done, restarts = results.get(timeout=5)
        check(not problem, f"client {number}: {done} answers, each to its command, {restarts} restarts {problem}")
    check(pulls > 2, f"the card was pulled and put back {pulls} times meanwhile")
    check(eventually(lambda: context.has_card(context.readers()[0])), "pcscd is alive")


main(int(sys.argv[1]))
os._exit(0)
