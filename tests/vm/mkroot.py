# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Make the root file system of the machine of check-vm, as an archive that the kernel unpacks into memory.

    mkroot.py packages KERNEL OUT PACKAGE...   files of installed Debian packages, with what they depend on, and kernel modules
    mkroot.py tree OUT DIR=PREFIX...           folders of ours

Nothing is downloaded: the files are those of this machine. Two archives behind each other are one root file system.
"""
import os
import re
import stat
import subprocess
import sys

MODULES = ("usbcore", "vhci-hcd")
# Not needed to run anything, and much; and the other driver, which must not take part.
LEFT_OUT = re.compile(r"/usr/share/(doc|man|locale|info|lintian|bash-completion|zsh|icons|applications|bug|doc-base|i18n|zoneinfo|perl/.*/(unicore|pod))/"
                      r"|/etc/(init\.d|cron|udev/hwdb)|/lib/udev/hwdb|/usr/lib/udev/hwdb|/__pycache__/|\.(a|h|pod)$")
PACKAGES_LEFT_OUT = {"libccid", "dpkg", "adduser", "debconf", "tar", "policykit-1", "polkitd", "dbus", "media-types", "perl-modules-5.36",
                     "shared-mime-info", "libicu72", "libgprofng0", "openssl", "libgl1", "libgtk-3-0", "gtk-update-icon-cache"}


class Archive:
    """A cpio archive as the kernel reads it ("newc"). Everything in it belongs to root."""

    def __init__(self, path):
        self.file, self.number, self.names = open(path, "wb"), 0, set()

    def entry(self, name, mode, data):
        self.number += 1
        encoded = name.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        self.write(b"070701" + b"".join(b"%08X" % field for field in fields) + encoded)
        self.write(data)

    def write(self, data):
        """Headers and contents are filled up to four bytes each."""
        self.file.write(data + bytes(-len(data) % 4))

    def folders(self, name):
        parent = os.path.dirname(name)
        if parent and parent not in self.names:
            self.folders(parent)
            self.names.add(parent)
            self.entry(parent, stat.S_IFDIR | 0o755, b"")

    def add(self, path, name):
        """A file or link of this machine; folders come with what is in them. What cannot be read stays out."""
        if name in self.names:
            return
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            data = os.readlink(path).encode()
        elif stat.S_ISREG(mode) and os.access(path, os.R_OK):
            with open(path, "rb") as file:
                data = file.read()
        else:
            return
        self.folders(name)
        self.names.add(name)
        self.entry(name, mode, data)

    def add_text(self, name, text, mode=0o644):
        self.folders(name)
        self.names.add(name)
        self.entry(name, stat.S_IFREG | mode, text.encode())

    def close(self):
        self.entry("TRAILER!!!", 0, b"")
        self.file.close()


def installed():
    """{package: what it depends on}, {virtual name: package}"""
    form = "${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
    text = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    needs, provides = {}, {}
    for line in text.splitlines():
        status, package, virtual, depends = line.split("\t")
        if status != "installed":
            continue
        needs[package] = [[re.split(r"[ :(]", option.strip())[0] for option in choice.split("|")]
                          for choice in depends.split(",") if choice.strip()]
        for name in virtual.split(","):
            provides.setdefault(re.split(r"[ (]", name.strip())[0], package)
    return needs, provides


def closure(wanted):
    needs, provides = installed()
    found, todo = set(), list(wanted)
    for name in wanted:
        if name not in needs:
            sys.exit(f"mkroot: the package {name} is not installed")
    while todo:
        package = todo.pop()
        if package in found or package in PACKAGES_LEFT_OUT:
            continue
        found.add(package)
        for choice in needs[package]:
            there = [name if name in needs else provides.get(name) for name in choice]
            todo += [name for name in there if name][:1]
    return sorted(found)


def true_name(path):
    """Where a file is when the links to folders (/bin, /lib) are followed."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)).lstrip("/")


def add_packages(archive, packages):
    for link in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink(f"/{link}"):
            archive.add(f"/{link}", link)
    listing = subprocess.run(["dpkg", "-L", *packages], check=True, capture_output=True, text=True).stdout
    for path in listing.splitlines():
        if path.startswith("/") and not LEFT_OUT.search(path) and os.path.lexists(path):
            archive.add(path, true_name(path))
    for name in os.listdir("/etc/alternatives"):
        archive.add(f"/etc/alternatives/{name}", f"etc/alternatives/{name}")
    archive.add("/usr/bin/awk", "usr/bin/awk")


def add_modules(archive, kernel):
    folder = f"/lib/modules/{kernel}"
    inserted = subprocess.run(["/sbin/modprobe", "-S", kernel, "--show-depends", "-a", *MODULES], check=True,
                              capture_output=True, text=True).stdout
    for path in re.findall(r"^insmod (\S+)", inserted, re.MULTILINE):
        archive.add(path, true_name(path))
    for name in os.listdir(folder):
        if name.startswith("modules."):
            archive.add(f"{folder}/{name}", true_name(f"{folder}/{name}"))


def packages(kernel, out, *wanted):
    archive = Archive(out)
    add_packages(archive, closure(wanted))
    add_modules(archive, kernel)
    archive.add_text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\npcscd:x:990:990::/run/pcscd:/usr/sbin/nologin\n")
    archive.add_text("etc/group", "root:x:0:\npcscd:x:990:\n")
    archive.close()


def tree(out, *folders):
    archive = Archive(out)
    for folder in folders:
        source, prefix = folder.split("=")
        for where, _, names in os.walk(source):
            for name in names:
                path = os.path.join(where, name)
                archive.add(path, true_name(os.path.join("/", prefix, os.path.relpath(path, source))))
    archive.close()


{"packages": packages, "tree": tree}[sys.argv[1]](*sys.argv[2:])
