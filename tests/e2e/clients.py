# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ordinary programs: OpenSC's tools and GnuPG's scdaemon; and what the OpenPGP card noticed of them."""
import queue
import subprocess
import threading

from part10 import asks
from pcsc import check, ctl, eventually

PATIENCE = 60  # seconds until a program is taken for stuck
SERIAL = "D2760001240103040000000CC1D00000"
HEADER_DIGITS = 8  # CLA INS P1 P2: a question about a PIN has no more


def card_got():
    """The commands with PINs that came since the last time, as the card had them, each with its status word."""
    lines = ctl("card-log").splitlines()
    ctl("card-log", "clear")
    return [line for line in lines if len(line.split()[0]) > HEADER_DIGITS]


def expect_card_got(*wanted):
    got = card_got()
    check(got == list(wanted), f"the card got {got or 'no PIN'}" + ("" if got == list(wanted) else f", not {list(wanted)}"))


def tool(*words, keys=()):
    """
    Run a program to its end; with keys, somebody types them as soon as the reader asks. Returns exit code and output.
    """
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    asked = keys and eventually(lambda: asks() or running.poll() is not None, PATIENCE) and asks()
    if asked:
        ctl("type", *keys)
    try:
        said, _ = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        running.kill()
        said = "it was still running after a minute; it had said: " + running.communicate()[0]
    if bool(asked) != bool(keys):
        check(False, f"the reader asks for the PIN of {words[0]}, which said: {said}")
    return running.returncode, said


def expect_tool(right, what, *words, keys=()):
    """Like tool(), and it has to succeed, or not."""
    code, said = tool(*words, keys=keys)
    check((code == 0) == right, what if (code == 0) == right else f"{what}; {words[0]} ended with {code}: {said}")
    return said


class Scdaemon:
    """A conversation with scdaemon, in its server mode."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen([program, "--server", "--disable-ccid", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.said, self.asked = [], []
        check(self._answer([], ()), f"scdaemon {' '.join(options)} starts")
        check(self.tell("SERIALNO") and SERIAL in self.said[-2], f"it finds the card {SERIAL}")

    def _listen(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put("ERR it has gone")

    def _send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _inquire(self, what, pins, keys):
        self.asked.append(what)
        if what == "NEEDPIN" and pins:
            self._send(f"D {pins.pop(0)}%00")  # it wants a string of C
        self._send("END")
        if what == "POPUPPINPADPROMPT" and eventually(asks, PATIENCE):
            ctl("type", *keys)

    def _answer(self, pins, keys):
        while True:
            try:
                line = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                line = "ERR it has said nothing for a minute"
            self.said.append(line)
            word, *rest = line.split()
            if word == "INQUIRE":
                self._inquire(rest[0], pins, keys)
            elif word in ("OK", "ERR"):
                return word == "OK"

    def tell(self, command, pins=(), keys=()):
        """
        One command: whether it succeeded. pins answers its questions one after the other, keys is typed at the reader.
        What it asked is in .asked afterwards, everything that it said in .said.
        """
        self.said, self.asked = [], []
        self._send(command)
        return self._answer(list(pins), keys)

    def expect(self, right, what, command, **answers):
        went = self.tell(command, **answers)
        check(went == right, what if went == right else f"{what}; scdaemon said to {command}: {self.said}")

    def end(self):
        self.tell("BYE")
        self.process.wait(PATIENCE)
