# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of the machine of check-vm: udev, the simulators and their USB/IP links, pcscd, and what sysfs says."""
import fcntl
import glob
import os
import pwd
import signal
import socket
import struct
import subprocess
import threading
import time

from usbip import Link, UsbipError

SIM, READERS = os.environ["CCID_SIM"], os.environ["CCID_SIM_READERS"]
VHCI = "/sys/devices/platform/vhci_hcd.0"
PCSCD_LOG, RUN = "/tmp/pcscd.log", "/run/pcscd"
ATTACHED, FREE = "006", "004"
PORTS = 30  # of a controller, half of them for SuperSpeed
USBDEVFS_RESET = 0x5514


def wait_for(what, seconds=20.0):
    """Wait until what() is true, and return that; the last answer otherwise."""
    until = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < until:
        time.sleep(0.02)
    return answer


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def boot():
    """The loopback interface, udev with all its rules, and the kernel's USB/IP."""
    up = struct.pack("16sh", b"lo", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS, IFF_UP
    subprocess.run(["/lib/systemd/systemd-udevd", "--daemon"], check=True)
    subprocess.run(["modprobe", "vhci-hcd"], check=True)
    subprocess.run(["udevadm", "settle"], check=True)


# ---- readers ----

def ports(controller="*"):
    """[(number, state, sysfs name)] of the ports at full and high speed, of one controller or all"""
    found = []
    for path in glob.glob(f"{VHCI}/status" + ("" if controller == 0 else f".{controller}")) + (
            [f"{VHCI}/status"] if controller == "*" else []):
        for line in read(path).splitlines():
            words = line.split()
            if words[0] == "hs":
                found.append((int(words[1]), words[2], words[-1]))
    return found


class Simulator:
    """A software reader, kept attached: whenever it is to be had, it is attached again, as one does with a farm of them."""
    number = 0

    def __init__(self, reader, *options):
        Simulator.number += 1
        self.where, self.port, self.wanted = f"127.0.0.1:{3240 + Simulator.number}", None, True
        self.process = subprocess.Popen([SIM, "--usbip", self.where, "--reader", reader, "--readers", READERS, *options],
                                        stdout=subprocess.PIPE, text=True)
        self.control = self.process.stdout.readline().split("=")[1].strip()
        self.thread = threading.Thread(target=self.keep_attached, daemon=True)
        self.thread.start()

    def state(self):
        """(state, sysfs name) of its port"""
        if self.port is None:
            return [None, None]
        return next(rest for number, *rest in ports(self.port // PORTS) if number == self.port)

    def keep_attached(self):
        while self.wanted:
            try:
                if self.state()[0] != ATTACHED:
                    self.attach()
            except (UsbipError, OSError):
                pass  # it is not to be had now
            time.sleep(0.2)

    attaching = threading.Lock()

    def attach(self):
        """What the command "usbip attach" does."""
        link = Link(self.where)
        try:
            if not link.list():
                return
        finally:
            link.close()
        link = Link(self.where)
        try:
            device = link.attach()
            link.socket.setblocking(True)
            with Simulator.attaching:
                self.port = min(number for number, state, _ in ports() if state == FREE)
                write(f"{VHCI}/attach", f"{self.port} {link.socket.fileno()} {device.devid} {device.speed}")
        finally:
            link.close()

    def device(self):
        """Its folder in sysfs, when the kernel and udev are done with it; or None."""
        state, name = self.state()
        folder = f"/sys/bus/usb/devices/{name}"
        if state != ATTACHED or not os.path.exists(f"{folder}/{name}:1.0"):
            return None
        return folder if os.path.exists(f"/run/udev/data/c{read(f'{folder}/dev')}") else None

    def node(self):
        folder = wait_for(self.device)
        return f"/dev/bus/usb/{int(read(f'{folder}/busnum')):03}/{int(read(f'{folder}/devnum')):03}"

    def environment(self):
        return dict(os.environ, CCID_SIM_CONTROL=self.control)

    def ctl(self, *words):
        result = subprocess.run([SIM, "ctl", *words], env=self.environment(), capture_output=True, text=True)
        if result.returncode:
            raise AssertionError(f"ccid-sim ctl {' '.join(words)}: {result.stderr}{result.stdout}")
        return result.stdout

    def close(self):
        self.wanted = False
        self.thread.join()
        self.process.terminate()
        self.process.wait()
        assert wait_for(lambda: self.state()[0] != ATTACHED), "the kernel did not let go of the reader"


def reset_port(node):
    """As the command usbreset does."""
    fd = os.open(node, os.O_WRONLY)
    try:
        fcntl.ioctl(fd, USBDEVFS_RESET, 0)
    finally:
        os.close(fd)


# ---- pcscd ----

class Pcscd:
    """The daemon, as the user of that name or as root, as its unit in Debian 12 has it."""

    def __init__(self, user, *options):
        account = pwd.getpwnam(user)
        os.makedirs(RUN, exist_ok=True)
        os.chown(RUN, account.pw_uid, account.pw_gid)
        change = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        with open(PCSCD_LOG, "wb") as log:
            self.process = subprocess.Popen([*change, "pcscd", "--foreground", *options], stdout=log, stderr=log)
        assert wait_for(self.listens), "pcscd does not listen"

    def listens(self):
        assert self.process.poll() is None, "pcscd has ended"
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(f"{RUN}/pcscd.comm") == 0

    def user(self):
        return pwd.getpwuid(os.stat(f"/proc/{self.process.pid}").st_uid).pw_name

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
