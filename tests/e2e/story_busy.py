# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The reader belongs to somebody else when pcscd comes to open it: to a kernel driver, to another process, or to nobody whom
pcscd may disturb. Either it works, or one line in pcscd's log (argument) says why it does not and what to do; and when the
obstacle is gone, plugging the reader in again is enough.
"""
import os
import re
import signal
import sys
import time

from pcsc import Context, check, ctl, echo_apdu, eventually

OURS = "openccid: "


class Log:
    """What pcscd and the driver wrote into pcscd's log since a certain moment."""

    def __init__(self, path):
        self.path, self.seen = path, 0
        self.forget()

    def _lines(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def forget(self):
        self.seen = len(self._lines())

    def ours(self):
        return [line.split(OURS, 1)[1] for line in self._lines()[self.seen:] if OURS in line]

    def with_words(self, words):
        return [line for line in self.ours() if words in line]

    def troubles(self):
        """All but what tells of success, and the messages on the wire."""
        good = r"opened |slot \d+: |-> |<- |version |/dev/bus/usb/\S+: taking "
        return [line for line in self.ours() if not re.match(good, line)]

    def attempts(self):
        """How often pcscd tried in vain: once for each event that udev sends of the same reader."""
        return sum("Open Port" in line and "Failed" in line for line in self._lines()[self.seen:])

    def settle(self, seconds=0.3):
        """Until pcscd has not tried again for so long."""
        attempts = -1
        while attempts != self.attempts():
            attempts = self.attempts()
            time.sleep(seconds)


def works(context, sentence):
    """The reader is there, and its card answers."""
    check(eventually(context.readers), f"{sentence}: the reader is listed")
    reader = context.readers()[0]
    check(eventually(lambda: context.has_card(reader)), "its card is seen")
    card = context.connect(reader)
    check(card.send(echo_apdu(b"mine"))[0][:4] == b"mine", "and answers")
    card.disconnect()


def pcscd():
    """The simulator runs pcscd and this story side by side."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getppid() and int(name) != os.getpid():
            return int(name)
    raise SystemExit("FAIL: pcscd is not among the simulator's processes")


def plug_again(context, *obstacle):
    """Out and in; pcscd sees the reader when the obstacle, if any, is in its way."""
    ctl("unplug")
    check(eventually(lambda: not context.readers()), "unplugged")
    daemon = pcscd()
    os.kill(daemon, signal.SIGSTOP)
    try:
        ctl("plug")
        if obstacle:
            ctl(*obstacle)
    finally:
        os.kill(daemon, signal.SIGCONT)


def kernel_driver(context, log):
    log.forget()
    plug_again(context, "hold", "kernel-driver")
    works(context, "held by a kernel driver")
    lines = log.with_words("taking interface 0 from the kernel driver")
    check(len(lines) == 1, f"one line tells that it was taken ({lines})")
    check(not log.with_words("in use by somebody else"), "and no line complains")


def refused(context, log, sentence, words):
    """The reader is not offered, and each attempt left one line; returns it."""
    check(eventually(lambda: log.attempts() and log.with_words(words)), f"{sentence}: the log tells")
    # pcscd lists a reader while it tries to open it.
    check(eventually(lambda: not context.readers()), "the reader is not offered")
    line = log.with_words(words)[0]
    log.settle()
    check(log.attempts() == len(log.troubles()) and set(log.troubles()) == {line}, f"in one line: {line}")
    check(re.match(r"/dev/bus/usb/\d{3}/\d{3}: ", line), "which names the device")
    check("plug the reader in again" in line, "and what to do")
    return line


def other_process(context, log):
    log.forget()
    plug_again(context, "hold", "process")
    line = refused(context, log, "held by another process", "in use by somebody else")
    check("scdaemon" in line and "disable-ccid" in line and "virtual machine" in line, "and who may hold it")


def denied(context, log):
    log.forget()
    plug_again(context, "access", "deny")
    line = refused(context, log, "access denied", "no permission")
    check("60-openccid.rules" in line and "group" in line, "and the rule and the group")
    ctl("access", "allow")


def main(path):
    context = Context()
    works(context, "held by nobody")
    log = Log(path)
    kernel_driver(context, log)
    other_process(context, log)
    log.forget()
    plug_again(context)
    works(context, "freed and plugged in again")
    check(not log.troubles(), f"and nothing is complained of ({log.troubles()})")
    denied(context, log)
    log.forget()
    plug_again(context)
    works(context, "allowed and plugged in again")
    check(not log.troubles(), f"and nothing is complained of ({log.troubles()})")
    violations = [line for line in ctl("stats").splitlines() if line.startswith("violations")]
    check(violations and violations[0].split()[-1] == "0", "the reader was sent nothing illegal")


main(sys.argv[1])
