# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The story of check-vm, inside the machine: the kernel's usbfs, udev with our rules, pcscd as its own user and as root, and
software readers that the kernel believes to be plugged in. A line per step.
"""
import grp
import os
import re
import stat
import subprocess
import sys
import time
import traceback

sys.path[:0] = ["/check/sim", "/check/e2e"]

from cards import echo
from machine import PCSCD_LOG, Pcscd, Simulator, boot, read, reset_port, wait_for, write
from pcsc import Context, PcscError, pcsc

STEPS = []
T0, SHORT_APDU, NO_INTERRUPT, VENDOR_CLASS = "04e6:5116", "076b:3021", "0424:1202/1", "04e6:e003"


def step(title):
    def add(function):
        STEPS.append((title, function))
        return function
    return add


class Scene:
    """pcscd and readers for one step."""

    def __init__(self, *readers, user="pcscd", options=(), debug=False):
        self.simulators = [Simulator(reader, *options) for reader in readers]
        self.sim, self.user, self.debug = self.simulators[0], user, debug

    def __enter__(self):
        for simulator in self.simulators:
            assert wait_for(simulator.device), "the kernel did not find the reader"
        self.pcscd = Pcscd(self.user, *(["--debug", "--apdu"] if self.debug else []))
        assert self.pcscd.user() == self.user
        self.context = Context()
        return self

    def __exit__(self, failed, *_):
        pcsc.SCardReleaseContext(self.context.handle)
        self.pcscd.close()
        try:
            if not failed:
                for simulator in self.simulators:
                    simulator.ctl("violations")
        finally:
            for simulator in self.simulators:
                simulator.close()

    def listed(self):
        """A reader with a card in it."""
        return [name for name in self.context.readers() if self.context.has_card(name)]

    def card(self):
        assert wait_for(self.listed), "no reader with a card is listed"
        return self.context.connect(self.listed()[0])

    def works(self):
        card = self.card()
        assert echo(card, 40), "the card answers something else"
        card.disconnect()


def run(scene, *command):
    """A story of tests/e2e, or a scene of the demo."""
    result = subprocess.run(command, env=scene.sim.environment(), capture_output=True, text=True)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


# ---- the kernel, udev ----

@step("the kernel reads the descriptors and configures the device")
def enumerated():
    simulator = Simulator(T0, "--serial", "12345678")
    folder = wait_for(simulator.device)
    assert folder, "it does not"
    found = {name: read(f"{folder}/{name}") for name in ("idVendor", "idProduct", "product", "serial", "speed", "bConfigurationValue")}
    assert found["idVendor"] + ":" + found["idProduct"] == T0 and found["serial"] == "12345678", found
    assert "SCR" in found["product"] and found["speed"] == "12" and found["bConfigurationValue"] == "1", found
    assert read(f"{folder}/{os.path.basename(folder)}:1.0/bInterfaceClass") == "0b"
    simulator.close()


def check_node(reader):
    simulator = Simulator(reader)
    node = os.stat(simulator.node())
    found = f"{grp.getgrgid(node.st_gid).gr_name} {stat.S_IMODE(node.st_mode):04o}"
    simulator.close()
    assert found == "pcscd 0660", found


@step("udev gives the node to the group pcscd, mode 0660: a reader of class 0Bh")
def node_by_class():
    check_node(T0)


@step("and a reader of class FFh, by its ids")
def node_by_ids():
    check_node(VENDOR_CLASS)


# ---- the demo ----

@step("pcscd as root, as by its unit in Debian 12: the demo with an SCR3310")
def demo_root():
    with Scene(T0, user="root") as scene:
        run(scene, "/check/e2e/demo-scene", "card")


@step("pcscd as user pcscd: the demo with an SCR3310 (TPDU)")
def demo_tpdu():
    with Scene(T0) as scene:
        run(scene, "/check/e2e/demo-scene", "card")


@step("the demo with a CardMan 3121 (short APDU)")
def demo_apdu():
    with Scene(SHORT_APDU) as scene:
        run(scene, "/check/e2e/demo-scene", "card")


@step("the demo with a SEC1210 (no interrupt endpoint)")
def demo_polled():
    with Scene(NO_INTERRUPT) as scene:
        run(scene, "/check/e2e/demo-scene", "card")


@step("the demo with an SPR532 (class FFh), and every case of an APDU")
def demo_vendor():
    with Scene(VENDOR_CLASS) as scene:
        run(scene, "/usr/bin/python3", "/check/e2e/story_reader.py", "", "tpdu")


@step("the demo with a keypad: OpenSC, a PIN typed at the reader")
def demo_pin():
    with Scene(VENDOR_CLASS, options=("--card", "openpgp", "--firmware", "07.01")) as scene:
        run(scene, "/check/e2e/demo-scene", "pin")


# ---- what happens to devices ----

@step("hot-plug, five times; pcscd holds as many descriptors afterwards")
def hot_plug():
    with Scene(T0) as scene:
        scene.works()
        before = scene.pcscd.descriptors()
        for _ in range(5):
            scene.sim.ctl("unplug")
            assert wait_for(lambda: not scene.context.readers()), "the reader is still listed"
            scene.sim.ctl("plug")
            scene.works()
        assert wait_for(lambda: scene.pcscd.descriptors() == before), f"{before}, then {scene.pcscd.descriptors()}"


@step("pulled in the middle of a command: an error, and the reader is gone")
def pulled():
    with Scene(T0) as scene:
        card = scene.card()
        scene.sim.ctl("silent", "6F")
        subprocess.Popen(["sh", "-c", f"sleep 0.5; {os.environ['CCID_SIM']} ctl unplug"], env=scene.sim.environment())
        fails(lambda: echo(card, 40))
        assert wait_for(lambda: not scene.context.readers()), "it is still listed"
        scene.sim.ctl("plug")
        scene.works()


def fails(what):
    try:
        what()
    except PcscError as error:
        return error
    raise AssertionError("no error was reported")


@step("authorized 0: the reader is gone; authorized 1: it is back")
def authorized():
    with Scene(T0) as scene:
        scene.works()
        folder = scene.sim.device()
        write(f"{folder}/authorized", "0")
        assert wait_for(lambda: not scene.context.readers()), "it is still listed"
        write(f"{folder}/authorized", "1")
        scene.works()


@step("authorized 0 in the middle of a connection: an error, then as above")
def unauthorized_in_use():
    with Scene(T0) as scene:
        card = scene.card()
        folder = scene.sim.device()
        write(f"{folder}/authorized", "0")
        fails(lambda: echo(card, 40))
        assert wait_for(lambda: not scene.context.readers()), "it is still listed"
        write(f"{folder}/authorized", "1")
        scene.works()


@step("the port is reset: the connection is told, and the card works after a reconnect")
def port_reset():
    with Scene(T0, debug=True) as scene:
        card = scene.card()
        assert echo(card, 40)
        reset_port(scene.sim.node())
        fails(lambda: echo(card, 40))
        wait_for(scene.listed)
        assert wait_for(lambda: reconnected(card)), "the card does not come back"
        assert echo(card, 40)
        assert "its cards start anew" in read(PCSCD_LOG), "the log does not tell"


@step("a reader that falls silent for good: pcscd's user resets its port, and nobody has to unplug it")
def own_reset():
    with Scene(T0, debug=True) as scene:
        run(scene, "/usr/bin/python3", "/check/e2e/story_reset.py", PCSCD_LOG)


def reconnected(card):
    try:
        card.reconnect()
    except PcscError:
        return False
    return True


@step("the node belongs to root alone: the reader is not listed, and the log says whose it is")
def no_access():
    simulator = Simulator(T0)
    node = simulator.node()
    subprocess.run(["udevadm", "settle"], check=True)
    os.chown(node, 0, 0)
    pcscd = Pcscd("pcscd")
    context = Context()
    try:
        assert wait_for(lambda: "permission" in read(PCSCD_LOG).lower()), read(PCSCD_LOG)[-2000:]
        assert not context.readers()
    finally:
        pcscd.close()
        simulator.close()


@step("the kernel lets the reader sleep while pcscd is not there, and it works when pcscd comes")
def runtime_suspend():
    simulator = Simulator(T0)
    folder = wait_for(simulator.device)
    write(f"{folder}/power/autosuspend_delay_ms", "100")
    write(f"{folder}/power/control", "auto")
    asleep = wait_for(lambda: read(f"{folder}/power/runtime_status") == "suspended", 10)
    pcscd = Pcscd("pcscd")
    try:
        context = Context()
        assert asleep, "it does not sleep"
        assert wait_for(lambda: context.readers() and context.has_card(context.readers()[0])), "no card is listed"
        assert read(f"{folder}/power/runtime_status") == "active"
        card = context.connect(context.readers()[0])
        assert echo(card, 40)
        card.disconnect()
    finally:
        pcscd.close()
        simulator.close()


@step("the machine is not put to sleep by the kernel while a reader is attached over USB/IP")
def system_suspend():
    with Scene(T0) as scene:
        scene.works()
        try:
            write("/sys/power/pm_test", "devices")
            write("/sys/power/state", "freeze")
            print("   it was: and then the reader")
        except OSError as error:
            print(f"   {error.strerror}")
        scene.works()


# ---- the link ----

@step("the link is cut while nothing happens: gone, and back when it is attached again")
def link_cut():
    with Scene(T0) as scene:
        scene.works()
        scene.sim.ctl("link", "cut")
        assert wait_for(lambda: len(scene.listed()) == 0), "it is still listed"
        scene.works()


@step("the link is cut in the middle of a command: an error, and back")
def link_cut_busy():
    with Scene(T0) as scene:
        card = scene.card()
        scene.sim.ctl("silent", "6F")
        subprocess.Popen(["sh", "-c", f"sleep 0.5; {os.environ['CCID_SIM']} ctl link cut"], env=scene.sim.environment())
        fails(lambda: echo(card, 40))
        scene.works()


@step("the link is dead for three seconds in the middle of a command: the answer comes, and is the right one")
def link_dead():
    with Scene(T0) as scene:
        card = scene.card()
        scene.sim.ctl("link", "hold")
        subprocess.Popen(["sh", "-c", f"sleep 3; {os.environ['CCID_SIM']} ctl link release"], env=scene.sim.environment())
        assert echo(card, 40)


@step("16 readers at one pcscd; the seventeenth is refused, and harms nobody")
def many():
    simulators = [Simulator(T0, "--serial", str(n)) for n in range(16)]
    for simulator in simulators:
        assert wait_for(simulator.device)
    pcscd = Pcscd("pcscd")
    context = Context()
    try:
        assert wait_for(lambda: len(context.readers()) == 16, 60), f"{len(context.readers())} are listed"
        simulators.append(Simulator(T0, "--serial", "17"))
        assert wait_for(simulators[-1].device)
        for name in context.readers():
            assert wait_for(lambda: context.has_card(name)), f"no card in {name}"
            card = context.connect(name)
            assert echo(card, 40)
            card.disconnect()
        assert len(context.readers()) == 16
    finally:
        pcscd.close()
        for simulator in simulators:
            simulator.close()


def pace(reader, ms):
    """An APDU of 40 bytes in and 44 out: milliseconds and messages to the reader; and milliseconds until a reader is listed with its card."""
    simulator = Simulator(reader)
    assert wait_for(simulator.device)
    simulator.ctl("latency", str(ms))
    start = time.monotonic()
    pcscd = Pcscd("pcscd")
    context = Context()
    assert wait_for(lambda: context.readers() and context.has_card(context.readers()[0]), 60), "no card is listed"
    listed = time.monotonic() - start
    card = context.connect(context.readers()[0])
    times = []
    before = messages(simulator)
    for _ in range(10):
        start = time.monotonic()
        assert echo(card, 40)
        times.append(time.monotonic() - start)
    sent = messages(simulator) - before
    card.disconnect()
    pcscd.close()
    simulator.ctl("violations")
    simulator.close()
    return min(times) * 1000, sent / len(times), listed * 1000


def messages(simulator):
    """XfrBlocks so far. Each is a round trip: its IN transfer waits already when it is sent."""
    return sum(int(line.split()[-1]) for line in simulator.ctl("stats").splitlines() if line.startswith("6F"))


def measure(reader, want):
    paces = {ms: pace(reader, ms) for ms in (0, 1, 10, 50)}
    for ms, (apdu, sent, listed) in paces.items():
        print(f"   {ms:2} ms: {apdu:6.1f} ms and {sent:.0f} messages per APDU, {listed / 1000:4.1f} s until the card is listed")
        assert sent == want, f"{want} messages are enough"
        assert apdu >= ms * want, "an answer came before it was sent"


@step("0, 1, 10 and 50 ms of latency, TPDU level, T=0, with GET RESPONSE")
def latency_tpdu():
    measure(T0, 2)


@step("the same at short APDU level")
def latency_apdu():
    measure(SHORT_APDU, 1)


def complaints():
    """What the kernel says of programs that use usbfs in a way that it has to put right."""
    log = subprocess.run(["dmesg", "--read-clear"], check=True, capture_output=True, text=True).stdout
    return [line for line in log.splitlines() if re.search(r"did not claim|usbfs:|BUG|WARNING|Call Trace", line)]


def play(title, function):
    start = time.monotonic()
    try:
        function()
        found = complaints()
        assert not found, "the kernel complains: " + "; ".join(found)
        print(f"ok   {time.monotonic() - start:5.1f} s  {title}")
        return True
    except Exception:  # whatever it was, the other steps are still worth while
        print(f"FAIL {time.monotonic() - start:5.1f} s  {title}")
        traceback.print_exc()
        if os.path.exists(PCSCD_LOG):
            print("---- the end of pcscd's log\n" + "\n".join(read(PCSCD_LOG).splitlines()[-40:]))
        return False


def main():
    boot()
    chosen = re.compile(os.environ.get("CHECK_VM_STEPS", ""))
    steps = [(title, function) for title, function in STEPS if chosen.search(function.__name__)]
    passed = sum([play(title, function) for title, function in steps])
    print(f"check-vm: {passed} steps passed, {len(steps) - passed} failed")


main()
